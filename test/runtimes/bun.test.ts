import { describeOutcomes } from '../support/elsewhere/outcomes.ts'
import { runInRuntime } from './in-runtime.ts'
import { runtimeNamed } from './runtime.ts'
import { describeSharing } from './sharing.ts'

describeOutcomes('Bun', await runInRuntime(runtimeNamed('Bun'), new URL('./suite.ts', import.meta.url)))
describeSharing('Bun')
