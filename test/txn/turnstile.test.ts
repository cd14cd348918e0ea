import { describe, expect, it } from 'vitest'
import { Turnstile } from '../../src/txn/turnstile.ts'
import { inMemory, openNew } from '../support/database.ts'
import { nextTurn } from '../support/next-turn.ts'

/** Lets so many turns of the microtask queue pass. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
}

describe('transactions of db.transaction that begin at once', () => {
  it('run one after the other, in order, when their bodies wait for nothing but promises that are resolved', async () => {
    const db = await openNew(inMemory)
    const order: number[] = []
    let running = 0
    let most = 0
    const run = (i: number) =>
      db.transaction(async tx => {
        most = Math.max(most, ++running)
        const count = Number(tx.get('count') ?? 0)
        await undefined
        tx.put('count', count + 1)
        order.push(i)
        running--
        return tx.attempt
      })
    const attempts = await Promise.all(Array.from({ length: 3_000 }, (_, i) => run(i)))
    expect(db.get('count')).toBe(3_000)
    expect([most, Math.max(...attempts)]).toEqual([1, 1])
    expect(order).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
  })

  it('run beside each other when their bodies wait for something else', async () => {
    const db = await openNew(inMemory)
    let running = 0
    let release: () => void = () => undefined
    const all = new Promise<void>(resolve => {
      release = resolve
    })
    const run = () =>
      db.transaction(async () => {
        // Each waits until all have begun.
        if (++running === 100) release()
        await all
      })
    await Promise.all(Array.from({ length: 100 }, run))
    expect(running).toBe(100)
  })

  it('may wait for each other to begin, one inside the other', async () => {
    const db = await openNew(inMemory)
    const depth = await db.transaction(() => db.transaction(() => db.transaction(() => 3)))
    expect(depth).toBe(3)
  })

  it('begin at once when no other is under way, also after one whose body has failed', async () => {
    const db = await openNew(inMemory)
    const failing = db.transaction(() => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    let hasBegun = false
    const next = db.transaction(() => {
      hasBegun = true
    })
    expect(hasBegun).toBe(true)
    await next
  })

  it('hold nobody up when they are ended by a signal before their turn comes', async () => {
    const db = await openNew(inMemory)
    const controller = new AbortController()
    let release: () => void = () => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const first = db.transaction(() => held)
    let hasRun = false
    const waiting = db.transaction(
      () => {
        hasRun = true
      },
      { signal: controller.signal }
    )
    const last = db.transaction(() => 'last')
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    expect(await last).toBe('last')
    expect(hasRun).toBe(false)
    release()
    await first
    expect(await db.transaction(() => 'after')).toBe('after')
  })

  it('are refused when the database is closed before their turn comes', async () => {
    const db = await openNew(inMemory)
    const all = [1, 2, 3].map(i => db.transaction(() => nextTurn().then(() => i)))
    const ends = all.map(each => expect(each).rejects.toMatchObject({ code: 'LIGHTNING_CLOSED' }))
    await db.close()
    await Promise.all(ends)
  })
})

describe('a turnstile', () => {
  it('lets the next one in when the one before has left', async () => {
    const turnstile = new Turnstile()
    const [first, second] = [{}, {}]
    expect(turnstile.enter()).toBeUndefined()
    turnstile.hold(first)
    let isIn = false
    const entering = turnstile.enter()?.then(() => {
      isIn = true
    })
    turnstile.leave(second)
    await turns(2)
    expect(isIn).toBe(false)
    turnstile.leave(first)
    await turns(1)
    expect(isIn).toBe(true)
    await entering
  })

  it('lets the next one in when the one before passes', async () => {
    const turnstile = new Turnstile()
    turnstile.enter()
    let isIn = false
    const entering = turnstile.enter()?.then(() => {
      isIn = true
    })
    turnstile.pass()
    await turns(1)
    expect(isIn).toBe(true)
    await entering
  })

  it('lets the next one in after some turns, whatever the one before does', async () => {
    const turnstile = new Turnstile()
    turnstile.enter()
    const entered: number[] = []
    for (let i = 0; i < 3; i++) void turnstile.enter()?.then(() => void entered.push(i))
    await turns(7)
    expect(entered).toEqual([0])
    await turns(7)
    expect(entered).toEqual([0, 1])
    await turns(7)
    expect(entered).toEqual([0, 1, 2])
  })
})
