// Deleting single keys here and there on a disk that is really full, for as long as anybody deletes. Compressed pages are
// packed, so a page that is written anew leaves a gap that no other may fill; such gaps must not use up the reserve.
import { describe, expect, test, vi } from 'vitest'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import { isLightningError } from '../../src/errors.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { limitedDisk } from '../support/limited-disk.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })

const MiB = 1_024 * 1_024
const root = path('')
const options: Partial<EngineOptions> = { walBytes: 256 * 1_024, compression: 'lz4', cacheBytes: 2 * MiB }
const isFull = expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' })

type Value = (random: Random) => string
const text: Value = random => someText(random, 300)
const digits: Value = random => `${random.below(1_000)} `.repeat(20 + random.below(40))
const noise: Value = random => Array.from({ length: 40 }, () => random.next().toString(36)).join('')

function keyOf(number: number): string {
  return `key ${number.toString().padStart(7, '0')}`
}

/** Puts entries in the order of their keys until one is refused. Returns what is there then. */
async function fill(engine: Engine, value: Value): Promise<Map<string, string>> {
  const random = new Random(1)
  const model = new Map<string, string>()
  for (;;) {
    const key = keyOf(model.size)
    const content = value(random)
    try {
      engine.put(engine.tree(root), key, utf8, content, utf8)
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_DISK_FULL')) throw error
      await engine.settled()
      return model
    }
    model.set(`/${key}`, content)
    if (model.size % 20 === 0) await engine.settled()
  }
}

async function del(engine: Engine, key: string): Promise<void> {
  engine.del(engine.tree(root), key.slice(1), utf8)
  await engine.settled()
}

/** The keys in an order in which neighbours are far from each other. */
function scattered({ size }: ReadonlyMap<string, string>): string[] {
  const step = 97
  return Array.from({ length: step }, (_, first) =>
    Array.from({ length: Math.ceil((size - first) / step) }, (_, i) => `/${keyOf(first + i * step)}`)
  ).flat()
}

/** What ends the space, with the bytes of the disk and the quota. */
const ends: readonly (readonly [string, number, number | undefined])[] = [
  ['a full disk', 3 * MiB, undefined],
  ['a quota', 2_000 * MiB, 2 * MiB],
  ['a quota on a disk that is short of space', 64 * MiB, 2 * MiB]
]

