import type { Trial } from '../runner/trial.ts'
import { crash } from './crash.ts'
import { model } from './model.ts'
import { faults } from './faults.ts'
import { rot } from './rot.ts'

/** Everything that `npm run torture` tries, in this order. */
export const trials: readonly Trial<unknown>[] = [crash, faults, rot, model]
