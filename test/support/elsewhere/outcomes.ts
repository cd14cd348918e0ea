import { describe, it } from 'vitest'
import type { Outcome } from './runner.ts'

/** Tells what ran elsewhere as tests of this file. */
export function describeOutcomes(place: string, outcomes: readonly Outcome[]): void {
  describe(place, () => {
    if (outcomes.length === 0) throw new Error(`nothing ran in ${place}`)
    for (const { name, state, errors } of outcomes) {
      it.skipIf(state === 'skipped')(name, () => {
        if (state === 'failed') throw new Failure(errors)
      })
    }
  })
}

/** The stack of what failed there; that of here tells nothing. */
class Failure extends Error {
  constructor(errors: readonly string[]) {
    super(errors.join('\n\n') || 'it failed and said nothing')
    this.stack = this.message
  }
}
