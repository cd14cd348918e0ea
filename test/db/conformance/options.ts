import { afterEach, describe, expect, it, vi } from 'vitest'
import type { OpenOptions } from '../../../src/index.ts'
import { rejection, type Target } from '../../support/database.ts'
import { all, openAt, openNew, refusal } from '../../support/either.ts'

const mib = 2 ** 20

const settings: OpenOptions[] = [
  { pageSize: 4_096, cacheBytes: 4 * mib, walBytes: mib },
  { pageSize: 65_536, compression: 'none', cacheBytes: 8 * mib },
  { verifyWrites: true, durability: 'relaxed' },
  { wasm: 'off', pageSize: 8_192, valueCache: 50 }
]

/** What the options of `open` do. */
export function options(target: Target): void {
  describe('options', () => {
    it.each(settings)('%j change nothing that is read', async given => {
      const location = await target.newLocation()
      const db = await openAt(target, location, given)
      const value = (i: number): string => `${i} `.repeat((i * 37) % 300)
      for (let i = 0; i < 4_000; i++) void db.put(`k${(i * 7_919) % 3_000}`, value(i))
      await db.clear({ gte: 'k1', lt: 'k2' })
      await db.checkpoint()
      const expected = new Map<string, string>()
      for (let i = 0; i < 4_000; i++) expected.set(`k${(i * 7_919) % 3_000}`, value(i))
      const sorted = [...expected].filter(([key]) => !key.startsWith('k1')).sort(([a], [b]) => (a < b ? -1 : 1))
      expect(await all(db.entries())).toEqual(sorted)
      expect(await db.getMany(sorted.map(([key]) => key))).toEqual(sorted.map(([, text]) => text))
      if (!target.keeps) return
      await db.close()
      const again = await openAt(target, location)
      expect(await all(again.entries())).toEqual(sorted)
    })

    it('pageSize is that of creation', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location, { pageSize: 8_192 })
      expect((await db.stats()).pages.size).toBe(8_192)
      if (!target.keeps) return
      await db.close()
      const again = await openAt(target, location, { pageSize: 4_096 })
      expect((await again.stats()).pages.size).toBe(8_192)
    })

    it('cacheBytes bounds the page frames', async () => {
      const db = await openNew(target, { cacheBytes: 4 * mib, durability: 'relaxed', valueEncoding: 'view' })
      const value = Uint8Array.from({ length: 2_000 }, (_, i) => (i * i * 31) % 251)
      for (let i = 0; i < 6_000; i++) void db.put(`k${i}`, value)
      await db.flush()
      expect((await db.stats()).cache.bytes).toBeLessThanOrEqual(4 * mib)
      expect(await db.count()).toBe(6_000)
      expect(await db.get('k4321')).toEqual(value)
    })

    it('maxBytes refuses what goes beyond it, and deleting makes room', async () => {
      const db = await openNew(target, { maxBytes: 4 * mib, compression: 'none', valueEncoding: 'view' })
      const value = new Uint8Array(20_000).fill(1)
      let written = 0
      const fill = async (): Promise<void> => {
        for (; written < 1_000; written++) await db.put(`k${written}`, value)
      }
      await rejection('LIGHTNING_DISK_FULL', fill())
      expect(await db.count()).toBe(written)
      expect(written).toBeGreaterThan(50)
      await db.clear({ gte: 'k1' })
      await db.checkpoint()
      await db.put('again', value)
      expect(await db.get('again')).toEqual(value)
    })

    it('maxBytes below what the database takes leaves every way to delete', async () => {
      if (!target.keeps) return
      const location = await target.newLocation()
      const first = await openAt(target, location, { compression: 'none' })
      for (let i = 0; i < 3_000; i++) void first.put(`k${i}`, 'x'.repeat(1_000))
      await first.sublevel('sub').put('key', 'x'.repeat(100_000))
      await first.close()
      const db = await openAt(target, location, { maxBytes: mib })
      await rejection('LIGHTNING_DISK_FULL', db.put('new', 1))
      await rejection(
        'LIGHTNING_DISK_FULL',
        db.batch([
          { type: 'del', key: 'k1' },
          { type: 'put', key: 'k2', value: 2 }
        ])
      )
      await db.del('k1')
      await db.batch(Array.from({ length: 300 }, (_, i) => ({ type: 'del', key: `k${i * 7}` })))
      await db.transaction(async tx => {
        await tx.del('k2')
        await tx.clear({ gte: 'k3', lt: 'k4' })
      })
      await db.dropSublevel('sub')
      await db.clear({ gte: 'k100' })
      expect(await all(db.keys())).toEqual(['k10'])
      await db.compact()
      expect((await db.stats()).file.bytes).toBeLessThan(mib)
      await db.put('new', 1)
      expect(await all(db.keys())).toEqual(['k10', 'new'])
    })

    it('maxBytes that has room for nothing refuses every put', async () => {
      const db = await openAt(target, await target.newLocation(), { maxBytes: mib / 2 })
      await rejection('LIGHTNING_DISK_FULL', db.put('key', 1))
      await db.del('key')
      await db.clear()
      expect(await all(db.keys())).toEqual([])
    })
  })

  // The clock of another thread cannot be set.
  describe.runIf(target.isRemote !== true)('maxSnapshotAgeMs', () => {
    afterEach(() => {
      vi.useRealTimers()
    })

    it('ends snapshots that have been open longer, and iterators on them', async () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const db = await openNew(target, { maxSnapshotAgeMs: 1_000 })
      await db.batch(Array.from({ length: 2_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
      const [snapshot, other] = [await db.snapshot(), await db.snapshot()]
      const [atSnapshot, atItsStart] = [other.keys(), db.keys()]
      expect((await atItsStart.next()).value).toBe('k0')
      vi.advanceTimersByTime(900)
      expect(await snapshot.get('k1')).toBe(1)
      vi.advanceTimersByTime(200)
      await refusal('LIGHTNING_TIMEOUT', () => snapshot.get('k1'))
      await refusal('LIGHTNING_TIMEOUT', () => atSnapshot.next())
      await refusal('LIGHTNING_TIMEOUT', () => all(atItsStart))
      expect(await db.get('k1')).toBe(1)
    })

    it('ends snapshots that nobody uses any more as well, so that they hold nothing back', async () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const db = await openNew(target, { maxSnapshotAgeMs: 1_000 })
      await db.put('k', 1)
      const forgotten = await db.snapshot()
      await db.put('k', 2)
      expect((await db.stats()).snapshots.open).toBe(1)
      vi.advanceTimersByTime(1_100)
      await db.put('k', 3)
      expect((await db.stats()).snapshots.open).toBe(0)
      await refusal('LIGHTNING_TIMEOUT', () => forgotten.get('k'))
    })
  })
}
