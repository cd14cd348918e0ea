// What runs in a page, which has no synchronous files: clients of an engine in a worker that they start by themselves.
import { filesOfConnecting } from '../support/elsewhere/files.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
import { runAndReport } from './reporting.ts'

await runAndReport(filesOfConnecting('in private files', inPrivateFiles))
