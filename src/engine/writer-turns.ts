// Turns of the event loop that writes wait for.
//
// A program that awaits one write after the other runs in microtasks only; meanwhile no timer fires (that of the relaxed
// sync included), no message arrives and no checkpoint advances. So after some work the promise of a write also waits
// for a turn of the event loop.
import { nextTurn } from './long-operations.ts'

/**
 * Work after which writes let the event loop turn, in bytes of log: a millisecond or two. It is counted, not timed, so
 * that runs from a seed can be repeated.
 */
export const turnBytes = 65_536

export class WriterTurns {
  readonly #work: () => number
  /** The work when the event loop last turned. */
  #turnedWork = 0
  /** The turn that relaxed writes wait for together, if they do. */
  #shared: Promise<void> | undefined
  /** Turns that writes have waited for. */
  count = 0

  /** `work` tells what has been done since the opening, in bytes of log; a rollback may make it less. */
  constructor(work: () => number) {
    this.#work = work
  }

  get isDue(): boolean {
    const work = this.#work()
    if (work < this.#turnedWork) this.#turnedWork = work
    return work - this.#turnedWork >= turnBytes
  }

  /** The turn that others wait for already or, when one is due, a new one. */
  shared(): Promise<void> | undefined {
    if (this.#shared === undefined && this.isDue) {
      this.#shared = this.next().then(() => {
        this.#shared = undefined
      })
    }
    return this.#shared
  }

  async next(): Promise<void> {
    await nextTurn()
    this.count++
    this.#turnedWork = this.#work()
  }
}
