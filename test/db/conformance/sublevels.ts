import { describe, expect, it } from 'vitest'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { all, openAt, openNew, refusal } from '../../support/either.ts'

/** Sublevels. */
export function sublevels(target: Target): void {
  describe('a sublevel', () => {
    it('is a keyspace of its own', async () => {
      const db = await openNew(target)
      const [one, two] = [db.sublevel('one'), db.sublevel('two')]
      await db.put('k', 'root')
      await one.put('k', 1)
      await two.put('k', 2)
      expect([await db.get('k'), await one.get('k'), await two.get('k')]).toEqual(['root', 1, 2])
      expect([await db.count(), await one.count(), await two.count()]).toEqual([1, 1, 1])
      expect(await all(db.entries())).toEqual([['k', 'root']])
      await db.clear()
      expect([await db.count(), await one.get('k')]).toEqual([0, 1])
      await one.clear()
      expect([await one.count(), await two.get('k')]).toEqual([0, 2])
    })

    it("has the database's encodings unless it names others, whatever is above it", async () => {
      const db = await openNew(target, { keyEncoding: 'tuple', valueEncoding: 'utf8' })
      const same = db.sublevel('same')
      await same.put(['a', 1], 'x')
      expect(await all(same.entries())).toEqual([[['a', 1], 'x']])
      const other = db.sublevel('other', { keyEncoding: 'view', valueEncoding: 'json' })
      await other.put(Uint8Array.of(1), [1])
      const nested = other.sublevel('nested')
      await nested.put(['k', 1], 'x')
      expect(await all(nested.entries())).toEqual([[['k', 1], 'x']])
      const deep = nested.sublevel('deep', { valueEncoding: 'json' })
      await deep.put(['k'], { n: 1 })
      expect(await all(deep.entries())).toEqual([[['k'], { n: 1 }]])
      expect(await all(other.entries())).toEqual([[Uint8Array.of(1), [1]]])
    })

    it('knows its names', async () => {
      const db = await openNew(target)
      const nested = db.sublevel('outer').sublevel('inner')
      expect([db.path, nested.path, nested.name]).toEqual([[], ['outer', 'inner'], 'inner'])
    })

    it('exists from its first write, and is listed by its name directly below', async () => {
      const db = await openNew(target)
      const outer = db.sublevel('outer')
      expect([await outer.count(), await outer.get('k'), await outer.has('k'), await all(outer.keys())]).toEqual([
        0,
        undefined,
        false,
        []
      ])
      await outer.clear()
      expect(await db.sublevels()).toEqual([])
      await outer.sublevel('inner').put('k', 1)
      await db.sublevel('b').put('k', 1)
      await db.sublevel('ä').put('k', 1)
      expect(await db.sublevels()).toEqual(['b', 'outer', 'ä'])
      expect(await outer.sublevels()).toEqual(['inner'])
      expect(await outer.sublevel('inner').sublevels()).toEqual([])
    })

    it.each(['a', 'a\0b', '\0', '\u0001', '!', 'Größe', '💡', 'x'.repeat(200)])('may be called %j', async name => {
      const db = await openNew(target)
      await db.sublevel(name).put('k', name)
      await db.sublevel(`${name}2`).put('k', 'other')
      expect(await db.sublevels()).toEqual([name, `${name}2`])
      expect(await db.sublevel(name).get('k')).toBe(name)
    })

    it('cannot be called nothing, or what is no text', async () => {
      const db = await openNew(target)
      for (const name of ['', '\ud800', undefined, null, 5, ['a'], 'x'.repeat(2_000)]) {
        await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'sublevel', name))
      }
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'sublevel', 'a', { keyencoding: 'view' }))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => callUnchecked(db, 'sublevel', 'a', { keyEncoding: 'nope' }))
    })

    it('takes part in batches of the database, atomically', async () => {
      const db = await openNew(target)
      const [one, two] = [db.sublevel('one'), db.sublevel('two', { valueEncoding: 'utf8' })]
      const before = await db.sequence()
      await db.batch([
        { type: 'put', key: 'k', value: 0 },
        { type: 'put', key: 'k', value: 1, sublevel: one },
        { type: 'put', key: 'k', value: 'two', sublevel: two },
        { type: 'put', key: 'l', value: 1, sublevel: one },
        { type: 'del', key: 'l', sublevel: one }
      ])
      expect([await db.get('k'), await one.get('k'), await two.get('k'), await one.has('l')]).toEqual([
        0,
        1,
        'two',
        false
      ])
      expect(await db.sequence()).toBe(before + 1)
      await one.batch([
        { type: 'put', key: 'm', value: 1 },
        { type: 'put', key: 'm', value: 'two', sublevel: two },
        { type: 'put', key: 'm', value: 0, sublevel: db }
      ])
      expect([await db.get('m'), await one.get('m'), await two.get('m')]).toEqual([0, 1, 'two'])
    })

    it('of another database is refused', async () => {
      const [db, other] = [await openNew(target), await openNew(target)]
      const foreign = other.sublevel('sub')
      await rejection('LIGHTNING_INVALID_ARGUMENT', db.batch([{ type: 'put', key: 'k', value: 1, sublevel: foreign }]))
      expect(await db.count()).toBe(0)
    })

    it('is dropped with those inside it, as one commit', async () => {
      const db = await openNew(target)
      const outer = db.sublevel('outer')
      const inner = outer.sublevel('inner')
      await db.put('k', 0)
      await outer.put('k', 1)
      await inner.put('k', 2)
      await db.sublevel('outer2').put('k', 3)
      const before = await db.sequence()
      expect(await db.dropSublevel('outer')).toBeUndefined()
      expect(await db.sequence()).toBe(before + 1)
      expect([await outer.count(), await inner.get('k'), await db.sublevels(), await db.get('k')]).toEqual([
        0,
        undefined,
        ['outer2'],
        0
      ])
      await inner.put('again', 1)
      expect([await db.sublevels(), await all(inner.keys()), await outer.count()]).toEqual([
        ['outer', 'outer2'],
        ['again'],
        0
      ])
      if (target.isRemote === true) await outer.dropSublevel('inner')
      else outer.dropSublevelSync('inner')
      expect(await outer.sublevels()).toEqual([])
      await db.dropSublevel('missing')
      for (const wrong of ['', undefined, 5, outer]) {
        await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(db, 'dropSublevel', wrong))
      }
    })

    it.skipIf(!target.keeps)('is there after reopening, and what was dropped is not', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await db.sublevel('kept').sublevel('deep').put('k', 1)
      await db.sublevel('dropped').put('k', 1)
      await db.dropSublevel('dropped')
      await db.close()
      const again = await openAt(target, location)
      expect(await again.sublevels()).toEqual(['kept'])
      expect(await again.sublevel('kept').sublevel('deep').get('k')).toBe(1)
    })
  })
}
