// What runs wherever databases can be kept: each runtime and browser adds what is particular to it.
import { describeConformance } from '../../db/conformance.ts'
import type { Target } from '../database.ts'
import type { TestFiles } from './runner.ts'

/** Everything that is asked of an engine in the thread that opens it. */
export function filesOfOpening(place: string, target: Target): TestFiles {
  return {
    conformance: () => describeConformance(place, target),
    'isolation G0': () => import('../../isolation/hermitage/g0-dirty-write.test.ts'),
    'isolation G1a': () => import('../../isolation/hermitage/g1a-aborted-read.test.ts'),
    'isolation G1b': () => import('../../isolation/hermitage/g1b-intermediate-read.test.ts'),
    'isolation G1c': () => import('../../isolation/hermitage/g1c-circular-information.test.ts'),
    'isolation OTV': () => import('../../isolation/hermitage/otv-observed-transaction-vanishes.test.ts'),
    'isolation PMP': () => import('../../isolation/hermitage/pmp-predicate-many-preceders.test.ts'),
    'isolation P4': () => import('../../isolation/hermitage/p4-lost-update.test.ts'),
    'isolation G-single': () => import('../../isolation/hermitage/g-single-read-skew.test.ts'),
    'isolation G2-item': () => import('../../isolation/hermitage/g2-item-write-skew.test.ts'),
    'isolation G2': () => import('../../isolation/hermitage/g2-anti-dependency-cycle.test.ts')
  }
}

/** The same contract for clients, whose engine runs in another thread. */
export function filesOfConnecting(place: string, target: Target): TestFiles {
  return { 'conformance of clients': () => describeConformance(`${place}, of a client`, { ...target, isRemote: true }) }
}
