import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../support/bytes.ts'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { all, openAt, openNew, refusal } from '../../support/either.ts'

/** Writes of one keyspace. */
export function writes(target: Target): void {
  describe('a write', () => {
    it('is visible as soon as the call returns, and resolves to undefined', async () => {
      const db = await openNew(target)
      const writing = [
        db.put('a', 1),
        db.batch([{ type: 'put', key: 'b', value: 2 }]),
        db.del('missing'),
        db.clear({ gt: 'x' }),
        db.batch([])
      ]
      expect(await all(db.entries())).toEqual([
        ['a', 1],
        ['b', 2]
      ])
      for (const result of await Promise.all(writing)) expect(result).toBeUndefined()
      expect(await db.flush()).toBeUndefined()
    })

    it.runIf(target.isRemote !== true)('has a form that is done when it returns', async () => {
      const db = await openNew(target)
      db.putSync('a', 1)
      db.putSync('b', 2)
      db.batchSync([
        { type: 'put', key: 'c', value: 3 },
        { type: 'del', key: 'a' }
      ])
      db.delSync('b')
      db.flushSync()
      expect(await all(db.entries())).toEqual([['c', 3]])
      db.clearSync()
      expect(await db.count()).toBe(0)
    })

    it('copies its arguments at the call', async () => {
      const db = await openNew(target, { keyEncoding: 'view', valueEncoding: 'view' })
      for (const length of [3, 3_000, 300_000]) {
        const [key, value] = [Uint8Array.of(1, length & 0xff), new Uint8Array(length).fill(5)]
        const writing = db.put(key, value)
        key.fill(9)
        value.fill(9)
        await writing
        expect((await db.get(Uint8Array.of(1, length & 0xff)))?.every(byte => byte === 5)).toBe(true)
      }
      expect(await db.count()).toBe(3)
    })

    it.each(['strict', 'relaxed'] as const)(
      'lets other work run while a program awaits one after the other (%s)',
      async durability => {
        const db = await openNew(target, { durability, syncIntervalMs: 3_600_000 })
        const kinds = [
          () => db.put('a', 'x'.repeat(200)),
          () => db.del('a'),
          () => db.batch([{ type: 'put', key: 'b', value: 'y'.repeat(200) }]),
          () => db.transaction(tx => tx.put('c', 1))
        ]
        for (const write of kinds) {
          let writes = 0
          let hasFired = false
          setTimeout(() => {
            hasFired = true
          })
          while (!hasFired && writes++ < 100_000) await write()
          expect(hasFired).toBe(true)
        }
      }
    )

    it('takes encodings for one call', async () => {
      const db = await openNew(target)
      await db.put(Uint8Array.of(0x61), 'x', { keyEncoding: 'view', valueEncoding: 'utf8' })
      expect(await db.get('a', { valueEncoding: 'utf8' })).toBe('x')
      await db.del(Uint8Array.of(0x61), { keyEncoding: 'view' })
      expect(await db.has('a')).toBe(false)
    })

    it.skipIf(!target.keeps)('is there after reopening', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await db.put('a', 1)
      void db.put('b', { deep: [1n, new Date(5)] })
      void db.put('c', 'x'.repeat(100_000))
      await db.close()
      const again = await openAt(target, location)
      expect(await all(again.entries())).toEqual([
        ['a', 1],
        ['b', { deep: [1n, new Date(5)] }],
        ['c', 'x'.repeat(100_000)]
      ])
      expect(await again.sequence()).toBe(3)
    })

    it('works with relaxed durability too', async () => {
      const db = await openNew(target, { durability: 'relaxed', syncIntervalMs: 1 })
      await db.put('a', 1)
      void db.put('b', 2)
      await db.flush()
      expect(await all(db.values())).toEqual([1, 2])
    })
  })

  describe('limits', () => {
    it('are 1 to 1,024 bytes for keys; outside nothing is written', async () => {
      const db = await openNew(target)
      await db.put('k', 0)
      await db.put('x'.repeat(1_024), 1)
      expect(await db.get('x'.repeat(1_024))).toBe(1)
      const before = await db.sequence()
      await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('', 1))
      await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('x'.repeat(1_025), 1))
      await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('é'.repeat(513), 1))
      if (target.isRemote !== true) await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.putSync('', 1))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.get(''))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.has('x'.repeat(1_025)))
      expect(await db.sequence()).toBe(before)
    })

    it('let every byte string be a key or a value', async () => {
      const db = await openNew(target, { keyEncoding: 'view', valueEncoding: 'view' })
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      for (const byte of bytes) void db.put(Uint8Array.of(byte), bytes.subarray(0, byte))
      await db.flush()
      expect(await db.count()).toBe(256)
      for (const byte of bytes) expect(await db.get(Uint8Array.of(byte))).toEqual(bytes.slice(0, byte))
    })

    it('let values be as large as 20 MB', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      const value = new Uint8Array(20_000_000)
      for (let i = 0; i < value.length; i += 997) value[i] = i % 251
      await db.put('large', value)
      expect(equalBytes(await db.get('large'), value)).toBe(true)
      await db.put('large', Uint8Array.of(1))
      expect(await db.get('large')).toEqual(Uint8Array.of(1))
    })
  })

  describe('a batch', () => {
    it('applies its operations in their order', async () => {
      const db = await openNew(target)
      await db.batch([
        { type: 'put', key: 'a', value: 1 },
        { type: 'del', key: 'a' },
        { type: 'put', key: 'b', value: 1 },
        { type: 'put', key: 'b', value: 2 }
      ])
      expect(await all(db.entries())).toEqual([['b', 2]])
    })

    it('applies nothing when one operation is refused', async () => {
      const db = await openNew(target)
      const refused: unknown[] = [
        { type: 'put', key: '', value: 1 },
        { type: 'put', key: 'b', value: undefined },
        { type: 'put', key: 5, value: 1 },
        { type: 'del' },
        { type: 'delete', key: 'a' },
        { key: 'a', value: 1 },
        { type: 'put', key: 'b', valeu: 1 },
        { type: 'put', key: 'b', value: 1, sublevel: 'name' },
        { type: 'put', key: 'b', value: 1, keyEncoding: 'nope' },
        { type: 'put', key: 'b', value: 1, keyEncoding: null },
        null,
        undefined,
        'put',
        []
      ]
      for (const operation of refused) {
        const operations = [{ type: 'put', key: 'a', value: 1 }, operation]
        await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(db, 'batch', operations))
      }
      expect([await db.count(), await db.sequence()]).toEqual([0, 0])
    })

    it("takes encodings, an operation's own first", async () => {
      const db = await openNew(target)
      await db.batch(
        [
          { type: 'put', key: Uint8Array.of(1), value: 'x' },
          { type: 'put', key: 'k', value: Uint8Array.of(0x79), keyEncoding: 'utf8', valueEncoding: 'view' }
        ],
        { keyEncoding: 'view', valueEncoding: 'utf8' }
      )
      expect(await all(db.entries({ valueEncoding: 'utf8' }))).toEqual([
        ['\u0001', 'x'],
        ['k', 'y']
      ])
    })

    it('may be large', async () => {
      const db = await openNew(target)
      const value = 'v'.repeat(50)
      await db.batch(Array.from({ length: 20_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value })))
      expect(await db.count()).toBe(20_000)
    })
  })

  describe('clear', () => {
    it('is one commit', async () => {
      const db = await openNew(target)
      await db.batch(['a', 'b', 'c', 'd'].map(key => ({ type: 'put', key, value: 0 })))
      const before = await db.sequence()
      await db.clear({ gte: 'b', reverse: true, limit: 2 })
      expect(await all(db.keys())).toEqual(['a', 'b'])
      expect(await db.sequence()).toBe(before + 1)
    })

    it('refuses a misspelt bound and then clears nothing', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      for (const range of [{ gtt: 'x' }, { start: 'x' }, { snapshot: await db.snapshot() }, 'a', null, []]) {
        await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked(db, 'clear', range))
      }
      expect(await db.count()).toBe(1)
    })
  })
}
