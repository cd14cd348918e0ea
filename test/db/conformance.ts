import { describe } from 'vitest'
import type { Target } from '../support/database.ts'
import { badArguments } from './conformance/arguments.ts'
import { care } from './conformance/care.ts'
import { closing } from './conformance/closing.ts'
import { isolation } from './conformance/isolation.ts'
import { locks } from './conformance/locks.ts'
import { options } from './conformance/options.ts'
import { readsOfRanges } from './conformance/ranges.ts'
import { readsOfKeys } from './conformance/reading.ts'
import { repairing } from './conformance/repairing.ts'
import { retrying } from './conformance/retrying.ts'
import { snapshots } from './conformance/snapshots.ts'
import { sublevels } from './conformance/sublevels.ts'
import { transactions } from './conformance/transactions.ts'
import { encodings } from './conformance/values.ts'
import { writes } from './conformance/writing.ts'

/** What holds for the public interface wherever the database is kept: one small test file for each place. */
export function describeConformance(name: string, target: Target): void {
  describe(`a database ${name}`, () => {
    readsOfKeys(target)
    readsOfRanges(target)
    snapshots(target)
    writes(target)
    sublevels(target)
    transactions(target)
    isolation(target)
    locks(target)
    retrying(target)
    encodings(target)
    badArguments(target)
    options(target)
    care(target)
    repairing(target)
    closing(target)
  })
}
