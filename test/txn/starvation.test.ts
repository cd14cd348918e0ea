import { describe, expect, it } from 'vitest'
import type { Transaction } from '../../src/index.ts'
import { inMemory, openNew } from '../support/database.ts'

const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** Short transactions on all keys without end, until `isDone`. */
async function stream(db: Awaited<ReturnType<typeof openNew>>, isDone: () => boolean, most = 100_000): Promise<number> {
  let count = 0
  while (!isDone() && count < most) {
    const key = keys[count % keys.length] ?? ''
    await db.transaction(tx => tx.put(key, Number(tx.get(key) ?? 0) + 1))
    count++
    if (count % 4 === 0) await turn()
  }
  return count
}

describe('a long transaction under a stream of short ones', () => {
  it.each([
    ['reads keys', (tx: Transaction<string, unknown>, i: number) => Number(tx.get(keys[i] ?? ''))],
    ['counts ranges', (tx: Transaction<string, unknown>, i: number) => tx.count({ gte: keys[i] })]
  ])('wins within its retries when it %s', async (_, read) => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    let isDone = false
    const long = db
      .transaction(async tx => {
        let sum = 0
        for (let i = 0; i < keys.length; i++) {
          sum += read(tx, i)
          await turn()
        }
        tx.put('sum', sum)
        return tx.attempt
      })
      .finally(() => {
        isDone = true
      })
    const count = await stream(db, () => isDone)
    const attempts = await long
    expect(attempts).toBeGreaterThan(1)
    expect(count).toBeGreaterThan(20)
    // None of the short ones was lost by waiting.
    expect(keys.reduce((sum, key) => sum + Number(db.get(key) ?? 0), 0)).toBe(count)
  })

  it('wins at its first attempt when it locks what it reads', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    let isDone = false
    const long = db
      .transaction(
        async tx => {
          for (const key of keys) {
            tx.put(key, Number((await tx.getForUpdate(key)) ?? 0) + 1)
            await turn()
          }
          return tx.attempt
        },
        { isolation: 'read-committed' }
      )
      .finally(() => {
        isDone = true
      })
    const count = await stream(db, () => isDone)
    expect(await long).toBe(1)
    expect(keys.reduce((sum, key) => sum + Number(db.get(key) ?? 0), 0)).toBe(count + keys.length)
  })

  it('does not hold up those that touch something else', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    let attempt = 0
    let release: () => void = () => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const long = db.transaction(async tx => {
      tx.get('a')
      tx.put('b', 1)
      attempt = tx.attempt
      if (attempt < 5) await db.put('a', attempt)
      else await held
    })
    while (attempt < 5) await turn()
    await db.transaction(tx => tx.put('c', 1))
    let isWaiting = true
    const short = db
      .transaction(tx => tx.put('a', 'short'))
      .then(() => {
        isWaiting = false
      })
    await turn()
    expect(isWaiting).toBe(true)
    release()
    await long
    await short
    expect(db.getMany(['a', 'b', 'c'])).toEqual(['short', 1, 1])
  })

  it('is not waited for longer than locks are', async () => {
    const db = await openNew(inMemory, { lockTimeoutMs: 1, durability: 'relaxed' })
    let attempt = 0
    const long = db.transaction(
      async tx => {
        tx.get('a')
        tx.put('b', 1)
        attempt = tx.attempt
        if (attempt < 5) await db.put('a', attempt)
        else await db.transaction(other => other.put('a', 'other'))
      },
      { retries: 4 }
    )
    await expect(long).rejects.toMatchObject({ code: 'LIGHTNING_CONFLICT' })
    expect([attempt, db.get('a')]).toEqual([5, 'other'])
  })
})
