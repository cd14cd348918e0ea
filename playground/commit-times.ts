// How long this tab's commits took, from the call until they were on the disk.

export class CommitTimes {
  /** How many are remembered. */
  readonly limit: number
  #recent: number[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  /** The newest ones in milliseconds, the oldest first. */
  get recent(): readonly number[] {
    return this.#recent
  }

  /** Notes how long `write` takes; one that fails does not count. */
  async of<T>(write: () => Promise<T>): Promise<T> {
    const beganMs = performance.now()
    const result = await write()
    this.#recent.push(performance.now() - beganMs)
    if (this.#recent.length > this.limit) this.#recent = this.#recent.slice(-this.limit)
    return result
  }
}
