// The parts of a repair, one after the other, as one progress; with turns for other work in each of them.
import type { Pace } from './pace.ts'

export class Stages {
  readonly #pace: Pace
  #total = 0
  #ended = 0
  #units = 0

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** So many units more will have to be done. */
  plan(units: number): void {
    this.#total += units
  }

  /** The next part begins, of so many of the units that were planned; the one before is done. */
  begin(units: number): void {
    this.#ended += this.#units
    this.#units = units
  }

  /** Throws `LIGHTNING_ABORTED`, or lets other work run when it is time. `share` of the part is done, from 0 to 1. */
  async step(share: number): Promise<void> {
    await this.#pace.step(this.#done(share), this.#total)
  }

  /** Tells how far a part is that takes its turns itself. */
  tell(share: number): void {
    this.#pace.tell(this.#done(share), this.#total)
  }

  #done(share: number): number {
    return this.#ended + Math.floor(Math.min(1, share) * this.#units)
  }
}
