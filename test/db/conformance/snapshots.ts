import { describe, expect, it } from 'vitest'
import { callUnchecked, type Target } from '../../support/database.ts'
import { all, type AnySnapshot, end, openNew, refusal, within } from '../../support/either.ts'

/** Snapshots. */
export function snapshots(target: Target): void {
  describe('a snapshot', () => {
    it('keeps the state of its moment for every kind of read', async () => {
      const db = await openNew(target)
      await db.batch([
        { type: 'put', key: 'a', value: 1 },
        { type: 'put', key: 'b', value: 2 }
      ])
      await using snapshot = await db.snapshot()
      const { sequence } = snapshot
      await db.put('a', 10)
      await db.del('b')
      await db.put('c', 3)
      expect([await snapshot.get('a'), await snapshot.getMany(['a', 'b', 'c'])]).toEqual([1, [1, 2, undefined]])
      expect([await snapshot.has('b'), await snapshot.has('c'), await snapshot.count()]).toEqual([true, false, 2])
      expect(await all(snapshot.entries())).toEqual([
        ['a', 1],
        ['b', 2]
      ])
      expect(await all(snapshot.keys({ reverse: true }))).toEqual(['b', 'a'])
      expect(await all(snapshot.values({ gt: 'a' }))).toEqual([2])
      expect(await snapshot.read('a', bytes => bytes[0])).toBe(1)
      expect(await snapshot.get(Uint8Array.of(0x61), { keyEncoding: 'view', valueEncoding: 'view' })).toEqual(
        Uint8Array.of(1)
      )
      expect([snapshot.sequence, await db.sequence()]).toEqual([sequence, sequence + 3])
      expect(await all(db.keys())).toEqual(['a', 'c'])
    })

    it('is an option of every read', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const snapshot = await db.snapshot()
      await db.clear()
      expect([await db.get('a', { snapshot }), await db.getMany(['a'], { snapshot })]).toEqual([1, [1]])
      expect([await db.has('a', { snapshot }), await db.count({ snapshot })]).toEqual([true, 1])
      expect(await all(db.entries({ snapshot }))).toEqual([['a', 1]])
      expect(await all(db.keys({ snapshot }))).toEqual(['a'])
      expect(await all(db.values({ snapshot }))).toEqual([1])
      expect(await db.read('a', bytes => bytes.length, { snapshot })).toBe(1)
      expect(await db.get('a')).toBeUndefined()
      await snapshot.close()
    })

    it('covers sublevels, dropped ones too', async () => {
      const db = await openNew(target)
      const sub = db.sublevel('sub', { keyEncoding: 'tuple' })
      await sub.put(['k', 1], 'old')
      await using snapshot = await db.snapshot()
      await sub.put(['k', 1], 'new')
      expect(await within(snapshot, sub).get(['k', 1])).toBe('old')
      await db.dropSublevel('sub')
      expect(await within(snapshot, sub).get(['k', 1])).toBe('old')
      expect(await all(within(snapshot, sub).keys())).toEqual([['k', 1]])
      expect(await sub.get(['k', 1], { snapshot })).toBe('old')
      expect(await db.sublevels({ snapshot })).toEqual(['sub'])
      expect(await db.sublevels()).toEqual([])
      expect(await within(snapshot, db.sublevel('other')).count()).toBe(0)
    })

    it('is closed by close, as often as one likes, and by `using`; then every use is LIGHTNING_CLOSED', async () => {
      const db = await openNew(target)
      await db.batch(['a', 'b'].map(key => ({ type: 'put', key, value: 1 })))
      const sub = db.sublevel('sub')
      const snapshot = await db.snapshot()
      const below = within(snapshot, sub)
      const iterators = [snapshot.keys(), snapshot.keys(), db.entries({ snapshot }), snapshot.keys({ limit: 0 })]
      await iterators[0]?.next()
      await snapshot.close()
      await snapshot.close()
      await end(snapshot)
      await refusal('LIGHTNING_CLOSED', () => snapshot.get('a'))
      await refusal('LIGHTNING_CLOSED', () => snapshot.getMany(['a']))
      await refusal('LIGHTNING_CLOSED', () => snapshot.getMany([]))
      await refusal('LIGHTNING_CLOSED', () => db.getMany([], { snapshot }))
      await refusal('LIGHTNING_CLOSED', () => snapshot.count({ limit: 0 }))
      await refusal('LIGHTNING_CLOSED', () => snapshot.has('a'))
      await refusal('LIGHTNING_CLOSED', () => snapshot.count())
      await refusal('LIGHTNING_CLOSED', () => all(snapshot.keys()))
      for (const iterator of iterators) await refusal('LIGHTNING_CLOSED', () => iterator.next())
      await refusal('LIGHTNING_CLOSED', () => below.get('a'))
      await refusal('LIGHTNING_CLOSED', () => db.get('a', { snapshot }))
      await refusal('LIGHTNING_CLOSED', () => db.sublevels({ snapshot }))
      expect(await db.get('a')).toBe(1)
    })

    it('is refused by another database, and so is what is none', async () => {
      const [db, other] = [await openNew(target), await openNew(target)]
      await using foreign = await other.snapshot()
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.get('a', { snapshot: foreign }))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => all(db.keys({ snapshot: foreign })))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.sublevels({ snapshot: foreign }))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => within(foreign, db.sublevel('sub')))
      for (const snapshot of [null, {}, 5, { sequence: 1, close() {} }]) {
        await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'get', 'a', { snapshot }))
      }
    })

    it('takes no other snapshot', async () => {
      const db = await openNew(target)
      await using snapshot = await db.snapshot()
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => snapshot.get('a', { snapshot }))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => snapshot.keys({ snapshot }))
    })

    it('stands beside others of other states', async () => {
      const db = await openNew(target)
      const states: [number, AnySnapshot<string, unknown>][] = []
      for (let i = 0; i < 20; i++) {
        await db.put('n', i)
        states.push([i, await db.snapshot()])
      }
      for (const [i, snapshot] of states.reverse()) {
        expect(await snapshot.get('n')).toBe(i)
        await snapshot.close()
      }
    })
  })
}
