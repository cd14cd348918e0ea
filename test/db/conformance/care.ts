import { describe, expect, it } from 'vitest'
import { destroy, type OpenOptions, open, pageFlags, restore } from '../../../src/index.ts'
import { rejection, type Target } from '../../support/database.ts'
import { all, openAt, openNew, openPlain } from '../../support/either.ts'

/** Looking after a database. */
export function care(target: Target): void {
  describe('care', () => {
    it('verify finds nothing wrong and counts entries of all keyspaces', async () => {
      const db = await openNew(target)
      await db.batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
      await db.sublevel('sub').put('k', 1)
      const told: number[] = []
      const report = await db.verify({ onProgress: ({ done, total }) => told.push(done / total) })
      expect(report).toMatchObject({ ok: true, problems: [] })
      expect(report.entries).toBeGreaterThanOrEqual(501)
      expect(told.length).toBeGreaterThan(0)
    })

    it('checkpoint and compact change nothing that is read', async () => {
      const db = await openNew(target)
      for (let i = 0; i < 2_000; i++) void db.put(`k${i % 700}`, 'x'.repeat(i))
      await db.flush()
      const before = await all(db.entries())
      await using snapshot = await db.snapshot()
      await db.checkpoint()
      expect(await all(db.entries())).toEqual(before)
      await db.clear({ gte: 'k3' })
      await db.compact({ onProgress: () => undefined })
      expect(await all(db.entries())).toEqual(before.filter(([key]) => key < 'k3'))
      expect(await all(snapshot.entries())).toEqual(before)
    })

    it('the map of pages shows what is used, changed, written and cached', async () => {
      const db = await openNew(target)
      await db.batch(Array.from({ length: 2_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: 'x'.repeat(50) })))
      const { pages, cache } = await db.stats()
      const count = (flags: Uint8Array, flag: number) => flags.filter(each => (each & flag) !== 0).length
      const changed = await db.pageMap()
      expect(changed.pageBytes).toBe(pages.size)
      expect(changed.sequence).toBe(await db.sequence())
      expect(count(changed.flags, pageFlags.used)).toBe(pages.used)
      expect(count(changed.flags, pageFlags.dirty)).toBe(cache.dirtyPages)
      expect(cache.dirtyPages).toBeGreaterThan(1)
      expect(Math.max(...changed.changed)).toBe(changed.sequence)

      await db.checkpoint()
      const written = await db.pageMap()
      expect(count(written.flags, pageFlags.dirty)).toBe(0)
      expect(count(written.flags, pageFlags.resident)).toBeGreaterThan(1)
      expect(written.storedBytes.filter(bytes => bytes > 0).length).toBe(pages.used)
      expect(written.storedBytes.length).toBe(written.flags.length)
    })

    it('a callback that throws ends the operation, unchanged', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const mine = new RangeError('mine')
      const onProgress = (): never => {
        throw mine
      }
      await expect(db.verify({ onProgress })).rejects.toBe(mine)
    })

    it('a signal that has fired ends everything before it begins', async () => {
      const db = await openNew(target)
      const signal = AbortSignal.abort(new Error('enough'))
      const calls = [
        db.checkpoint({ signal }),
        db.verify({ signal }),
        db.compact({ signal }),
        db.backup('/nowhere', { signal })
      ]
      for (const promise of calls) {
        const error = await rejection('LIGHTNING_ABORTED', promise)
        expect(error.cause).toBe(signal.reason)
      }
    })

    it('stats are plain numbers, nested, and a state in words', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const { health, ...numbers } = await db.stats()
      expect(JSON.parse(JSON.stringify(numbers))).toEqual(numbers)
      expect(leavesOf(numbers).filter(leaf => typeof leaf !== 'number')).toEqual([])
      expect(health).toMatchObject({ state: 'ok', code: '', message: '' })
    })

    it('listeners hear of checkpoints until they end it, and their errors go to the logger', async () => {
      const errors: unknown[][] = []
      const log = (...message: unknown[]): void => void errors.push(message)
      const logger: NonNullable<OpenOptions['logger']> = { debug() {}, info() {}, warn() {}, error: log }
      const db = await openNew(target, { logger })
      const told: string[] = []
      const off = db.on('checkpoint', () => told.push('first'))
      db.on('checkpoint', () => {
        throw new Error('mine')
      })
      db.on('checkpoint', async () => {
        throw new Error('later')
      })
      db.on('checkpoint', () => told.push('last'))
      await db.put('a', 1)
      await db.checkpoint()
      expect(told).toEqual(['first', 'last'])
      off()
      off()
      await db.put('a', 2)
      await db.checkpoint()
      expect(told).toEqual(['first', 'last', 'last'])
      expect(errors.flat().filter(part => part instanceof Error)).toHaveLength(4)
    })
  })

  describe.skipIf(!target.keeps)('opening', () => {
    it('is for one at a time', async () => {
      const location = await target.newLocation()
      const db = await openAt(target, location)
      await rejection('LIGHTNING_LOCKED', open(location))
      await rejection('LIGHTNING_LOCKED', destroy(location))
      await db.close()
      await openAt(target, location)
    })

    it('makes what is missing, unless it may not', async () => {
      const location = await target.newLocation()
      await rejection('LIGHTNING_NOT_FOUND', openPlain(target, location, { createIfMissing: false }))
      await rejection('LIGHTNING_NOT_FOUND', openPlain(target, location, { readOnly: true }))
      const db = await openPlain(target, location, { errorIfExists: true })
      await db.close()
      await rejection('LIGHTNING_EXISTS', openPlain(target, location, { errorIfExists: true }))
      await openAt(target, location, { createIfMissing: false })
    })

    it('for reading refuses writes and is for several', async () => {
      const location = await target.newLocation()
      const writer = await openPlain(target, location)
      await writer.put('a', 1)
      await writer.close()
      const [one, two] = [
        await openAt(target, location, { readOnly: true }),
        await openAt(target, location, { readOnly: true })
      ]
      expect([await one.get('a'), await two.get('a')]).toEqual([1, 1])
      await rejection('LIGHTNING_READ_ONLY', one.put('a', 2))
      await rejection('LIGHTNING_READ_ONLY', one.clear())
      await rejection('LIGHTNING_READ_ONLY', one.dropSublevel('a'))
      await rejection('LIGHTNING_LOCKED', open(location))
    })

    it('finds nothing after destroy, which may be called for nothing', async () => {
      const location = await target.newLocation()
      await destroy(location)
      const db = await openPlain(target, location)
      await db.put('a', 1)
      await db.close()
      await destroy(location)
      await rejection('LIGHTNING_NOT_FOUND', openPlain(target, location, { createIfMissing: false }))
      const anew = await openAt(target, location)
      expect(await anew.count()).toBe(0)
    })

    it('outlives a destroy whose signal fires before the first file is removed', async () => {
      const location = await target.newLocation()
      const db = await openPlain(target, location)
      await db.put('a', 1)
      await db.close()
      const abort = new AbortController()
      const destroyed = destroy(location, { signal: abort.signal })
      abort.abort(new Error('enough'))
      expect((await rejection('LIGHTNING_ABORTED', destroyed)).cause).toBe(abort.signal.reason)
      const again = await openAt(target, location, { createIfMissing: false })
      expect(await again.get('a')).toBe(1)
    })
  })

  describe.skipIf(!target.keeps)('a backup', () => {
    it('is a database of the moment, and restores to one', async () => {
      const [location, backup, restored] = [
        await target.newLocation(),
        await target.newLocation(),
        await target.newLocation()
      ]
      const db = await openAt(target, location)
      await db.batch(Array.from({ length: 1_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: 'v'.repeat(i) })))
      await db.sublevel('sub').put('k', 1)
      const copying = db.backup(backup)
      await db.put('later', 1)
      await copying
      await db.put('later still', 1)
      await restore(backup, restored)
      const copy = await openAt(target, restored)
      expect([await copy.count({ prefix: 'k' }), await copy.has('later still')]).toEqual([1_000, false])
      expect([await copy.get('k999'), await copy.sublevel('sub').get('k')]).toEqual(['v'.repeat(999), 1])
      await copy.put('own', 1)
      expect(await db.has('own')).toBe(false)
    })

    it('restores only where there is no database, from where there is a backup', async () => {
      const [location, backup, nowhere] = [
        await target.newLocation(),
        await target.newLocation(),
        await target.newLocation()
      ]
      const db = await openAt(target, location)
      await db.put('a', 1)
      await db.backup(backup)
      await rejection('LIGHTNING_EXISTS', db.backup(location))
      await rejection('LIGHTNING_EXISTS', restore(backup, location))
      await db.close()
      await rejection('LIGHTNING_EXISTS', restore(backup, location))
      await rejection('LIGHTNING_NOT_FOUND', restore(nowhere, await target.newLocation()))
      await rejection('LIGHTNING_ABORTED', restore(backup, nowhere, { signal: AbortSignal.abort() }))
      const kept = await openAt(target, location)
      expect(await kept.get('a')).toBe(1)
    })
  })
}

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value]
}
