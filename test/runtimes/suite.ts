// What runs in every runtime that has directories: the tests of the public interface and of the file systems below it.
import { filesOfOpening } from '../support/elsewhere/files.ts'
import { inDirectory } from '../support/in-directory.ts'
import { runAndPrint } from './printing.ts'

await runAndPrint({
  'file systems': () => import('../vfs/contract.test.ts'),
  ...filesOfOpening('in a directory', inDirectory),
  clients: () => import('../host/connect.test.ts')
})
