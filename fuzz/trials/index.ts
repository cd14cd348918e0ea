import type { Trial } from '../runner/trial.ts'
import { crash } from './crash.ts'
import { memory } from './memory.ts'
import { isolation } from './isolation.ts'
import { kill } from './kill.ts'
import { model } from './model.ts'
import { faults } from './faults.ts'
import { rot } from './rot.ts'

/** Everything that `npm run torture` tries, in this order. */
export const trials: readonly Trial<unknown>[] = [crash, faults, rot, memory, model, isolation, kill]
