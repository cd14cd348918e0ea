import { abortedBy, type CareOptions, nextTurn } from './long-operations.ts'

/** Milliseconds of work after which other work gets a turn. */
const sliceMs = 2

/** Slices a long operation. */
export class Pace {
  readonly #options: CareOptions
  #sliceEndsMs = performance.now() + sliceMs

  constructor(options: CareOptions) {
    this.#options = options
  }

  /** Throws `LIGHTNING_ABORTED`, or lets other work run when it is time. */
  async step(done: number, total: number): Promise<void> {
    this.check()
    if (performance.now() < this.#sliceEndsMs) return
    this.#options.onProgress?.({ done, total })
    await nextTurn()
    this.check()
    this.#sliceEndsMs = performance.now() + sliceMs
  }

  finish(total: number): void {
    this.tell(total, total)
  }

  tell(done: number, total: number): void {
    this.#options.onProgress?.({ done, total })
  }

  check(): void {
    const { signal } = this.#options
    if (signal?.aborted === true) throw abortedBy(signal)
  }
}
