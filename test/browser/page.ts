// What runs in a page itself, which has no synchronous files.
import { describe, expect, it } from 'vitest'
import { destroy, open, persisted, requestPersistence } from '../../src/index.ts'
import { openAt, rejection } from '../support/database.ts'
import { inPrivateFiles } from '../support/in-private-files.ts'
import { runAndReport } from './reporting.ts'

await runAndReport({
  page: () =>
    describe('in a page', () => {
      it('open says to use connect, and has made nothing', async () => {
        const location = await inPrivateFiles.newLocation()
        const error = await rejection('LIGHTNING_UNAVAILABLE', open(location))
        expect(error.message).toContain(`connect("${location}")`)
        expect(await inPrivateFiles.files?.list(location)).toEqual([])
      })

      it('a database in memory works as everywhere', async () => {
        const db = await openAt(':memory:')
        await db.put('a', { deep: [1, 2] })
        expect(db.get('a')).toEqual({ deep: [1, 2] })
      })

      it('destroy removes databases', async () => {
        const location = await inPrivateFiles.newLocation()
        const root = await navigator.storage.getDirectory()
        const [parent = '', name = ''] = location.split('/')
        const directory = await (await root.getDirectoryHandle(parent, { create: true })).getDirectoryHandle(name, {
          create: true
        })
        await directory.getFileHandle('data.ldb', { create: true })
        await destroy(location)
        expect(await inPrivateFiles.files?.list(location)).toEqual([])
        await destroy(location)
      })

      it('storage can be asked to stay', async () => {
        expect(await persisted()).toBe(false)
        expect(await requestPersistence()).toBe(await persisted())
      })
    })
})
