import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'

describeOutcomes('Bun', await runInRuntime(runtimeNamed('Bun'), new URL('./client-suite.ts', import.meta.url)))
