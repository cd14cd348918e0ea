// The progress of a repair as a whole, whose parts come one after the other. Each part lets other work run in between.
import type { Pace } from './pace.ts'

export class Stages {
  readonly #pace: Pace
  #total = 0
  #ended = 0
  #units = 0

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** Adds units of work that are still to be done. */
  plan(units: number): void {
    this.#total += units
  }

  /** The part before is done; the next one begins, which is so many of the planned units. */
  begin(units: number): void {
    this.#ended += this.#units
    this.#units = units
  }

  /** Throws `LIGHTNING_ABORTED`, or lets other work run when it is time. `share` of the part is done, from 0 to 1. */
  async step(share: number): Promise<void> {
    await this.#pace.step(this.#done(share), this.#total)
  }

  /** Reports the progress of a part that lets other work run by itself. */
  tell(share: number): void {
    this.#pace.tell(this.#done(share), this.#total)
  }

  #done(share: number): number {
    return this.#ended + Math.floor(Math.min(1, share) * this.#units)
  }
}
