import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Transaction, TransactionOptions } from '../../src/index.ts'
import { inMemory, openNew } from '../support/database.ts'
import { deferred } from '../support/deferred.ts'
import { Random } from '../support/random.ts'

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

describe('many transactions that are after the same keys', () => {
  const nextKey = (tx: Transaction<string, unknown>): string => {
    const [last = '0'] = tx.keys({ reverse: true, limit: 1 })
    return String(Number(last) + 1).padStart(3, '0')
  }

  it.each<[string, (tx: Transaction<string, unknown>) => string]>([
    ['count in one key', () => 'a'],
    ['append behind the last key', nextKey]
  ])('all win within their retries when they %s', async (_, keyOf) => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    const attempts = await Promise.all(
      Array.from({ length: 200 }, () =>
        db.transaction(async tx => {
          const key = keyOf(tx)
          const value = Number(tx.get(key) ?? 0) + 1
          await turn()
          tx.put(key, value)
          return tx.attempt
        })
      )
    )
    expect([...db.values()].reduce<number>((sum, value) => sum + Number(value), 0)).toBe(200)
    // Those who have lost often run one after the other.
    expect(Math.max(...attempts)).toBeLessThan(11)
  })

  it('all get their turn when each is after two of ten, and the queue for them is long', async () => {
    // Waits have no bound: one that is forgotten would never end.
    const db = await openNew(inMemory, { durability: 'relaxed', lockTimeoutMs: Number.POSITIVE_INFINITY })
    const random = new Random(5)
    const attempts = await Promise.all(
      Array.from({ length: 300 }, () => {
        const from = random.below(10)
        const to = (from + 1 + random.below(9)) % 10
        return db.transaction(async tx => {
          const [before, beside] = [from, to].map(i => Number(tx.get(`k${i}`) ?? 0))
          await turn()
          tx.put(`k${from}`, Number(before) - 1)
          tx.put(`k${to}`, Number(beside) + 1)
          tx.put(`done${from}.${to}`, Number(tx.get(`done${from}.${to}`) ?? 0) + 1)
          return tx.attempt
        })
      })
    )
    expect([...db.values({ prefix: 'done' })].reduce<number>((sum, value) => sum + Number(value), 0)).toBe(300)
    expect([...db.values({ prefix: 'k' })].reduce<number>((sum, value) => sum + Number(value), 0)).toBe(0)
    // Those who wait in a queue lose nothing by it.
    expect(Math.max(...attempts)).toBeLessThan(6)
  })

  it('are not held up by one that is after something else, though the first in their queue is after that, too', async () => {
    // Waits have no bound: one that waits for the wrong one would never end.
    const db = await openNew(inMemory, { durability: 'relaxed', lockTimeoutMs: Number.POSITIVE_INFINITY })
    const run = (own: string, keys: readonly string[], end?: Promise<void>) => {
      const [third, claiming] = [deferred(), deferred()]
      const done = db.transaction(async tx => {
        for (const key of keys) tx.put(key, Number(tx.get(key) ?? 0) + Number(tx.get(own) ?? 0))
        if (tx.attempt === 4) {
          claiming.resolve()
          await end
        } else {
          // Plain writes do not wait for claims, and this one makes the attempt lose.
          await db.put(own, 1)
          if (tx.attempt === 3) third.resolve()
        }
        return tx.attempt
      })
      return { done, claiming: claiming.promise, isQueued: third.promise.then(turn) }
    }
    const [firstEnd, secondEnd] = [deferred(), deferred()]
    const first = run('first', ['a', 'b'], firstEnd.promise)
    await first.claiming
    const second = run('second', ['c'], secondEnd.promise)
    await second.claiming
    const both = run('both', ['a', 'c'])
    await both.isQueued
    const others = Array.from({ length: 100 }, (_, i) => run(`other ${i}`, ['b']))
    await Promise.all(others.map(({ isQueued }) => isQueued))
    firstEnd.resolve()
    expect(await Promise.all(others.map(({ done }) => done))).toEqual(Array(100).fill(4))
    secondEnd.resolve()
    expect(await Promise.all([first.done, second.done, both.done])).toEqual([4, 4, 4])
    expect(db.getMany(['a', 'b', 'c'])).toEqual([2, 101, 2])
  })

  /** One that claims the key 'a' and stays open, and an attempt of another that waits for it. */
  async function waiting(options: TransactionOptions) {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    let release: () => void = () => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const attempts = [0, 0]
    const run = (which: number, own: string, end: () => Promise<void>, bounds?: TransactionOptions) =>
      db.transaction(async tx => {
        attempts[which] = tx.attempt
        tx.put('a', Number(tx.get('a') ?? 0) + Number(tx.get(own) ?? 0))
        // Plain writes do not wait for claims, and this one makes the attempt lose.
        if (tx.attempt < 4) await db.put(own, 1)
        else await end()
      }, bounds)
    const first = run(0, 'b', () => held)
    while (attempts[0] !== 4) await turn()
    const second = run(1, 'c', () => Promise.resolve(), options)
    while (attempts[1] !== 3) await turn()
    return { db, first, second, release, attempts }
  }

  it('may be ended while they wait for their turn, by their own bounds', async () => {
    const controller = new AbortController()
    const { db, first, second, release, attempts } = await waiting({ signal: controller.signal })
    const aborted = expect(second).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    controller.abort()
    await aborted
    release()
    await first
    expect([attempts, db.get('a')]).toEqual([[4, 3], 1])
  })

  it('leave no timer behind when they are ended while they wait for their turn', async () => {
    const [set, clear] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    const controller = new AbortController()
    const lockTimeoutMs = 54_321
    const { first, second, release } = await waiting({ signal: controller.signal, lockTimeoutMs })
    const place = () => set.mock.calls.findIndex(([, delayMs]) => delayMs === lockTimeoutMs)
    while (place() < 0) await turn()
    const aborted = expect(second).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    controller.abort()
    await aborted
    await turn()
    expect(clear).toHaveBeenCalledWith(set.mock.results[place()]?.value)
    release()
    await first
  })

  it.each([
    ['half of them lock keys', 2],
    ['all of them lock keys', 1]
  ])('all win within their retries when each is after two of ten in any order, and %s', async (_, lockers) => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    const random = new Random(7)
    const attempts = await Promise.all(
      Array.from({ length: 400 }, (_, i) => {
        const from = random.below(10)
        const keys = [`k${from}`, `k${(from + 1 + random.below(9)) % 10}`]
        return db.transaction(async tx => {
          const found: number[] = []
          for (const key of keys) {
            found.push(Number((i % lockers === 0 ? await tx.getForUpdate(key) : tx.get(key)) ?? 0))
            await turn()
          }
          for (const [at, key] of keys.entries()) tx.put(key, (found[at] ?? 0) + 1)
          return tx.attempt
        })
      })
    )
    expect([...db.values()].reduce<number>((sum, value) => sum + Number(value), 0)).toBe(800)
    expect(Math.max(...attempts)).toBeLessThan(8)
  })

  it('take locks only where others do', async () => {
    const { db, first, second, release, attempts } = await waiting({})
    // The first is in its fourth attempt. What cannot wait for locks is no conflict.
    db.transactionSync(tx => tx.put('a', 0))
    release()
    await Promise.all([first, second])
    expect([db.get('a'), attempts[0], attempts[1]]).toEqual([2, 5, 4])
  })

  it('see what was committed while they waited for the locks that they take ahead', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    const holder = db.begin()
    let attempt = 0
    const running = db.transaction(async tx => {
      attempt = tx.attempt
      const found = Number(tx.get('a') ?? 0)
      tx.put('a', found + Number(tx.get('b') ?? 0))
      if (attempt > 3) return
      await db.put('b', attempt)
      if (attempt === 3) await holder.getForUpdate('a')
    })
    while (attempt < 3) await turn()
    await turn()
    holder.put('a', 10)
    await holder.commit()
    await running
    expect([attempt, db.get('a')]).toEqual([4, 13])
  })

  it('may be ended while they wait for the locks that they take ahead, by their signal', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed', lockTimeoutMs: Number.POSITIVE_INFINITY })
    const controller = new AbortController()
    const holder = db.begin()
    let attempt = 0
    const running = db.transaction(
      async tx => {
        attempt = tx.attempt
        tx.put('a', Number(tx.get('b') ?? 0))
        await db.put('b', attempt)
        if (attempt === 3) await holder.getForUpdate('a')
      },
      { signal: controller.signal }
    )
    while (attempt < 3) await turn()
    await turn()
    const aborted = expect(running).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    controller.abort()
    await aborted
    holder.put('a', 'held')
    await holder.commit()
    // It is in no queue any more.
    const next = db.begin()
    expect(await next.getForUpdate('a', { lockTimeoutMs: 0 })).toBe('held')
    next.rollback()
    expect(attempt).toBe(3)
  })

  it('may be ended while they wait for their turn, by closing the database', async () => {
    const { db, first, second, release } = await waiting({})
    const ends = [first, second].map(each => expect(each).rejects.toMatchObject({ code: 'LIGHTNING_CLOSED' }))
    await db.close()
    release()
    await Promise.all(ends)
  })

  it('begin after the bound of lock waits in any case', async () => {
    const { first, second, release, attempts } = await waiting({ lockTimeoutMs: 1, retries: 3 })
    // Its commit waits for the claim just as long, and wins: the claim is no lock.
    await second
    release()
    await expect(first).resolves.toBeUndefined()
    expect(attempts).toEqual([5, 4])
  })
})
