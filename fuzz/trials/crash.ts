// The power fails at every moment of short lives: what is found afterwards is the state after some commit, no
// acknowledged one is missing, everything is sound, and it can be written again.
//
// A life is recorded once; the disk as a crash after each of its changes could leave it is made from the record. The
// process may die alone as well: then the disk is as it was seen, and nothing that was not synced is sure yet.
import { Random } from '../../test/support/random.ts'
import { type Counts, sumOf, type Trial } from '../runner/trial.ts'
import { type CrashCase, caseOf, shrink } from './crash-case.ts'
import { live } from './crash-life.ts'
import { Survivors } from './crash-survivors.ts'

export const crash: Trial<CrashCase> = {
  name: 'crash',
  what: 'The power fails at every step of every sequence of three operations, and again during recovery.',
  mostMs: 600_000,
  caseOf,
  run,
  shrink
}

async function run(testCase: CrashCase): Promise<Counts> {
  const life = await live(testCase)
  const survivors = new Survivors(life, testCase)
  const random = new Random(testCase.seed)
  const [from, to] = testCase.between ?? [0, Number.POSITIVE_INFINITY]
  const chance = (testCase.moments ?? Number.POSITIVE_INFINITY) / life.disk.changes
  let counts: Counts = { sequences: 1, crashes: 0 }
  for (const moment of life.disk.moments()) {
    if (!random.chance(chance) || moment.at < from || moment.at > to) continue
    counts = sumOf(counts, { crashes: 1 }, await survivors.examine(moment))
  }
  return counts
}
