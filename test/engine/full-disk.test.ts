// The end of the disk, wherever it is: what could need space that is not there is refused before anything changes, and
// what shrinks the data goes on.
import { describe, expect, test, vi } from 'vitest'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import { isLightningError } from '../../src/errors.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { LogFiles } from '../../src/wal/log-files.ts'
import { limitedDisk } from '../support/limited-disk.ts'
import { Random } from '../support/random.ts'
import { contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })

const MiB = 1_024 * 1_024
const root = path('')
const options: Partial<EngineOptions> = { walBytes: 256 * 1_024, compression: 'none' }

/** Puts until one is refused; the model has what was acknowledged. Nothing is taken back on the way. */
async function fill(engine: Engine, model: Map<string, string>, random: Random, most = 100_000): Promise<number> {
  const { generation } = engine
  let count = 0
  for (; count < most; count++) {
    const key = `key ${random.below(1_000_000)}`
    const value = someText(random, 1 + random.below(1_200))
    const { sequence } = engine
    try {
      engine.put(engine.tree(root), key, utf8, value, utf8)
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_DISK_FULL')) throw error
      expect(engine.sequence).toBe(sequence)
      break
    }
    await engine.settled()
    model.set(`/${key}`, value)
  }
  expect(engine.generation).toBe(generation)
  return count
}

