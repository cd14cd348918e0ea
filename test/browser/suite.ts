// What runs in the worker of a browser: the same tests as on disks, over the origin private file system.
import { opfsVfs } from '../../src/vfs/opfs.ts'
import { describeConformance } from '../db/conformance.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
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
  conformance: () => describeConformance('in private files', inPrivateFiles),
  'isolation G0': () => import('../isolation/hermitage/g0-dirty-write.test.ts'),
  'isolation G1a': () => import('../isolation/hermitage/g1a-aborted-read.test.ts'),
  'isolation G1b': () => import('../isolation/hermitage/g1b-intermediate-read.test.ts'),
  'isolation G1c': () => import('../isolation/hermitage/g1c-circular-information.test.ts'),
  'isolation OTV': () => import('../isolation/hermitage/otv-observed-transaction-vanishes.test.ts'),
  'isolation PMP': () => import('../isolation/hermitage/pmp-predicate-many-preceders.test.ts'),
  'isolation P4': () => import('../isolation/hermitage/p4-lost-update.test.ts'),
  'isolation G-single': () => import('../isolation/hermitage/g-single-read-skew.test.ts'),
  'isolation G2-item': () => import('../isolation/hermitage/g2-item-write-skew.test.ts'),
  'isolation G2': () => import('../isolation/hermitage/g2-anti-dependency-cycle.test.ts')
})
