// The tests of isolation, tested: with one fault planted in the library, the histories must show it.
import { describe, expect, it, vi } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import { type LockOwner, LockTable } from '../../src/txn/locks.ts'
import { RangeRead, ReadSet } from '../../src/txn/read-set.ts'
import { Transaction } from '../../src/txn/transaction.ts'
import { rejection } from '../support/database.ts'
import { violationsOf } from '../support/history/check.ts'
import { historyOverCrashes } from './crashing.ts'
import { historyInMemory } from './in-memory.ts'

const transactions = 2_000

describe('a planted fault is caught', { timeout: 60_000 }, () => {
  it('when a key that was read is missing in the read set, now and then', async () => {
    const { addKey } = ReadSet.prototype
    let added = 0
    vi.spyOn(ReadSet.prototype, 'addKey').mockImplementation(function (this: ReadSet, key) {
      if (++added % 10 > 0) addKey.call(this, key)
    })
    const history = await historyInMemory({ isolation: 'serializable', clients: 8, seed: 1 }, transactions)
    expect(kindsOf(violationsOf(history, 'serializable'))).toContainEqual(expect.stringMatching(/^G2/))
  })

  it('when a range counts only up to its last key', async () => {
    vi.spyOn(RangeRead.prototype, 'exhaust').mockImplementation(() => undefined)
    const history = await historyInMemory(
      { isolation: 'serializable', clients: 8, seed: 1, transactionsPerGeneration: 16 },
      transactions
    )
    expect(kindsOf(violationsOf(history, 'serializable'))).toContain('G2')
  })

  it('when a read sees the newest state in place of the snapshot, now and then', async () => {
    const { readingSnapshot } = Transaction.prototype
    let reads = 0
    vi.spyOn(Transaction.prototype, 'readingSnapshot').mockImplementation(function (this: Transaction) {
      const snapshot = readingSnapshot.call(this)
      return ++reads % 8 > 0 ? snapshot : undefined
    })
    const history = await historyInMemory({ isolation: 'snapshot', clients: 8, seed: 1 }, transactions)
    expect(violationsOf(history, 'snapshot')).not.toEqual([])
  })

  it('when locks are released before the commit reaches the log', async () => {
    const tables = new WeakMap<LockOwner, LockTable>()
    const { acquire } = LockTable.prototype
    vi.spyOn(LockTable.prototype, 'acquire').mockImplementation(function (this: LockTable, owner, ...rest) {
      tables.set(owner, this)
      return acquire.call(this, owner, ...rest)
    })
    const { commit } = Transaction.prototype
    vi.spyOn(Transaction.prototype, 'commit').mockImplementation(async function (this: Transaction) {
      tables.get(this)?.release(this)
      for (let i = 0; i < 4; i++) await Promise.resolve()
      await commit.call(this)
    })
    const workload = { isolation: 'read-committed', clients: 8, seed: 1, onlyLocks: true } as const
    await rejection('LIGHTNING_CONFLICT', historyInMemory(workload, transactions))
  })

  it('when commits are acknowledged before they are durable', async () => {
    vi.spyOn(Engine.prototype, 'settled').mockImplementation(() => Promise.resolve())
    const run = { seed: 1, crashes: 8, isolation: 'serializable', durability: 'strict' } as const
    const history = await historyOverCrashes(run)
    expect(kindsOf(violationsOf(history, 'serializable'))).toContain('lost-append')
  })
})

function kindsOf(anomalies: ReturnType<typeof violationsOf>): string[] {
  return anomalies.map(({ kind }) => kind)
}
