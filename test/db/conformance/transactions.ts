import { describe, expect, it } from 'vitest'
import type { Isolation } from '../../../src/index.ts'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { all, type AnyTransaction, openAt, openNew, refusal, within } from '../../support/either.ts'

const isolations: readonly Isolation[] = ['serializable', 'snapshot', 'read-committed']

/** What transactions read and write, and when they may commit. */
export function transactions(target: Target): void {
  describe('a transaction', () => {
    it.each(isolations)('sees its own writes, which nobody else does before the commit: %s', async isolation => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c', 'd'].map(key => ({ type: 'put', key, value: `old ${key}` })))
      const tx = await db.begin({ isolation })
      await tx.put('b', 'new b')
      await tx.del('c')
      await tx.batch([
        { type: 'put', key: 'e', value: 'new e' },
        { type: 'del', key: 'd' },
        { type: 'put', key: 'd', value: 'new d' }
      ])
      const expected = [
        ['a', 'old a'],
        ['b', 'new b'],
        ['d', 'new d'],
        ['e', 'new e']
      ]
      expect(await tx.getMany(['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([
        'old a',
        'new b',
        undefined,
        'new d',
        'new e',
        undefined
      ])
      expect(await Promise.all(['a', 'b', 'c', 'e', 'f'].map(key => tx.has(key)))).toEqual([
        true,
        true,
        false,
        true,
        false
      ])
      expect(await all(tx.entries())).toEqual(expected)
      expect(await all(tx.entries({ reverse: true }))).toEqual(expected.toReversed())
      expect(await all(tx.keys({ gt: 'a', limit: 2 }))).toEqual(['b', 'd'])
      expect(await all(tx.values({ lt: 'd', reverse: true, limit: 1 }))).toEqual(['new b'])
      expect([await tx.count(), await tx.count({ gte: 'c' }), await tx.count({ limit: 3 })]).toEqual([4, 2, 3])
      expect(await db.getMany(['b', 'c', 'e'])).toEqual(['old b', 'old c', undefined])
      await tx.commit()
      expect(await all(db.entries())).toEqual(expected)
    })

    it.each(isolations)('clears what it sees, and puts again what it likes: %s', async isolation => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c', 'd'].map(key => ({ type: 'put', key, value: 1 })))
      const tx = await db.begin({ isolation })
      await tx.put('bb', 2)
      await tx.clear({ gte: 'b', lt: 'd' })
      expect(await all(tx.keys())).toEqual(['a', 'd'])
      await tx.put('c', 3)
      expect(await all(tx.entries())).toEqual([
        ['a', 1],
        ['c', 3],
        ['d', 1]
      ])
      await tx.clear({ reverse: true, limit: 1 })
      expect([await tx.get('b'), await tx.has('bb'), await tx.count()]).toEqual([undefined, false, 2])
      await tx.commit()
      expect(await all(db.keys())).toEqual(['a', 'c'])
    })

    it.each(['serializable', 'read-committed'] as const)(
      'clears between bounds longer than any key (%s)',
      async isolation => {
        const db = await openNew(target)
        const longest = 'k'.repeat(1_024)
        for (const key of ['a', 'k', longest, 'l', 'z']) await db.put(key, 1)
        const clear = (range: { gte: string; lt: string }) => db.transaction(tx => tx.clear(range), { isolation })
        await clear({ gte: `${longest}k`, lt: 'l' })
        expect(await db.count()).toBe(5)
        await clear({ gte: 'k'.repeat(70_000), lt: `l${'a'.repeat(70_000)}` })
        expect(await all(db.keys())).toEqual(['a', 'k', longest, 'z'])
        await clear({ gte: 'k', lt: 'k'.repeat(2_000) })
        expect(await all(db.keys())).toEqual(['a', 'z'])
      }
    )

    it('clears at read-committed what it sees at the call, not what comes later', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const tx = await db.begin({ isolation: 'read-committed' })
      await tx.clear()
      await db.put('b', 2)
      await tx.commit()
      expect(await all(db.keys())).toEqual(['b'])
    })

    it('keeps its writes apart from the buffers that they came from', async () => {
      const db = await openNew(target, { keyEncoding: 'view', valueEncoding: 'view' })
      const key = Uint8Array.of(1, 200)
      const value = new Uint8Array(100_000).fill(7)
      const tx = await db.begin()
      await tx.put(key, value)
      key[0] = 9
      value.fill(0)
      const own = await tx.get(Uint8Array.of(1, 200))
      own?.fill(3)
      expect((await tx.get(Uint8Array.of(1, 200)))?.[5]).toBe(7)
      for await (const [, read] of tx.entries()) read.fill(4)
      await tx.commit()
      expect(await db.get(Uint8Array.of(1, 200))).toEqual(new Uint8Array(100_000).fill(7))
    })

    it('reads the state at its beginning, whatever is committed meanwhile', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const tx = await db.begin({ isolation: 'snapshot' })
      await db.put('a', 2)
      await db.put('b', 2)
      expect([await tx.get('a'), await tx.has('b'), await tx.count()]).toEqual([1, false, 1])
      await tx.commit()
    })

    it('reads the newest state with every call at read-committed', async () => {
      const db = await openNew(target)
      const tx = await db.begin({ isolation: 'read-committed' })
      expect(await tx.get('a')).toBeUndefined()
      await db.put('a', 1)
      expect([await tx.get('a'), await tx.count()]).toEqual([1, 1])
      await tx.commit()
    })

    it('shows an iterator the writes before its first step', async () => {
      const db = await openNew(target)
      await db.put('b', 1)
      const tx = await db.begin()
      const early = tx.keys()
      await tx.put('a', 1)
      expect((await early.next()).value).toBe('a')
      await tx.put('c', 1)
      await tx.del('b')
      expect(await all(early)).toEqual(['b'])
      expect(await all(tx.keys())).toEqual(['a', 'c'])
    })

    it('walks over many rows of its own and of the database in both directions', async () => {
      const db = await openNew(target)
      const key = (i: number): string => String(i).padStart(6, '0')
      const numbers = Array.from({ length: 6_000 }, (_, i) => i)
      await db.batch(numbers.filter(i => i % 3 !== 0).map(i => ({ type: 'put', key: key(i), value: i })))
      const tx = await db.begin()
      for (const i of numbers.filter(i => i % 3 === 0)) await tx.put(key(i), i)
      for (const i of numbers.filter(i => i % 7 === 0)) await tx.del(key(i))
      const expected = numbers.filter(i => i % 7 !== 0)
      expect(await all(tx.values())).toEqual(expected)
      expect(await all(tx.values({ reverse: true }))).toEqual(expected.toReversed())
      expect(await all(tx.values({ gte: key(3_000), limit: 50 }))).toEqual(
        expected.filter(i => i >= 3_000).slice(0, 50)
      )
      expect(await tx.count({ lt: key(3_000) })).toBe(expected.filter(i => i < 3_000).length)
      await tx.commit()
      expect(await all(db.values())).toEqual(expected)
    })

    it('spans sublevels, all or nothing', async () => {
      const db = await openNew(target)
      const [one, two] = [db.sublevel('one'), db.sublevel('two', { keyEncoding: 'tuple' })]
      const tx = await db.begin()
      await tx.put('k', 'root')
      await within(tx, one).put('k', 'one')
      await within(tx, two).put(['k', 1], 'two')
      await tx.batch([{ type: 'put', key: 'l', value: 'batch', sublevel: one }])
      expect([await tx.get('k'), await within(tx, one).get('k'), await all(within(tx, two).keys())]).toEqual([
        'root',
        'one',
        [['k', 1]]
      ])
      expect(await all(within(tx, one).values())).toEqual(['one', 'batch'])
      expect(await db.sublevels()).toEqual([])
      await tx.commit()
      expect([await db.get('k'), await one.get('k'), await two.get(['k', 1]), await one.get('l')]).toEqual([
        'root',
        'one',
        'two',
        'batch'
      ])
      const lost = await db.begin()
      await lost.put('k', 'lost')
      await within(lost, one).put('k', 'lost')
      await one.put('k', 'won')
      await rejection('LIGHTNING_CONFLICT', lost.commit())
      expect([await db.get('k'), await one.get('k')]).toEqual(['root', 'won'])
    })

    it('takes encodings with each call, and refuses bad arguments without a change', async () => {
      const db = await openNew(target)
      const tx = await db.begin()
      await tx.put(Uint8Array.of(0x61), 'text', { keyEncoding: 'view', valueEncoding: 'utf8' })
      expect(await tx.get('a', { valueEncoding: 'utf8' })).toBe('text')
      expect(await all(tx.keys({ keyEncoding: 'view' }))).toEqual([Uint8Array.of(0x61)])
      for (const call of [
        ['get', 5],
        ['get', 'a', { snapshot: undefined, keyEncodign: 1 }],
        ['getMany', 'a'],
        ['has', ''],
        ['put', 'a', undefined],
        ['put', 'a'.repeat(5_000), 1],
        [
          'batch',
          [
            { type: 'put', key: 'b', value: 1 },
            { type: 'put', key: 'c', value: () => 1 }
          ]
        ],
        ['keys', { from: 'a' }],
        ['clear', { gte: 5 }],
        ['count', null],
        ['sublevel', {}],
        ['rollbackTo', { number: 1 }]
      ]) {
        const [method = '', ...rest] = call
        await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(tx, String(method), ...rest))
      }
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(tx, 'getForUpdate', 5))
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(tx, 'getForUpdate', 'a', { lockTimeoutMs: -1 }))
      expect(await all(tx.keys())).toEqual(['a'])
      for (const options of [{ isolation: 'none' }, { lockTimeoutMs: 1.5 }, { retries: 1 }, 5]) {
        await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'begin', options))
      }
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(db, 'transaction', 5))
      await rejection(
        'LIGHTNING_INVALID_ARGUMENT',
        callUnchecked(db, 'transaction', () => 1, { retries: -1 })
      )
      if (target.isRemote === true) return
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'transactionSync', () => 1, { retries: 1 }))
    })

    it('is told apart from those of other databases', async () => {
      const [db, other] = [await openNew(target), await openNew(target)]
      await refusal('LIGHTNING_INVALID_ARGUMENT', async () => within(await db.begin(), other.sublevel('a')))
      await refusal('LIGHTNING_INVALID_ARGUMENT', async () => {
        const [one, two] = [await db.begin(), await db.begin()]
        await one.rollbackTo(two.savepoint())
      })
    })

    it('undoes to savepoints, nested and again', async () => {
      const db = await openNew(target)
      await db.put('z', 1)
      const tx = await db.begin()
      await tx.put('a', 1)
      const first = tx.savepoint()
      await tx.put('b', 1)
      await tx.clear({ gte: 'z' })
      const second = tx.savepoint()
      await tx.del('a')
      await tx.put('c', 1)
      await tx.rollbackTo(second)
      expect(await all(tx.keys())).toEqual(['a', 'b'])
      await tx.put('d', 1)
      await tx.rollbackTo(first)
      expect(await all(tx.keys())).toEqual(['a', 'z'])
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => tx.rollbackTo(second))
      await tx.put('e', 1)
      await tx.rollbackTo(first)
      const third = tx.savepoint()
      await tx.put('f', 1)
      await tx.rollbackTo(third)
      expect(await all(tx.keys())).toEqual(['a', 'z'])
      await tx.commit()
      expect(await all(db.keys())).toEqual(['a', 'z'])
    })

    it('still counts what was read before a savepoint was returned to', async () => {
      const db = await openNew(target)
      const tx = await db.begin()
      await tx.put('b', 1)
      const start = tx.savepoint()
      await tx.get('a')
      await tx.rollbackTo(start)
      await db.put('a', 1)
      await rejection('LIGHTNING_CONFLICT', tx.commit())
    })

    it('ends once: afterwards every use is LIGHTNING_CLOSED, and rollback does nothing', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      for (const end of [
        (tx: AnyTransaction<string, unknown>) => tx.commit(),
        (tx: AnyTransaction<string, unknown>) => tx.rollback()
      ]) {
        const tx = await db.begin()
        const iterator = tx.entries()
        const started = tx.entries()
        await started.next()
        const savepoint = tx.savepoint()
        await end(tx)
        expect(tx.isOpen).toBe(false)
        await refusal('LIGHTNING_CLOSED', () => tx.get('a'))
        await refusal('LIGHTNING_CLOSED', () => tx.getMany([]))
        await refusal('LIGHTNING_CLOSED', () => tx.has('a'))
        await refusal('LIGHTNING_CLOSED', () => tx.count())
        await refusal('LIGHTNING_CLOSED', () => tx.keys())
        await refusal('LIGHTNING_CLOSED', () => iterator.next())
        await refusal('LIGHTNING_CLOSED', () => started.next())
        await refusal('LIGHTNING_CLOSED', () => tx.put('a', 1))
        await refusal('LIGHTNING_CLOSED', () => tx.del('a'))
        await refusal('LIGHTNING_CLOSED', () => tx.batch([]))
        await refusal('LIGHTNING_CLOSED', () => tx.clear())
        await refusal('LIGHTNING_CLOSED', () => tx.savepoint())
        await refusal('LIGHTNING_CLOSED', () => tx.rollbackTo(savepoint))
        await refusal('LIGHTNING_CLOSED', () => within(tx, db.sublevel('a')))
        await rejection('LIGHTNING_CLOSED', tx.getForUpdate('a'))
        await rejection('LIGHTNING_CLOSED', tx.commit())
        if (target.isRemote !== true) await refusal('LIGHTNING_CLOSED', () => tx.commitSync())
        await tx.rollback()
        await tx.rollback()
      }
    })

    it('is rolled back by `using` and `await using` when it is still open', async () => {
      const db = await openNew(target)
      {
        await using tx = await db.begin()
        await tx.put('a', 1)
      }
      {
        await using tx = await db.begin()
        await tx.put('b', 1)
      }
      {
        await using tx = await db.begin()
        await tx.put('c', 1)
        await tx.commit()
      }
      expect(await all(db.keys())).toEqual(['c'])
    })

    it('is rolled back by close', async () => {
      const db = await openNew(target)
      const tx = await db.begin()
      const blocked = await db.begin()
      await tx.getForUpdate('a')
      const waiting = rejection('LIGHTNING_CLOSED', blocked.getForUpdate('a'))
      await tx.put('a', 1)
      const closing = db.close()
      await refusal('LIGHTNING_CLOSED', () => tx.get('a'))
      await rejection('LIGHTNING_CLOSED', tx.commit())
      await waiting
      await closing
      await refusal('LIGHTNING_CLOSED', () => db.begin())
      await rejection(
        'LIGHTNING_CLOSED',
        db.transaction(() => 1)
      )
    })

    it.runIf(target.keeps)('is durable when its commit has resolved, and absent when it was rolled back', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await db.transaction(tx => tx.put('a', { deep: [1, 2, 3] }))
      await db.transaction(tx => tx.put('b', 'x'.repeat(200_000)))
      const lost = await db.begin()
      await lost.put('c', 1)
      await db.close()
      const again = await openAt(target, location)
      expect(await all(again.keys())).toEqual(['a', 'b'])
      expect(await again.get('b')).toBe('x'.repeat(200_000))
    })

    it('can only read where the database was opened for reading', async () => {
      if (!target.keeps) return
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await db.put('a', 1)
      await db.close()
      const reader = await openAt(target, location, { readOnly: true })
      const tx = await reader.begin()
      expect(await tx.get('a')).toBe(1)
      await refusal('LIGHTNING_READ_ONLY', () => tx.put('a', 2))
      await refusal('LIGHTNING_READ_ONLY', () => tx.clear())
      await tx.commit()
    })
  })
}
