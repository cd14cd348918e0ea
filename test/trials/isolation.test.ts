// The short form of the trial `isolation`: 21,600 transactions and 24 crashes, and that the histories are dense enough.
import { describe, expect, it, test } from 'vitest'
import { historyOf, isolation } from '../../fuzz/trials/isolation.ts'
import { committedIn, historyInMemory } from '../isolation/in-memory.ts'
import { anomaliesOf, violationsOf } from '../support/history/check.ts'

describe('a history of random transactions', { timeout: 60_000 }, () => {
  test.each([1, 2, 3, 5, 6, 7])('holds nothing that its level forbids: seed %i', async seed => {
    const { transactions = 0, committed = 0 } = await isolation.run(isolation.caseOf(seed))
    expect(transactions).toBeGreaterThanOrEqual(3_600)
    expect(committed / transactions).toBeGreaterThan(0.3)
  })

  test.each([4, 8])('survives crashes, each transaction whole or not at all: seed %i', async seed => {
    const { crashes, committed } = await isolation.run(isolation.caseOf(seed))
    expect(crashes).toBe(12)
    expect(committed).toBeGreaterThan(50)
  })

  it.each([
    ['snapshot', 'G2'],
    ['read-committed', 'G-single']
  ] as const)('is dense enough to show what the level %s allows: %s', async (level, kind) => {
    const history = await historyInMemory({ isolation: level, clients: 8, seed: 1 }, 2_000)
    expect(anomaliesOf(history, level).map(anomaly => anomaly.kind)).toContain(kind)
  })

  it('has no conflicts at read-committed when every append is under a lock', async () => {
    const history = await historyInMemory({ isolation: 'read-committed', clients: 8, seed: 1, onlyLocks: true }, 2_000)
    expect(violationsOf(history, 'read-committed')).toEqual([])
    expect(committedIn(history)).toBeGreaterThan(0.5)
  })

  it.each([2, 4, 8, 20])('is the same when it is run again: seed %i', async seed => {
    const testCase = { ...isolation.caseOf(seed), ...(seed % 4 === 0 ? { crashes: 4 } : { transactions: 800 }) }
    expect(await historyOf(testCase)).toEqual(await historyOf(testCase))
  })
})
