// What runs where the browser lets a page store little: 24 MiB.
import { describe, expect, it } from 'vitest'
import { open } from '../../src/index.ts'
import { openAt, rejection } from '../support/database.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
import { runAndReport } from './reporting.ts'

const value = (i: number): Uint8Array => new Uint8Array(100_000).fill(i)

await runAndReport({
  quota: () =>
    describe('a database whose browser gives no more room', () => {
      it('refuses writes, reads on, loses nothing, and goes on when something is deleted', async () => {
        const location = await inPrivateFiles.newLocation()
        const options = { valueEncoding: 'view', compression: 'none', walBytes: 1 << 20 } as const
        const db = await open(location, options)
        let written = 0
        const fill = async (): Promise<void> => {
          for (; written < 1_000; written++) await db.put(`k${written}`, value(written))
        }
        await rejection('LIGHTNING_DISK_FULL', fill())
        expect(written).toBeGreaterThan(20)
        expect([db.count(), db.get('k7')]).toEqual([written, value(7)])
        for (let i = 0; i < written; i += 2) await db.del(`k${i}`)
        await db.checkpoint()
        await db.put('again', value(1))
        await db.close()
        const reopened = await openAt(location, options)
        expect(reopened.get('again')).toEqual(value(1))
        expect(reopened.get('k7')).toEqual(value(7))
        expect(reopened.has('k8')).toBe(false)
      })
    })
})
