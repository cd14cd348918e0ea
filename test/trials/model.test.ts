// The short form of the trial `model`: some cases of the long one, and the proof that it would find something.
import { describe, expect, test, vi } from 'vitest'
import { sumOf } from '../../fuzz/runner/trial.ts'
import { model } from '../../fuzz/trials/model.ts'
import { keyCount, keyPool } from '../../fuzz/trials/model-data.ts'
import { keyEncodingNames } from '../../src/encoding/encoding.ts'
import { Engine } from '../../src/engine/engine.ts'
import { Transaction } from '../../src/txn/transaction.ts'
import { open } from '../../src/index.ts'

describe('everything the interface offers', { timeout: 60_000 }, () => {
  test.each([1, 2, 5, 7])('answers as the model says: seed %i', async seed => {
    const { steps, commits } = await model.run(model.caseOf(seed))
    expect(steps).toBe(400)
    expect(commits).toBeGreaterThan(30)
  })

  test('reads and commits in transactions as the model says', async () => {
    let counts = {}
    for (const seed of [4, 8, 12, 16, 20, 24]) counts = sumOf(counts, await model.run(model.caseOf(seed)))
    const { committed = 0, conflicts = 0, locks = 0 } = sumOf(counts)
    expect(committed).toBeGreaterThan(100)
    expect(conflicts).toBeGreaterThan(30)
    expect(locks).toBeGreaterThan(30)
  })

  test('is found wrong when a write is acknowledged before it is durable', async () => {
    vi.spyOn(Engine.prototype, 'settled').mockImplementation(() => Promise.resolve())
    await expect(untilOneFails()).resolves.toMatch(/crash/)
  })

  test('is found wrong when a transaction sees the newest state in place of its snapshot, now and then', async () => {
    const { readingSnapshot } = Transaction.prototype
    let reads = 0
    vi.spyOn(Transaction.prototype, 'readingSnapshot').mockImplementation(function (this: Transaction) {
      const snapshot = readingSnapshot.call(this)
      return ++reads % 8 > 0 ? snapshot : undefined
    })
    await expect(untilOneFails()).resolves.toMatch(/readInside|transaction|lock|commit|crash/)
  })
})

describe('a case of the model', () => {
  test('comes back the same from its seed, and loses steps and options', () => {
    const testCase = model.caseOf(9)
    expect(model.caseOf(9)).toEqual(testCase)
    const smaller = [...model.shrink(testCase)]
    expect(smaller.length).toBeGreaterThan(400)
    for (const one of smaller) {
      expect(one).not.toEqual(testCase)
      expect(one.steps.length).toBeLessThanOrEqual(testCase.steps.length)
    }
  })

  test.each(keyEncodingNames)('has the keys of %s in the order of the database, and their prefixes', async encoding => {
    const { keys } = keyPool(encoding)
    const db = await open<unknown, unknown>(':memory:', { keyEncoding: encoding })
    for (const key of keys) await db.put(key, 1)
    expect([...db.keys()]).toEqual(keys)
    expect(keys).toHaveLength(keyCount)
    for (const place of keys.keys()) {
      const { prefix, from, to } = keyPool(encoding).prefix(place, 1)
      expect([...db.keys({ prefix })]).toEqual(keys.slice(from, to))
    }
    await db.close()
  })
})

/** How the first of some cases fails. */
async function untilOneFails(): Promise<string> {
  for (let seed = 1; seed <= 30; seed++) {
    try {
      await model.run(model.caseOf(seed))
    } catch (error) {
      return String(error)
    }
  }
  return 'none'
}
