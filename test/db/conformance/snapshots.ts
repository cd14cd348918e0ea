import { describe, expect, it } from 'vitest'
import { expectCode } from '../../encoding/support.ts'
import { callUnchecked, openNew, type Target } from '../../support/database.ts'

/** Snapshots. */
export function snapshots(target: Target): void {
  describe('a snapshot', () => {
    it('keeps the state of its moment for every kind of read', async () => {
      const db = await openNew(target)
      await db.batch([
        { type: 'put', key: 'a', value: 1 },
        { type: 'put', key: 'b', value: 2 }
      ])
      using snapshot = db.snapshot()
      const { sequence } = snapshot
      await db.put('a', 10)
      await db.del('b')
      await db.put('c', 3)
      expect([snapshot.get('a'), snapshot.getMany(['a', 'b', 'c'])]).toEqual([1, [1, 2, undefined]])
      expect([snapshot.has('b'), snapshot.has('c'), snapshot.count()]).toEqual([true, false, 2])
      expect([...snapshot.entries()]).toEqual([
        ['a', 1],
        ['b', 2]
      ])
      expect([...snapshot.keys({ reverse: true })]).toEqual(['b', 'a'])
      expect([...snapshot.values({ gt: 'a' })]).toEqual([2])
      expect(snapshot.read('a', bytes => bytes[0])).toBe(1)
      expect(snapshot.get(Uint8Array.of(0x61), { keyEncoding: 'view', valueEncoding: 'view' })).toEqual(
        Uint8Array.of(1)
      )
      expect([snapshot.sequence, db.sequence()]).toEqual([sequence, sequence + 3])
      expect([...db.keys()]).toEqual(['a', 'c'])
    })

    it('is an option of every read', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const snapshot = db.snapshot()
      await db.clear()
      expect([db.get('a', { snapshot }), db.getMany(['a'], { snapshot })]).toEqual([1, [1]])
      expect([db.has('a', { snapshot }), db.count({ snapshot })]).toEqual([true, 1])
      expect([...db.entries({ snapshot })]).toEqual([['a', 1]])
      expect([...db.keys({ snapshot })]).toEqual(['a'])
      expect([...db.values({ snapshot })]).toEqual([1])
      expect(db.read('a', bytes => bytes.length, { snapshot })).toBe(1)
      expect(db.get('a')).toBeUndefined()
      snapshot.close()
    })

    it('covers sublevels, dropped ones too', async () => {
      const db = await openNew(target)
      const sub = db.sublevel('sub', { keyEncoding: 'tuple' })
      await sub.put(['k', 1], 'old')
      using snapshot = db.snapshot()
      await sub.put(['k', 1], 'new')
      expect(snapshot.sublevel(sub).get(['k', 1])).toBe('old')
      await db.dropSublevel('sub')
      expect(snapshot.sublevel(sub).get(['k', 1])).toBe('old')
      expect([...snapshot.sublevel(sub).keys()]).toEqual([['k', 1]])
      expect(sub.get(['k', 1], { snapshot })).toBe('old')
      expect(db.sublevels({ snapshot })).toEqual(['sub'])
      expect(db.sublevels()).toEqual([])
      expect(snapshot.sublevel(db.sublevel('other')).count()).toBe(0)
    })

    it('is closed by close, as often as one likes, and by `using`; then every use is LIGHTNING_CLOSED', async () => {
      const db = await openNew(target)
      await db.batch(['a', 'b'].map(key => ({ type: 'put', key, value: 1 })))
      const sub = db.sublevel('sub')
      const snapshot = db.snapshot()
      const below = snapshot.sublevel(sub)
      const iterators = [snapshot.keys(), snapshot.keys(), db.entries({ snapshot })]
      iterators[0]?.next()
      snapshot.close()
      snapshot.close()
      snapshot[Symbol.dispose]()
      expectCode('LIGHTNING_CLOSED', () => snapshot.get('a'))
      expectCode('LIGHTNING_CLOSED', () => snapshot.getMany(['a']))
      expectCode('LIGHTNING_CLOSED', () => snapshot.has('a'))
      expectCode('LIGHTNING_CLOSED', () => snapshot.count())
      expectCode('LIGHTNING_CLOSED', () => [...snapshot.keys()])
      for (const iterator of iterators) expectCode('LIGHTNING_CLOSED', () => iterator.next())
      expectCode('LIGHTNING_CLOSED', () => below.get('a'))
      expectCode('LIGHTNING_CLOSED', () => db.get('a', { snapshot }))
      expectCode('LIGHTNING_CLOSED', () => db.sublevels({ snapshot }))
      expect(db.get('a')).toBe(1)
    })

    it('is refused by another database, and so is what is none', async () => {
      const [db, other] = [await openNew(target), await openNew(target)]
      using foreign = other.snapshot()
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.get('a', { snapshot: foreign }))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => [...db.keys({ snapshot: foreign })])
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.sublevels({ snapshot: foreign }))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => foreign.sublevel(db.sublevel('sub')))
      for (const snapshot of [null, {}, 5, { sequence: 1, close() {} }]) {
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'get', 'a', { snapshot }))
      }
    })

    it('takes no other snapshot', async () => {
      const db = await openNew(target)
      using snapshot = db.snapshot()
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => snapshot.get('a', { snapshot }))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => snapshot.keys({ snapshot }))
    })

    it('stands beside others of other states', async () => {
      const db = await openNew(target)
      const states: [number, ReturnType<typeof db.snapshot>][] = []
      for (let i = 0; i < 20; i++) {
        await db.put('n', i)
        states.push([i, db.snapshot()])
      }
      for (const [i, snapshot] of states.reverse()) {
        expect(snapshot.get('n')).toBe(i)
        snapshot.close()
      }
    })
  })
}
