import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'

describeOutcomes('Deno', await runInRuntime(runtimeNamed('Deno'), new URL('./client-suite.ts', import.meta.url)))
