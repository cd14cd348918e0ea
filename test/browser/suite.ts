// What runs in the worker of a browser: the same tests as on disks, over the origin private file system.
import { filesOfOpening } from '../support/elsewhere/files.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
import { opfsVfs } from '../../src/vfs/opfs.ts'
import { describeVfs } from '../vfs/contract.ts'
import { describePrivateFiles } from './private-files.ts'
import { runAndReport } from './reporting.ts'

await runAndReport({
  'file systems': () =>
    describeVfs({
      name: 'private files',
      keepsReplacedFiles: false,
      make: async () => opfsVfs(await inPrivateFiles.newLocation())
    }),
  'private files': describePrivateFiles,
  ...filesOfOpening('in private files', inPrivateFiles)
})
