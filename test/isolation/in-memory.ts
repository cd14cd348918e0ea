// Histories of a database in memory.
import assert from 'node:assert/strict'
import { type OpenOptions, open } from '../../src/index.ts'
import { type History, Recorder } from '../support/history/history.ts'
import { listsIn, Workload, type WorkloadOptions } from './workload.ts'

/** Runs so many transactions on a new database, and verifies it. */
export async function historyInMemory(
  workload: WorkloadOptions,
  transactions: number,
  options: OpenOptions = {}
): Promise<History> {
  const db = await open<string, number[]>(':memory:', {
    durability: 'relaxed',
    cacheBytes: 4 * 1_024 * 1_024,
    ...options
  })
  try {
    const recorder = new Recorder()
    await new Workload(db, recorder, workload).run(transactions)
    const final = listsIn(db)
    assert.deepEqual((await db.verify()).problems, [])
    return { transactions: recorder.transactions, final }
  } finally {
    await db.close()
  }
}

/** Which part of the transactions was committed, from 0 to 1. */
export function committedIn({ transactions }: History): number {
  return transactions.filter(({ outcome }) => outcome === 'committed').length / transactions.length
}
