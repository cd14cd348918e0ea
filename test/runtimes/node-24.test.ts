import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'
import { describeSharing } from './sharing.ts'

describeOutcomes('Node 24', await runInRuntime(runtimeNamed('Node 24'), new URL('./suite.ts', import.meta.url)))
describeSharing('Node 24')