describe('on a full disk', () => {
  test.each([
    [4_096, true],
    [16_384, true],
    [16_384, false]
  ])('pages of %i bytes, free space told: %s', async (pageSize, tells) => {
    const disk = limitedDisk(memoryVfs(), 6 * MiB, tells)
    const engine = await openEngine(disk.vfs, { ...options, pageSize, cacheBytes: 64 * pageSize })
    const random = new Random(pageSize)
    const model = new Map<string, string>()
    await fill(engine, model, random)
    expect(model.size).toBeGreaterThan(500)
    expect(engine.stats().health).toMatchObject({ state: 'full', code: 'LIGHTNING_DISK_FULL' })
    expectContent(contentOf(engine), model)

    // One by one, with a checkpoint now and then; then a range; then everything.
    const { generation } = engine
    const keys = [...model.keys()].sort()
    for (const [i, key] of keys.slice(0, 120).entries()) {
      engine.del(engine.tree(root), key.slice(1), utf8)
      await engine.settled()
      model.delete(key)
      if (i % 50 === 49) await engine.checkpoint()
    }
    const upper = keys[keys.length >> 1]?.slice(1) ?? ''
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode(upper), upperOpen: true })
    await engine.settled()
    for (const key of keys) if (key < `/${upper}`) model.delete(key)
    expect(engine.generation).toBe(generation)
    expectContent(contentOf(engine), model)
    expect(await fill(engine, model, random)).toBeGreaterThan(50)
    expectContent(contentOf(engine), model)
    await expectSound(engine)
    await engine.close()

    const again = await openEngine(disk.vfs, { ...options, cacheBytes: 64 * pageSize })
    expectContent(contentOf(again), model)
    again.clear(again.tree(root), everything)
    await again.settled()
    model.clear()
    expect(await fill(again, model, random)).toBeGreaterThan(500)
    await expectSound(again)
    await again.close()
  })

  test('others may take all that is free at any moment', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const disk = limitedDisk(memoryVfs(), 64 * MiB)
      const engine = await openEngine(disk.vfs, options)
      const random = new Random(seed)
      const model = new Map<string, string>()
      await fill(engine, model, random, 50 + random.below(600))
      disk.capacity = disk.used
      await fill(engine, model, random)
      // Every page of it can still be written.
      await engine.checkpoint()
      const [first] = [...model.keys()]
      engine.del(engine.tree(root), first?.slice(1), utf8)
      await engine.settled()
      if (first !== undefined) model.delete(first)
      expectContent(contentOf(engine), model)
      disk.capacity = 64 * MiB
      expect(await fill(engine, model, random, 10)).toBe(10)
      expect(engine.stats().health.state).toBe('ok')
      await expectSound(engine)
      await engine.close()
    }
  })

  test('ranges can still be deleted where a snapshot keeps all pages and no key can be, in batches as well', async () => {
    const disk = limitedDisk(memoryVfs(), 6 * MiB)
    const engine = await openEngine(disk.vfs, options)
    const random = new Random(5)
    const model = new Map<string, string>()
    await fill(engine, model, random)
    const snapshot = engine.snapshot()
    const seen = new Map(model)
    const keys = [...model.keys()].map(key => key.slice(1)).sort()
    const tree = engine.tree(root)
    const del = async (key = '') => {
      engine.del(tree, key, utf8)
      await engine.settled()
      model.delete(`/${key}`)
    }
    const deletions = async () => {
      for (let i = 0; i < keys.length; i += 3) await del(keys[i])
    }
    await expect(deletions()).rejects.toThrow(expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' }))
    const [lower, upper] = [keys[3] ?? '', keys[30] ?? '']
    const range = { type: 'clear', tree, lower: utf8.encode(lower), upper: utf8.encode(upper) } as const
    const key = { type: 'del', tree, key: upper, keyEncoding: utf8 } as const
    expect(() => engine.batch([range, key])).toThrow(expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' }))
    engine.batch([range, range])
    await engine.settled()
    for (const each of keys) if (each >= lower && each < upper) model.delete(`/${each}`)
    expectContent(contentOf(engine), model)
    expectContent(contentOf(engine, snapshot), seen)
    snapshot.close()
    await del(upper)
    await expectSound(engine)
    await engine.close()
  })

  test.each([
    [4_096, 1],
    [8_192, 1],
    [16_384, 1.3],
    [32_768, 2],
    [65_536, 3.4]
  ])('with pages of %i bytes, %d MiB are enough for a few entries, again and again', async (pageSize, mebibytes) => {
    for (const tells of [true, false]) {
      const disk = limitedDisk(memoryVfs(), Math.floor(mebibytes * 256) * 4_096, tells)
      const given = { pageSize, cacheBytes: 4 * MiB, walBytes: 64 * MiB }
      const engine = await openEngine(disk.vfs, given)
      const model = new Map<string, string>()
      const tree = engine.tree(root)
      const fillSmall = async () => {
        for (let i = 0; i < 100; i++) {
          engine.put(tree, `key ${i}`, utf8, 'value', utf8)
          await engine.settled()
          model.set(`/key ${i}`, 'value')
        }
      }
      await fillSmall()
      for (let i = 0; i < 100; i++) {
        engine.del(tree, `key ${i}`, utf8)
        await engine.settled()
      }
      expect(contentOf(engine).size).toBe(0)
      await fillSmall()
      await engine.close()
      const again = await openEngine(disk.vfs, given)
      expectContent(contentOf(again), model)
      again.put(again.tree(root), 'key 0', utf8, 'again', utf8)
      await again.settled()
      await expectSound(again)
      await again.close()
    }
  })

  test('a large value is refused whole', async () => {
    const disk = limitedDisk(memoryVfs(), 4 * MiB)
    const engine = await openEngine(disk.vfs, options)
    const told: string[] = []
    engine.on('degraded', ({ state, code, undone }) => told.push(`${state} ${code} ${undone}`))
    engine.on('recovered', () => told.push('recovered'))
    engine.put(engine.tree(root), 'small', utf8, 'value', utf8)
    await engine.settled()
    const { generation } = engine
    const large = someText(new Random(1), 6 * MiB)
    for (let i = 0; i < 2; i++) {
      expect(() => engine.put(engine.tree(root), 'large', utf8, large, utf8)).toThrow(
        expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' })
      )
    }
    expect(engine.generation).toBe(generation)
    expect(told).toEqual(['full LIGHTNING_DISK_FULL false'])
    const acknowledged = vi.fn()
    engine.put(engine.tree(root), 'other', utf8, 'value', utf8)
    const settled = engine.settled().then(() => acknowledged([...told]))
    await settled
    expect(acknowledged).toHaveBeenCalledWith(['full LIGHTNING_DISK_FULL false', 'recovered'])
    expect([...contentOf(engine).keys()]).toEqual(['/other', '/small'])
    await expectSound(engine)
    await engine.close()
  })
})

