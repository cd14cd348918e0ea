import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { equalBytes } from '../support/bytes.ts'

/** An implementation and where it keeps things. */
export interface VfsPlace {
  readonly name: string
  /** What is replaced or removed stays readable for those that have it open, as on a disk. */
  readonly keepsReplacedFiles: boolean
  /** A place where nothing is yet. */
  make(): Promise<Vfs>
}

/** What holds for every `Vfs`. */
export function describeVfs(place: VfsPlace): void {
  describe(`every Vfs: ${place.name}`, () => {
    async function prepared(): Promise<Vfs> {
      const vfs = await place.make()
      await vfs.prepare({ create: true })
      return vfs
    }

    async function content(vfs: Vfs, name: string): Promise<Uint8Array> {
      const file = await vfs.open(name, { readOnly: true })
      const bytes = new Uint8Array(file.size())
      expect(file.readAt(bytes, 0)).toBe(bytes.length)
      file.close()
      return bytes
    }

    async function text(vfs: Vfs, name: string): Promise<string> {
      return new TextDecoder().decode(await content(vfs, name))
    }

    async function write(vfs: Vfs, name: string, text: string): Promise<void> {
      const file = await vfs.open(name, { create: true })
      file.writeAt(new TextEncoder().encode(text), 0)
      file.close()
    }

    it('tells whether the place was there before it was made', async () => {
      const vfs = await place.make()
      expect(await vfs.prepare({ create: false })).toBe(false)
      expect(await vfs.prepare({ create: true })).toBe(false)
      expect(await vfs.prepare({ create: true })).toBe(true)
      expect(await vfs.prepare({ create: false })).toBe(true)
    })

    it('opens a missing file only to create it', async () => {
      const vfs = await prepared()
      await expect(vfs.open('data.ldb')).rejects.toMatchObject({ code: 'LIGHTNING_NOT_FOUND' })
      expect(await vfs.exists('data.ldb')).toBe(false)
      const file = await vfs.open('data.ldb', { create: true, exclusive: true })
      expect(file.name).toBe('data.ldb')
      expect(file.size()).toBe(0)
      expect(await vfs.exists('data.ldb')).toBe(true)
      const again = vfs.open('data.ldb', { create: true, exclusive: true })
      await expect(again).rejects.toMatchObject({ code: 'LIGHTNING_EXISTS' })
      file.close()
    })

    it('keeps the content of an existing file that is opened to create it', async () => {
      const vfs = await prepared()
      await write(vfs, 'data.ldb', 'abc')
      const file = await vfs.open('data.ldb', { create: true })
      expect(file.size()).toBe(3)
      file.close()
    })

    it('reads fewer bytes only at the end, and leaves the rest of the buffer alone', async () => {
      const vfs = await prepared()
      const file = await vfs.open('data.ldb', { create: true })
      file.writeAt(Uint8Array.of(1, 2, 3, 4, 5), 0)
      const into = new Uint8Array(4).fill(9)
      expect(file.readAt(into, 3)).toBe(2)
      expect([...into]).toEqual([4, 5, 9, 9])
      expect(file.readAt(into, 5)).toBe(0)
      expect(file.readAt(into, 5_000_000_000)).toBe(0)
      expect(file.readAt(new Uint8Array(0), 0)).toBe(0)
      file.close()
    })

    it('reads zeros in a hole and where the file was lengthened', async () => {
      const vfs = await prepared()
      const file = await vfs.open('data.ldb', { create: true })
      file.writeAt(Uint8Array.of(7), 200_000)
      file.truncate(300_000)
      expect(file.size()).toBe(300_000)
      const bytes = new Uint8Array(300_000).fill(1)
      expect(file.readAt(bytes, 0)).toBe(300_000)
      expect(bytes.findIndex(byte => byte !== 0)).toBe(200_000)
      expect(bytes.lastIndexOf(7)).toBe(200_000)
      file.close()
    })

    it('reads zeros, not old bytes, where the file was cut and grows again', async () => {
      const vfs = await prepared()
      const file = await vfs.open('data.ldb', { create: true })
      file.writeAt(new Uint8Array(150_000).fill(5), 0)
      file.truncate(70_000)
      file.writeAt(Uint8Array.of(6), 149_999)
      const bytes = new Uint8Array(150_000)
      file.readAt(bytes, 0)
      expect(bytes.lastIndexOf(5)).toBe(69_999)
      expect(bytes.indexOf(6)).toBe(149_999)
      file.close()
    })

    it('behaves like an array of bytes under any writes, cuts and reads', async () => {
      const place = fc.nat({ max: 200_000 })
      const step = fc.oneof(
        fc.record({ write: place, bytes: fc.integer({ min: 0, max: 140_000 }) }),
        fc.record({ truncate: place }),
        fc.record({ read: place, bytes: fc.integer({ min: 0, max: 140_000 }) })
      )
      const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const vfs = await prepared()
        const file = await vfs.open('data.ldb', { create: true })
        let model = new Uint8Array(0)
        const resize = (bytes: number) => {
          const resized = new Uint8Array(bytes)
          resized.set(model.subarray(0, bytes))
          model = resized
        }
        steps.forEach((step, index) => {
          if ('write' in step) {
            const bytes = new Uint8Array(step.bytes).fill(index + 1)
            file.writeAt(bytes, step.write)
            if (bytes.length > 0) resize(Math.max(model.length, step.write + bytes.length))
            model.set(bytes, step.write)
          } else if ('truncate' in step) {
            file.truncate(step.truncate)
            resize(step.truncate)
          } else {
            const into = new Uint8Array(step.bytes)
            const expected = model.subarray(step.read, step.read + step.bytes)
            expect(file.readAt(into, step.read)).toBe(expected.length)
            expect(equalBytes(into.subarray(0, expected.length), expected)).toBe(true)
          }
          expect(file.size()).toBe(model.length)
        })
        file.close()
        await vfs.removeAll()
      })
      await fc.assert(property, { seed: 1, numRuns: 40 })
    })

    it('shows the writes of one handle to the others', async () => {
      const vfs = await prepared()
      const writer = await vfs.open('data.ldb', { create: true })
      const reader = await vfs.open('data.ldb', { readOnly: true })
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251)
      writer.writeAt(bytes, 10)
      const into = new Uint8Array(bytes.length)
      expect(reader.readAt(into, 10)).toBe(bytes.length)
      expect(equalBytes(into, bytes)).toBe(true)
      writer.close()
      expect(reader.size()).toBe(100_010)
      reader.close()
    })

    it('writes nothing through a handle for reading', async () => {
      const vfs = await prepared()
      await write(vfs, 'data.ldb', 'abc')
      const file = await vfs.open('data.ldb', { readOnly: true })
      expect(() => file.writeAt(Uint8Array.of(1), 0)).toThrow(expect.objectContaining({ code: 'LIGHTNING_READ_ONLY' }))
      expect(() => file.truncate(0)).toThrow(expect.objectContaining({ code: 'LIGHTNING_READ_ONLY' }))
      file.sync()
      await file.syncAsync()
      file.close()
      expect(await text(vfs, 'data.ldb')).toBe('abc')
    })

    it('syncs on this thread and off it, also many at once and across a close', async () => {
      const vfs = await prepared()
      const file = await vfs.open('data.ldb', { create: true })
      file.writeAt(Uint8Array.of(1), 0)
      file.sync()
      await Promise.all([file.syncAsync(), file.syncAsync(), file.syncAsync()])
      file.writeAt(Uint8Array.of(2), 0)
      const running = file.syncAsync()
      file.close()
      file.close()
      await running
    })

    it('takes a wrong place, name or use for a bug of ours', async () => {
      const vfs = await prepared()
      const file = await vfs.open('data.ldb', { create: true })
      const bug = expect.objectContaining({ name: 'InternalError' })
      for (const offset of [-1, Number.NaN, 0.5, 2 ** 60]) {
        expect(() => file.writeAt(Uint8Array.of(1), offset)).toThrow(bug)
        expect(() => file.readAt(new Uint8Array(1), offset)).toThrow(bug)
        expect(() => file.truncate(offset)).toThrow(bug)
      }
      file.close()
      expect(() => file.size()).toThrow(bug)
      expect(() => file.sync()).toThrow(bug)
      for (const name of ['', '.', '..', 'a/b', 'a\\b', '/etc/passwd', 'a\0b']) {
        await expect(vfs.open(name, { create: true })).rejects.toEqual(bug)
      }
    })

    it('lists, renames and removes', async () => {
      const vfs = await prepared()
      await write(vfs, 'wal-0.ldb', 'log')
      await write(vfs, 'data.ldb.new', 'new')
      await write(vfs, 'data.ldb', 'old')
      const lock = await vfs.lock('exclusive')
      expect(await vfs.list()).toEqual(['data.ldb', 'data.ldb.new', 'wal-0.ldb'])
      await lock.release()
      await vfs.rename('data.ldb.new', 'data.ldb')
      await vfs.syncDirectory()
      expect(await vfs.list()).toEqual(['data.ldb', 'wal-0.ldb'])
      expect(await text(vfs, 'data.ldb')).toBe('new')
      await vfs.remove('wal-0.ldb')
      await expect(vfs.remove('wal-0.ldb')).rejects.toMatchObject({ code: 'LIGHTNING_NOT_FOUND' })
      await expect(vfs.rename('wal-0.ldb', 'x')).rejects.toMatchObject({ code: 'LIGHTNING_NOT_FOUND' })
      expect(await vfs.list()).toEqual(['data.ldb'])
    })

    it.runIf(place.keepsReplacedFiles)('lets a file that is replaced live on for those that have it open', async () => {
      const vfs = await prepared()
      await write(vfs, 'data.ldb.new', 'new')
      await write(vfs, 'data.ldb', 'old')
      const old = await vfs.open('data.ldb', { readOnly: true })
      await vfs.rename('data.ldb.new', 'data.ldb')
      const before = new Uint8Array(3)
      old.readAt(before, 0)
      expect(new TextDecoder().decode(before)).toBe('old')
      old.close()
    })

    it('removes the database and leaves files of others', async () => {
      const vfs = await prepared()
      for (const name of ['data.ldb', 'wal-0.ldb', 'data.ldb.new', 'notes.txt']) await write(vfs, name, name)
      const lock = await vfs.lock('exclusive')
      await vfs.removeAll()
      await lock.release()
      expect(await vfs.list()).toEqual(['notes.txt'])
      await vfs.remove('notes.txt')
      const again = await vfs.lock('exclusive')
      await vfs.removeAll()
      await again.release()
      expect(await vfs.list()).toEqual([])
      expect(await vfs.prepare({ create: false })).toBe(false)
    })

    it('lets one writer in, or several readers', async () => {
      const vfs = await prepared()
      const refused = { code: 'LIGHTNING_LOCKED' }
      const writer = await vfs.lock('exclusive')
      expect(writer.ours()).toBe(true)
      await expect(vfs.lock('exclusive')).rejects.toMatchObject(refused)
      await expect(vfs.lock('shared')).rejects.toMatchObject(refused)
      await writer.release()
      await writer.release()
      expect(writer.ours()).toBe(false)
      const readers = [await vfs.lock('shared'), await vfs.lock('shared')]
      expect(readers.map(reader => reader.ours())).toEqual([true, true])
      await expect(vfs.lock('exclusive')).rejects.toMatchObject(refused)
      await readers[0]?.release()
      await expect(vfs.lock('exclusive')).rejects.toMatchObject(refused)
      await readers[1]?.release()
      const next = await vfs.lock('exclusive')
      expect(next.ours()).toBe(true)
      await next.release()
    })

    it('tells a sensible amount of free space, or none', async () => {
      const free = (await prepared()).freeBytes?.() ?? Number.POSITIVE_INFINITY
      expect(free).toBeGreaterThanOrEqual(0)
      expect(Math.floor(free)).toBe(free)
    })
  })
}
