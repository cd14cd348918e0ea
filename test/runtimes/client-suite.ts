// The public interface again, through clients of an engine in another thread.
import { filesOfConnecting } from '../support/elsewhere/files.ts'
import { inDirectory } from '../support/in-directory.ts'
import { runAndPrint } from './printing.ts'

await runAndPrint(filesOfConnecting('in a directory', inDirectory))
