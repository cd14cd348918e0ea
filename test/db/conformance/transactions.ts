import { describe, expect, it } from 'vitest'
import type { Isolation, Transaction } from '../../../src/index.ts'
import { expectCode } from '../../encoding/support.ts'
import { callUnchecked, openAt, openNew, rejection, type Target } from '../../support/database.ts'

const isolations: readonly Isolation[] = ['serializable', 'snapshot', 'read-committed']

/** What transactions read and write, and when they may commit. */
export function transactions(target: Target): void {
  describe('a transaction', () => {
    it.each(isolations)('sees its own writes, which nobody else does before the commit: %s', async isolation => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c', 'd'].map(key => ({ type: 'put', key, value: `old ${key}` })))
      const tx = db.begin({ isolation })
      tx.put('b', 'new b')
      tx.del('c')
      tx.batch([
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
      expect(tx.getMany(['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([
        'old a',
        'new b',
        undefined,
        'new d',
        'new e',
        undefined
      ])
      expect(['a', 'b', 'c', 'e', 'f'].map(key => tx.has(key))).toEqual([true, true, false, true, false])
      expect([...tx.entries()]).toEqual(expected)
      expect([...tx.entries({ reverse: true })]).toEqual(expected.toReversed())
      expect([...tx.keys({ gt: 'a', limit: 2 })]).toEqual(['b', 'd'])
      expect([...tx.values({ lt: 'd', reverse: true, limit: 1 })]).toEqual(['new b'])
      expect([tx.count(), tx.count({ gte: 'c' }), tx.count({ limit: 3 })]).toEqual([4, 2, 3])
      expect(db.getMany(['b', 'c', 'e'])).toEqual(['old b', 'old c', undefined])
      await tx.commit()
      expect([...db.entries()]).toEqual(expected)
    })

    it.each(isolations)('clears what it sees, and puts again what it likes: %s', async isolation => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c', 'd'].map(key => ({ type: 'put', key, value: 1 })))
      const tx = db.begin({ isolation })
      tx.put('bb', 2)
      tx.clear({ gte: 'b', lt: 'd' })
      expect([...tx.keys()]).toEqual(['a', 'd'])
      tx.put('c', 3)
      expect([...tx.entries()]).toEqual([
        ['a', 1],
        ['c', 3],
        ['d', 1]
      ])
      tx.clear({ reverse: true, limit: 1 })
      expect([tx.get('b'), tx.has('bb'), tx.count()]).toEqual([undefined, false, 2])
      await tx.commit()
      expect([...db.keys()]).toEqual(['a', 'c'])
    })

    it('clears at read-committed what it sees at the call, not what comes later', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const tx = db.begin({ isolation: 'read-committed' })
      tx.clear()
      await db.put('b', 2)
      await tx.commit()
      expect([...db.keys()]).toEqual(['b'])
    })

    it('keeps its writes apart from the buffers that they came from', async () => {
      const db = await openNew(target, { keyEncoding: 'view', valueEncoding: 'view' })
      const key = Uint8Array.of(1, 200)
      const value = new Uint8Array(100_000).fill(7)
      const tx = db.begin()
      tx.put(key, value)
      key[0] = 9
      value.fill(0)
      tx.get(Uint8Array.of(1, 200))?.fill(3)
      expect(tx.get(Uint8Array.of(1, 200))?.[5]).toBe(7)
      for (const [, read] of tx.entries()) read.fill(4)
      await tx.commit()
      expect(db.get(Uint8Array.of(1, 200))).toEqual(new Uint8Array(100_000).fill(7))
    })

    it('reads the state at its beginning, whatever is committed meanwhile', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const tx = db.begin({ isolation: 'snapshot' })
      await db.put('a', 2)
      await db.put('b', 2)
      expect([tx.get('a'), tx.has('b'), tx.count()]).toEqual([1, false, 1])
      await tx.commit()
    })

    it('reads the newest state with every call at read-committed', async () => {
      const db = await openNew(target)
      const tx = db.begin({ isolation: 'read-committed' })
      expect(tx.get('a')).toBeUndefined()
      await db.put('a', 1)
      expect([tx.get('a'), tx.count()]).toEqual([1, 1])
      await tx.commit()
    })

    it('shows an iterator the writes before its first step', async () => {
      const db = await openNew(target)
      await db.put('b', 1)
      const tx = db.begin()
      const early = tx.keys()
      tx.put('a', 1)
      expect(early.next().value).toBe('a')
      tx.put('c', 1)
      tx.del('b')
      expect([...early]).toEqual(['b'])
      expect([...tx.keys()]).toEqual(['a', 'c'])
    })

    it('walks over many rows of its own and of the database in both directions', async () => {
      const db = await openNew(target)
      const key = (i: number): string => String(i).padStart(6, '0')
      const all = Array.from({ length: 6_000 }, (_, i) => i)
      await db.batch(all.filter(i => i % 3 !== 0).map(i => ({ type: 'put', key: key(i), value: i })))
      const tx = db.begin()
      for (const i of all.filter(i => i % 3 === 0)) tx.put(key(i), i)
      for (const i of all.filter(i => i % 7 === 0)) tx.del(key(i))
      const expected = all.filter(i => i % 7 !== 0)
      expect([...tx.values()]).toEqual(expected)
      expect([...tx.values({ reverse: true })]).toEqual(expected.toReversed())
      expect([...tx.values({ gte: key(3_000), limit: 50 })]).toEqual(expected.filter(i => i >= 3_000).slice(0, 50))
      expect(tx.count({ lt: key(3_000) })).toBe(expected.filter(i => i < 3_000).length)
      await tx.commit()
      expect([...db.values()]).toEqual(expected)
    })

    it('spans sublevels, all or nothing', async () => {
      const db = await openNew(target)
      const [one, two] = [db.sublevel('one'), db.sublevel('two', { keyEncoding: 'tuple' })]
      const tx = db.begin()
      tx.put('k', 'root')
      tx.sublevel(one).put('k', 'one')
      tx.sublevel(two).put(['k', 1], 'two')
      tx.batch([{ type: 'put', key: 'l', value: 'batch', sublevel: one }])
      expect([tx.get('k'), tx.sublevel(one).get('k'), [...tx.sublevel(two).keys()]]).toEqual([
        'root',
        'one',
        [['k', 1]]
      ])
      expect([...tx.sublevel(one).values()]).toEqual(['one', 'batch'])
      expect(db.sublevels()).toEqual([])
      await tx.commit()
      expect([db.get('k'), one.get('k'), two.get(['k', 1]), one.get('l')]).toEqual(['root', 'one', 'two', 'batch'])
      const lost = db.begin()
      lost.put('k', 'lost')
      lost.sublevel(one).put('k', 'lost')
      await one.put('k', 'won')
      await rejection('LIGHTNING_CONFLICT', lost.commit())
      expect([db.get('k'), one.get('k')]).toEqual(['root', 'won'])
    })

    it('takes encodings with each call, and refuses bad arguments without a change', async () => {
      const db = await openNew(target)
      const tx = db.begin()
      tx.put(Uint8Array.of(0x61), 'text', { keyEncoding: 'view', valueEncoding: 'utf8' })
      expect(tx.get('a', { valueEncoding: 'utf8' })).toBe('text')
      expect([...tx.keys({ keyEncoding: 'view' })]).toEqual([Uint8Array.of(0x61)])
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
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(tx, String(method), ...rest))
      }
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(tx, 'getForUpdate', 5))
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(tx, 'getForUpdate', 'a', { lockTimeoutMs: -1 }))
      expect([...tx.keys()]).toEqual(['a'])
      for (const options of [{ isolation: 'none' }, { lockTimeoutMs: 1.5 }, { retries: 1 }, 5]) {
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'begin', options))
      }
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(db, 'transaction', 5))
      await rejection(
        'LIGHTNING_INVALID_ARGUMENT',
        callUnchecked(db, 'transaction', () => 1, { retries: -1 })
      )
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'transactionSync', () => 1, { retries: 1 }))
    })

    it('is told apart from those of other databases', async () => {
      const [db, other] = [await openNew(target), await openNew(target)]
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.begin().sublevel(other.sublevel('a')))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.begin().rollbackTo(db.begin().savepoint()))
    })

    it('undoes to savepoints, nested and again', async () => {
      const db = await openNew(target)
      await db.put('z', 1)
      const tx = db.begin()
      tx.put('a', 1)
      const first = tx.savepoint()
      tx.put('b', 1)
      tx.clear({ gte: 'z' })
      const second = tx.savepoint()
      tx.del('a')
      tx.put('c', 1)
      tx.rollbackTo(second)
      expect([...tx.keys()]).toEqual(['a', 'b'])
      tx.put('d', 1)
      tx.rollbackTo(first)
      expect([...tx.keys()]).toEqual(['a', 'z'])
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => tx.rollbackTo(second))
      tx.put('e', 1)
      tx.rollbackTo(first)
      const third = tx.savepoint()
      tx.put('f', 1)
      tx.rollbackTo(third)
      expect([...tx.keys()]).toEqual(['a', 'z'])
      await tx.commit()
      expect([...db.keys()]).toEqual(['a', 'z'])
    })

    it('still counts what was read before a savepoint was returned to', async () => {
      const db = await openNew(target)
      const tx = db.begin()
      tx.put('b', 1)
      const start = tx.savepoint()
      tx.get('a')
      tx.rollbackTo(start)
      await db.put('a', 1)
      await rejection('LIGHTNING_CONFLICT', tx.commit())
    })

    it('ends once: afterwards every use is LIGHTNING_CLOSED, and rollback does nothing', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      for (const end of [
        (tx: Transaction<string, unknown>) => tx.commit(),
        (tx: Transaction<string, unknown>) => tx.rollback()
      ]) {
        const tx = db.begin()
        const iterator = tx.entries()
        const started = tx.entries()
        started.next()
        const savepoint = tx.savepoint()
        await end(tx)
        expect(tx.isOpen).toBe(false)
        expectCode('LIGHTNING_CLOSED', () => tx.get('a'))
        expectCode('LIGHTNING_CLOSED', () => tx.getMany([]))
        expectCode('LIGHTNING_CLOSED', () => tx.has('a'))
        expectCode('LIGHTNING_CLOSED', () => tx.count())
        expectCode('LIGHTNING_CLOSED', () => tx.keys())
        expectCode('LIGHTNING_CLOSED', () => iterator.next())
        expectCode('LIGHTNING_CLOSED', () => started.next())
        expectCode('LIGHTNING_CLOSED', () => tx.put('a', 1))
        expectCode('LIGHTNING_CLOSED', () => tx.del('a'))
        expectCode('LIGHTNING_CLOSED', () => tx.batch([]))
        expectCode('LIGHTNING_CLOSED', () => tx.clear())
        expectCode('LIGHTNING_CLOSED', () => tx.savepoint())
        expectCode('LIGHTNING_CLOSED', () => tx.rollbackTo(savepoint))
        expectCode('LIGHTNING_CLOSED', () => tx.sublevel(db.sublevel('a')))
        await rejection('LIGHTNING_CLOSED', tx.getForUpdate('a'))
        await rejection('LIGHTNING_CLOSED', tx.commit())
        expectCode('LIGHTNING_CLOSED', () => tx.commitSync())
        tx.rollback()
        tx.rollback()
      }
    })

    it('is rolled back by `using` and `await using` when it is still open', async () => {
      const db = await openNew(target)
      {
        using tx = db.begin()
        tx.put('a', 1)
      }
      {
        await using tx = db.begin()
        tx.put('b', 1)
      }
      {
        await using tx = db.begin()
        tx.put('c', 1)
        await tx.commit()
      }
      expect([...db.keys()]).toEqual(['c'])
    })

    it('is rolled back by close', async () => {
      const db = await openNew(target)
      const tx = db.begin()
      const blocked = db.begin()
      await tx.getForUpdate('a')
      const waiting = rejection('LIGHTNING_CLOSED', blocked.getForUpdate('a'))
      tx.put('a', 1)
      const closing = db.close()
      expectCode('LIGHTNING_CLOSED', () => tx.get('a'))
      await rejection('LIGHTNING_CLOSED', tx.commit())
      await waiting
      await closing
      expectCode('LIGHTNING_CLOSED', () => db.begin())
      await rejection(
        'LIGHTNING_CLOSED',
        db.transaction(() => 1)
      )
    })

    it.runIf(target.keeps)('is durable when its commit has resolved, and absent when it was rolled back', async () => {
      const location = await target.newLocation()
      const db = await openAt(location)
      await db.transaction(tx => tx.put('a', { deep: [1, 2, 3] }))
      db.transactionSync(tx => tx.put('b', 'x'.repeat(200_000)))
      const lost = db.begin()
      lost.put('c', 1)
      await db.close()
      const again = await openAt(location)
      expect([...again.keys()]).toEqual(['a', 'b'])
      expect(again.get('b')).toBe('x'.repeat(200_000))
    })

    it('can only read where the database was opened for reading', async () => {
      if (!target.keeps) return
      const location = await target.newLocation()
      const db = await openAt(location)
      await db.put('a', 1)
      await db.close()
      const reader = await openAt(location, { readOnly: true })
      const tx = reader.begin()
      expect(tx.get('a')).toBe(1)
      expectCode('LIGHTNING_READ_ONLY', () => tx.put('a', 2))
      expectCode('LIGHTNING_READ_ONLY', () => tx.clear())
      await tx.commit()
    })
  })
}
