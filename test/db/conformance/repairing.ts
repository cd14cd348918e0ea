import { describe, expect, it } from 'vitest'
import { destroy, isLightningError, repair } from '../../../src/index.ts'
import { equalBytes } from '../../support/bytes.ts'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { openAt, openPlain } from '../../support/either.ts'

/** Repair, where what is closed can be opened again. */
export function repairing(target: Target): void {
  const { files } = target
  if (files === undefined) return
  describe('repair', () => {
    const filled = async (): Promise<string> => {
      const location = await target.newLocation()
      const db = await openPlain(target, location)
      await db.batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: `k${i}`, value: { i } })))
      await db.sublevel('sub').put('k', 'v')
      await db.close()
      return location
    }

    it('of a sound database recovers everything and loses nothing', async () => {
      const location = await filled()
      expect(await repair(location)).toEqual({ recovered: 501, lost: [] })
      const db = await openAt(target, location)
      expect([await db.count(), await db.get('k77'), await db.sublevel('sub').get('k')]).toEqual([500, { i: 77 }, 'v'])
      await db.put('later', 1)
    })

    it('tells how far it is, up to the end', async () => {
      const location = await filled()
      const told: { readonly done: number; readonly total: number }[] = []
      await repair(location, { onProgress: progress => told.push(progress) })
      const last = told.at(-1)
      expect(last?.done).toBe(last?.total)
      expect(told.every(({ done, total }, i) => done <= total && done >= (told[i - 1]?.done ?? 0))).toBe(true)
    })

    it('keeps the damaged files, which destroy removes', async () => {
      const location = await filled()
      const before = await files.read(location, 'data.ldb')
      await repair(location)
      await repair(location)
      expect(equalBytes(await files.read(location, 'data.ldb.damaged-1'), before)).toBe(true)
      expect(await files.list(location)).toContain('data.ldb.damaged-2')
      await destroy(location)
      await rejection('LIGHTNING_NOT_FOUND', openPlain(target, location, { createIfMissing: false }))
      expect(await files.list(location)).toEqual([])
    })

    it('says where what is lost stood', async () => {
      const location = await filled()
      const bytes = await files.read(location, 'data.ldb')
      await files.write(location, 'data.ldb', bytes.fill(0, 8_192))
      const refused = await openPlain(target, location).catch(error => error)
      expect(isLightningError(refused, 'LIGHTNING_CORRUPT')).toBe(true)
      const { recovered, lost } = await repair(location)
      expect(recovered).toBe(0)
      expect(lost.map(({ file, message }) => [file, /[.]$/.test(message)])).toContainEqual(['data.ldb', true])
      const db = await openAt(target, location)
      await db.put('a', 1)
    })

    it('does not mind what stands in LOCK files whose holder is gone', async () => {
      const location = await filled()
      await files.write(location, 'LOCK.999', 'junk \0 {')
      expect(await repair(location)).toEqual({ recovered: 501, lost: [] })
    })

    it('is refused while the database is open, and where there is none', async () => {
      const location = await filled()
      const db = await openAt(target, location)
      await rejection('LIGHTNING_LOCKED', repair(location))
      expect(await db.get('k1')).toEqual({ i: 1 })
      await rejection('LIGHTNING_NOT_FOUND', repair(await target.newLocation()))
    })

    it('can be aborted, before it begins and on the way, and has then changed nothing', async () => {
      const location = await filled()
      const names = await files.list(location)
      await rejection('LIGHTNING_ABORTED', repair(location, { signal: AbortSignal.abort() }))
      const controller = new AbortController()
      const onProgress = () => controller.abort()
      await rejection('LIGHTNING_ABORTED', repair(location, { signal: controller.signal, onProgress }))
      const data = (list: readonly string[]) => list.filter(name => !name.startsWith('LOCK'))
      expect(data(await files.list(location))).toEqual(data(names))
      const db = await openAt(target, location)
      expect(await db.count()).toBe(500)
    })

    it('ends with what its callback throws', async () => {
      const location = await filled()
      const mine = new Error('mine')
      const onProgress = () => {
        throw mine
      }
      await expect(repair(location, { onProgress })).rejects.toBe(mine)
      await openAt(target, location)
    })

    it('refuses arguments that cannot be meant', async () => {
      const location = await filled()
      const bad: readonly unknown[][] = [
        [],
        [5],
        [''],
        [':memory:'],
        [location, { onProgres: () => undefined }],
        [location, { onProgress: 1 }],
        [location, { signal: {} }],
        [location, { cacheBytes: 5 }],
        [location, 'options']
      ]
      for (const given of bad)
        await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ repair }, 'repair', ...given))
    })
  })
}
