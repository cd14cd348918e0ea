// Random transactions at the same time, and the proof that each level keeps its promise: the history has no cycle of
// dependencies that the level forbids (test/support/history).
//
// The short form runs 100,000 transactions. The long form runs ISOLATION_TRANSACTIONS of them, from ISOLATION_SEED on.
import { describe, expect, it } from 'vitest'
import type { Isolation } from '../../src/index.ts'
import { anomaliesOf, violationsOf } from '../support/history/check.ts'
import { Random } from '../support/random.ts'
import { committedIn, historyInMemory } from './in-memory.ts'

const transactionsPerRun = 7_200
const transactions = Number(process.env.ISOLATION_TRANSACTIONS ?? 100_800)
const firstSeed = Number(process.env.ISOLATION_SEED ?? 1)
const levels = ['serializable', 'snapshot', 'read-committed'] as const

const runs = Array.from({ length: Math.ceil(transactions / transactionsPerRun) }, (_, i) => {
  const seed = firstSeed + i
  const isolation: Isolation = levels[seed % levels.length] ?? 'serializable'
  const random = new Random(seed)
  return { seed, isolation, clients: random.pick([2, 4, 8, 16]), transactionsPerGeneration: random.pick([16, 50, 150]) }
})

describe('a history of random transactions', () => {
  it.each(runs)(
    'holds nothing that $isolation forbids: seed $seed, $clients at a time',
    { timeout: 60_000 },
    async options => {
      const history = await historyInMemory(options, transactionsPerRun)
      expect(violationsOf(history, options.isolation)).toEqual([])
      expect(committedIn(history)).toBeGreaterThan(0.3)
    }
  )

  it.each([
    ['snapshot', 'G2'],
    ['read-committed', 'G-single']
  ] as const)('is dense enough to show what the level %s allows: %s', async (isolation, kind) => {
    const history = await historyInMemory({ isolation, clients: 8, seed: 1 }, 2_000)
    expect(anomaliesOf(history, isolation).map(anomaly => anomaly.kind)).toContain(kind)
  })

  it('has no conflicts at read-committed when every append is under a lock', async () => {
    const history = await historyInMemory({ isolation: 'read-committed', clients: 8, seed: 1, onlyLocks: true }, 2_000)
    expect(violationsOf(history, 'read-committed')).toEqual([])
    expect(committedIn(history)).toBeGreaterThan(0.5)
  })
})
