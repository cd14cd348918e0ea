/** An estimate older than this is asked for anew, in milliseconds. */
const freshMs = 1_000

/**
 * What a site may still store, without waiting for the browser's answer: the last one, less all that was written since.
 * Browsers tell it roughly, and count what was overwritten only once.
 */
export class SpaceEstimate {
  readonly #storage: () => StorageManager
  #freeBytes: number | undefined
  #writtenBytes = 0
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(storage: () => StorageManager) {
    this.#storage = storage
  }

  /** Bytes were written, maybe over others. */
  wrote(bytes: number): void {
    this.#writtenBytes += bytes
  }

  /** Asks the browser. Undefined when it does not tell. */
  async ask(): Promise<number | undefined> {
    this.#askedMs = performance.now()
    const writtenBytes = this.#writtenBytes
    const { quota, usage } = await this.#storage().estimate()
    if (quota === undefined || usage === undefined) return undefined
    // What was written while the browser counted may be in its answer or not.
    this.#writtenBytes -= writtenBytes
    this.#freeBytes = Math.max(0, Math.floor(quota - usage))
    return this.#freeBytes
  }

  /** Undefined when the browser has not told yet. */
  now(): number | undefined {
    // A failure leaves what was told before, which only gets less.
    if (performance.now() - this.#askedMs > freshMs) this.ask().catch(() => undefined)
    return this.#freeBytes === undefined ? undefined : Math.max(0, this.#freeBytes - this.#writtenBytes)
  }
}
