// The disk misbehaves at call 1, 2, 3, … of a short life, once or from then on, until the life has no such call. Errors
// are typed, reads stay right, what was rejected is gone, what was acknowledged stays, nothing is left open or locked, and
// everything works again when the fault is over (after a failed sync: after reopening).
import { type Counts, sumOf, type Trial } from '../runner/trial.ts'
import { caseOf, type FaultsCase, shrink } from './faults-case.ts'
import { FaultyLife } from './faults-life.ts'

export const faults: Trial<FaultsCase> = {
  name: 'faults',
  what: 'The disk errs, is full, reads and writes short, and fails or fakes its syncs, at every call of short lives.',
  mostMs: 600_000,
  caseOf,
  run,
  shrink
}

async function run(testCase: FaultsCase): Promise<Counts> {
  const [from, to] = testCase.between ?? [1, Number.POSITIVE_INFINITY]
  let counts: Counts = { lives: 0, faults: 0 }
  for (let at = from; at <= to; at++) {
    const life = new FaultyLife(testCase, at)
    try {
      await life.run()
    } catch (error) {
      throw new Error(`${testCase.fault} ${testCase.lasts ? 'from' : 'at'} call ${at} on`, { cause: error })
    }
    counts = sumOf(counts, { lives: 1, faults: life.struck })
    if (life.struck === 0) break
  }
  return counts
}