describe('on a full disk', () => {
  test.each([
    { pageSize: 4_096, name: 'text', value: text, capacity: 4 * MiB },
    { pageSize: 4_096, name: 'what compresses well', value: digits, capacity: 3 * MiB },
    { pageSize: 16_384, name: 'text', value: text, capacity: 6 * MiB },
    { pageSize: 16_384, name: 'what compresses a little', value: noise, capacity: 6 * MiB }
  ])('every entry can be deleted, one by one: $name, pages of $pageSize bytes', async given => {
    const { pageSize, value, capacity } = given
    const disk = limitedDisk(memoryVfs(), capacity)
    const engine = await openEngine(disk.vfs, { ...options, pageSize })
    const model = await fill(engine, value)
    const { generation } = engine
    for (const [i, key] of scattered(model).entries()) {
      await del(engine, key)
      model.delete(key)
      if (i % 2_500 !== 0) continue
      expectContent(contentOf(engine), model)
      await expectSound(engine)
    }
    expect(contentOf(engine).size).toBe(0)
    expect(engine.generation).toBe(generation)
    engine.put(engine.tree(root), 'new', utf8, 'value', utf8)
    await engine.settled()
    expect(engine.stats().health.state).toBe('ok')
    await expectSound(engine)
    await engine.close()
    const again = await openEngine(disk.vfs, { ...options, pageSize })
    expect([...contentOf(again)]).toEqual([['/new', 'value']])
    await again.close()
  })

  test('every entry can be deleted in the order of the keys: few pages change, and the log is used up', async () => {
    const disk = limitedDisk(memoryVfs(), 3 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, pageSize: 4_096 })
    const model = await fill(engine, digits)
    expect(model.size).toBeGreaterThan(10_000)
    for (const key of model.keys()) await del(engine, key)
    expect(contentOf(engine).size).toBe(0)
    await engine.close()
  })

  test('gaps that are spread thinly over a larger file are gathered, too', async () => {
    const disk = limitedDisk(memoryVfs(), 40 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, pageSize: 16_384 })
    const model = await fill(engine, text)
    const random = new Random(2)
    for (let i = 0; i < 600; i++) {
      const key = `/${keyOf(random.below(model.size))}`
      await del(engine, key)
      model.delete(key)
    }
    expectContent(contentOf(engine), model)
    await expectSound(engine)
    await engine.close()
  })

  test('however much is gathered, little of it is in memory at a time', async () => {
    const disk = limitedDisk(memoryVfs(), 24 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, pageSize: 16_384 })
    const model = await fill(engine, text)
    const half = `/${keyOf(model.size >> 1)}`
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode(half.slice(1)), upperOpen: true })
    await engine.settled()
    const keys = scattered(model).filter(key => key >= half)
    for (const key of keys.splice(0, 1_500)) await del(engine, key)
    // Room for the log of a batch that could change every page, but not for these.
    disk.capacity += 4 * MiB
    let longest = 0
    disk.corrupt = (file, bytes) => {
      if (file.startsWith('data') && bytes.some(byte => byte !== 0)) longest = Math.max(longest, bytes.length)
      return bytes
    }
    const tree = engine.tree(root)
    expect(() => engine.batch(keys.map(key => ({ type: 'del', tree, key: key.slice(1), keyEncoding: utf8 })))).toThrow(
      isFull
    )
    expect(longest).toBeGreaterThan(MiB / 2)
    expect(longest).toBeLessThan(MiB)
    expectContent(contentOf(engine), new Map(keys.map(key => [key, model.get(key) ?? ''])))
    await expectSound(engine)
    await engine.close()
  })

  test('compaction works after scattered deletions, and so do ranges', async () => {
    const disk = limitedDisk(memoryVfs(), 3 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, pageSize: 4_096 })
    const model = await fill(engine, text)
    const keys = scattered(model)
    for (const key of keys.slice(0, keys.length / 2)) {
      await del(engine, key)
      model.delete(key)
    }
    const before = engine.stats().file.bytes
    await engine.compact()
    expect(engine.stats().file.bytes).toBeLessThan(before * 0.8)
    expectContent(contentOf(engine), model)
    engine.clear(engine.tree(root), everything)
    await engine.settled()
    expect(contentOf(engine).size).toBe(0)
    await expectSound(engine)
    await engine.close()
  })

  test('what an old snapshot keeps cannot be given back; clear still works, and all does when it is closed', async () => {
    const disk = limitedDisk(memoryVfs(), 3 * MiB)
    const engine = await openEngine(disk.vfs, { ...options, pageSize: 4_096 })
    const model = await fill(engine, text)
    const seen = new Map(model)
    const snapshot = engine.snapshot()
    const keys = scattered(model)
    let refused: unknown
    for (const key of keys) {
      try {
        await del(engine, key)
      } catch (error) {
        refused = error
        break
      }
      model.delete(key)
    }
    expect(refused).toEqual(isFull)
    expectContent(contentOf(engine, snapshot), seen)
    expectContent(contentOf(engine), model)
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode(keyOf(100)), upperOpen: true })
    await engine.settled()
    for (const key of model.keys()) if (key < `/${keyOf(100)}`) model.delete(key)
    expectContent(contentOf(engine, snapshot), seen)
    snapshot.close()
    for (const key of keys) await del(engine, key)
    expect(contentOf(engine).size).toBe(0)
    await expectSound(engine)
    await engine.close()
  })

  test.each(ends)(
    'a crash at any moment loses no deletion that was acknowledged: %s',
    async (_, capacity, maxBytes) => {
      const disk = new SimulatedDisk<number>().record()
      const limited = limitedDisk(disk.vfs(), capacity)
      const given = { ...options, walBytes: 16_384, pageSize: 4_096, cacheBytes: MiB, maxBytes }
      const filling = await openEngine(limited.vfs, given)
      const model = await fill(filling, text)
      expect(model.size).toBeGreaterThan(1_000)
      const keys = scattered(model)
      // Until the reserve is used, as before.
      for (const key of keys.slice(0, 60)) await del(filling, key)
      disk.note(60)
      for (let count = 61; count <= 140; count++) {
        await del(filling, keys[count - 1] ?? '')
        disk.note(count)
      }
      await filling.close()
      let examined = 0
      for (const { at, notes, crash } of disk.moments()) {
        const acknowledged = notes.at(-1)
        if (acknowledged === undefined || at % 6 !== 0) continue
        const engine = await openEngine(crash(at).vfs(), given)
        const left = contentOf(engine)
        const deleted = keys.length - left.size
        expect([acknowledged, acknowledged + 1]).toContain(deleted)
        for (const key of keys.slice(0, deleted)) expect(left.has(key)).toBe(false)
        await expectSound(engine)
        await engine.close()
        examined++
      }
      expect(examined).toBeGreaterThan(20)
    }
  )

  test.each(ends)('a write that fails while gaps are gathered loses nothing: %s', async (_, capacity, maxBytes) => {
    let faults = 0
    for (let seed = 1; seed <= 8; seed++) {
      const disk = new SimulatedDisk(seed)
      const limited = limitedDisk(disk.vfs(), capacity)
      const given = { ...options, pageSize: 4_096, cacheBytes: MiB, maxBytes }
      const engine = await openEngine(limited.vfs, given)
      const model = await fill(engine, text)
      const random = new Random(seed)
      disk.fault = ({ file, kind }) => {
        if (!file.startsWith('data') || (kind !== 'write' && kind !== 'read') || !random.chance(0.01)) return undefined
        faults++
        return random.chance(0.5) ? { code: 'EIO', written: 0.5 } : { code: 'ENOSPC', written: 0.5 }
      }
      for (const key of scattered(model).slice(0, 300)) {
        try {
          await del(engine, key)
          model.delete(key)
        } catch (error) {
          expect(['LIGHTNING_IO', 'LIGHTNING_DISK_FULL']).toContain(isLightningError(error) && error.code)
        }
      }
      disk.fault = undefined
      expectContent(contentOf(engine), model)
      await expectSound(engine)
      await engine.close()
      const again = await openEngine(limited.vfs, given)
      expectContent(contentOf(again), model)
      await expectSound(again)
      await again.close()
    }
    expect(faults).toBeGreaterThan(20)
  })
})
