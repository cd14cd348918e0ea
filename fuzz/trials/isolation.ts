// Random transactions on lists, many at a time, in memory or on a disk that crashes again and again: the history of what
// they read and wrote must hold no cycle of dependencies that their level forbids (test/support/history), and what was
// acknowledged must survive every crash. Timers and chance come from the seed, so a history can be repeated exactly.
import assert from 'node:assert/strict'
import type { Isolation } from '../../src/index.ts'
import { historyOverCrashes } from '../../test/isolation/crashing.ts'
import { historyInMemory } from '../../test/isolation/in-memory.ts'
import { violationsOf } from '../../test/support/history/check.ts'
import type { History } from '../../test/support/history/history.ts'
import { Random } from '../../test/support/random.ts'
import { inVirtualTime } from '../../test/support/virtual-time.ts'
import type { Counts, Trial } from '../runner/trial.ts'

export interface IsolationCase {
  readonly seed: number
  readonly isolation: Isolation
  readonly durability: 'strict' | 'relaxed'
  /** How many transactions run at the same time; with crashes, each life between two crashes chooses anew. */
  readonly clients: number
  /** When new lists come into being. */
  readonly transactionsPerGeneration: number
  /** Number of transactions in memory; 0: on a disk that crashes instead. */
  readonly transactions: number
  /** How often the disk crashes. */
  readonly crashes: number
}

const transactionsPerCase = 3_600
const crashesPerCase = 12

export const isolation: Trial<IsolationCase> = {
  name: 'isolation',
  what: 'Histories of random transactions, in memory and over crashes, hold nothing that their level forbids.',
  caseOf,
  run,
  shrink
}

function caseOf(seed: number): IsolationCase {
  const random = new Random(seed)
  const crashes = seed % 4 === 0
  return {
    seed,
    isolation: random.pick(['serializable', 'snapshot', 'read-committed'] as const),
    durability: random.chance(crashes ? 0.75 : 0.2) ? 'strict' : 'relaxed',
    clients: random.pick([2, 4, 8, 16]),
    transactionsPerGeneration: random.pick([16, 50, 150]),
    transactions: crashes ? 0 : transactionsPerCase,
    crashes: crashes ? crashesPerCase : 0
  }
}

async function run(testCase: IsolationCase): Promise<Counts> {
  const history = await historyOf(testCase)
  const violations = violationsOf(history, testCase.isolation)
  if (violations.length > 0) assert.fail(JSON.stringify(violations[0], undefined, 2))
  const { transactions } = history
  const committed = transactions.filter(({ outcome }) => outcome === 'committed').length
  return { histories: 1, transactions: transactions.length, committed, crashes: testCase.crashes }
}

/** The same for the same case. */
export function historyOf(testCase: IsolationCase): Promise<History> {
  const { seed, isolation: level, durability, clients, transactionsPerGeneration, transactions, crashes } = testCase
  return inVirtualTime(seed, () =>
    crashes > 0
      ? historyOverCrashes({ seed, crashes, isolation: level, durability })
      : historyInMemory({ seed, isolation: level, clients, transactionsPerGeneration }, transactions, { durability })
  )
}

/** Smaller cases: fewer transactions, fewer crashes, fewer at the same time. */
function* shrink(testCase: IsolationCase): Generator<IsolationCase> {
  const { transactions, crashes, clients } = testCase
  for (const part of [8, 4, 2])
    if (transactions >= part) yield { ...testCase, transactions: Math.ceil(transactions / part) }
  if (transactions > 1) yield { ...testCase, transactions: Math.ceil(transactions * 0.9) - 1 }
  for (let fewer = 1; fewer < crashes; fewer++) yield { ...testCase, crashes: fewer }
  if (crashes === 0 && clients > 2) yield { ...testCase, clients: clients / 2 }
}
