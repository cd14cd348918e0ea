import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'

describeOutcomes('Node 22', await runInRuntime(runtimeNamed('Node 22'), new URL('./client-suite.ts', import.meta.url)))
