import type { Trial } from '../runner/trial.ts'

/** Everything that `npm run torture` tries, in this order. */
export const trials: readonly Trial<unknown>[] = []
