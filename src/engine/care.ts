// What the long operations share: progress, abortion, and turns for other work in between.
import { LightningError } from '../errors.ts'

/** How far a long operation has come, in units of its own (pages as a rule). */
export interface Progress {
  /** Units done so far. */
  readonly done: number
  /** Units in all; may change on the way. */
  readonly total: number
}

export interface CareOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Milliseconds of work after which other work gets a turn. */
const sliceMs = 2

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
    this.#options.onProgress?.({ done: total, total })
  }

  check(): void {
    const { signal } = this.#options
    if (signal?.aborted !== true) return
    throw new LightningError('LIGHTNING_ABORTED', 'The operation was aborted by its signal.', { cause: signal.reason })
  }
}

/** Resolves when the event loop has had a turn. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
