import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'

describeOutcomes('Node 24', await runInRuntime(runtimeNamed('Node 24'), new URL('./client-suite.ts', import.meta.url)))