test('what a log file took of a step that the disk had no room for is given back, too', async () => {
  const disk = limitedDisk(memoryVfs(), 600 * 1_024)
  const files = [
    await disk.vfs.open('wal-0.ldb', { create: true }),
    await disk.vfs.open('wal-1.ldb', { create: true })
  ] as const
  const log = new LogFiles(files, false)
  log.reserveOther(128 * 1_024)
  expect(disk.used).toBe(disk.capacity)
  log.giveBack(64 * 1_024, 256 * 1_024)
  expect(disk.used).toBe(256 * 1_024)
  log.reserve(300 * 1_024)
  expect(log.reservedBytes).toBeGreaterThanOrEqual(300 * 1_024)
  expect(() => log.reserve(2 * MiB)).toThrow(expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' }))
})

describe('verifyWrites', () => {
  const damage = (file: string) => (name: string, bytes: Uint8Array, offset: number) => {
    if (!name.startsWith(file) || bytes.every(byte => byte === 0) || (file === 'data' && offset < 8_192)) return bytes
    const changed = bytes.slice()
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 0x10
    return changed
  }

  test('finds a log block that was changed on its way, and takes the commit back', async () => {
    const disk = limitedDisk(memoryVfs(), 64 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, verifyWrites: true })
    engine.put(engine.tree(root), 'before', utf8, 'value', utf8)
    await engine.settled()
    disk.corrupt = damage('wal')
    engine.put(engine.tree(root), 'lost', utf8, 'value', utf8)
    await expect(engine.settled()).rejects.toMatchObject({ code: 'LIGHTNING_IO', file: 'wal-0.ldb' })
    disk.corrupt = undefined
    expect([...contentOf(engine).keys()]).toEqual(['/before'])
    engine.put(engine.tree(root), 'after', utf8, 'value', utf8)
    await engine.settled()
    await engine.close()
    const again = await openEngine(disk.vfs)
    expect([...contentOf(again).keys()]).toEqual(['/after', '/before'])
    await again.close()
  })

  test.each([
    ['a page image', (engine: Engine) => engine.checkpoint()],
    ['a large value', async (engine: Engine) => engine.put(engine.tree(root), 'large', utf8, 'v'.repeat(90_000), utf8)]
  ])('finds %s that was changed on its way', async (_, write) => {
    const disk = limitedDisk(memoryVfs(), 64 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, verifyWrites: true })
    engine.put(engine.tree(root), 'key', utf8, 'value', utf8)
    await engine.settled()
    disk.corrupt = damage('data')
    await expect(write(engine)).rejects.toMatchObject({ code: 'LIGHTNING_IO', file: 'data.ldb' })
    disk.corrupt = undefined
    await engine.checkpoint()
    expect([...contentOf(engine).keys()]).toEqual(['/key'])
    await expectSound(engine)
    await engine.close()
  })

  test('is needed for that: without it the damage is found when the page is read', async () => {
    const disk = limitedDisk(memoryVfs(), 64 * MiB)
    const engine = await openEngine(disk.vfs, options)
    engine.put(engine.tree(root), 'key', utf8, 'value', utf8)
    await engine.settled()
    disk.corrupt = damage('data')
    await engine.checkpoint()
    disk.corrupt = undefined
    const { problems } = await engine.verify()
    expect(problems.length).toBeGreaterThan(0)
    await engine.close().catch(() => undefined)
  })
})
