// What runs in every runtime that has directories: the tests of the public interface and of the file systems below it.
import { describeConformance } from '../db/conformance.ts'
import { inDirectory } from '../support/in-directory.ts'
import { runTests } from '../support/elsewhere/runner.ts'

await runTests(
  {
    'file systems': () => import('../vfs/contract.test.ts'),
    conformance: () => describeConformance('in a directory', inDirectory),
    clients: () => import('../host/connect.test.ts'),
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
  },
  outcome => console.log(`outcome ${JSON.stringify(outcome)}`)
)
console.log('ended')
