// Memory and disk stay within bounds whatever is done, and what is deleted is given back.
import { describe, expect, test, vi } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { Random } from '../support/random.ts'
import { contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })

const MiB = 1 << 20
const root = path('')

function put(engine: Engine, key: string, value: string): void {
  engine.put(engine.tree(root), key, utf8, value, utf8)
}

function keyOf(number: number): string {
  return `key ${number.toString().padStart(7, '0')}`
}

describe('memory', () => {
  test('frames stay within the cache with a working set many times as large, snapshots open', async () => {
    const cacheBytes = 4 * MiB
    const engine = await openEngine(memoryVfs(), { cacheBytes, walBytes: 4 * MiB, compression: 'none' })
    const random = new Random(1)
    const memoryBefore = engine.stats().cache.memoryBytes
    const rows = 25_000
    const model = new Map<string, string>()
    for (let i = 0; i < rows; i++) {
      const value = someText(random, 950)
      put(engine, keyOf(i), value)
      model.set(`/${keyOf(i)}`, value)
      if (i % 500 === 0) await engine.settled()
    }
    const seen = new Map(model)
    const snapshots = [engine.snapshot()]
    for (let i = 0; i < rows / 4; i++) {
      const key = keyOf(random.below(rows))
      put(engine, key, `${i}`)
      model.set(`/${key}`, `${i}`)
      if (i % 500 === 0) await engine.settled()
      if (i % 2_000 === 0) snapshots.push(engine.snapshot())
    }
    expectContent(contentOf(engine), model)
    expectContent(contentOf(engine, snapshots[0]), seen)
    const { cache } = engine.stats()
    expect(cache.bytes).toBeLessThanOrEqual(cacheBytes)
    // Beyond the frames there are tables, versions and work areas.
    expect(cache.memoryBytes - memoryBefore).toBeLessThan(cacheBytes + 8 * MiB)
    for (const snapshot of snapshots) snapshot.close()
    await expectSound(engine)
    await engine.close()
  })

  test('nothing grows with time at a constant load', async () => {
    const engine = await openEngine(memoryVfs(), { walBytes: 256 * 1_024 })
    const random = new Random(1)
    const round = async () => {
      for (let i = 0; i < 2_000; i++) {
        put(engine, keyOf(random.below(300)), someText(random, 500))
        if (i % 50 === 0) await engine.settled()
        if (i % 97 === 0) engine.snapshot().close()
      }
      await engine.checkpoint()
    }
    await round()
    await round()
    const before = engine.stats()
    for (let i = 0; i < 8; i++) await round()
    const after = engine.stats()
    expect(after.cache.memoryBytes).toBe(before.cache.memoryBytes)
    expect(after.file.bytes).toBeLessThanOrEqual(before.file.bytes * 1.5)
    expect(after.log.fileBytes).toBeLessThanOrEqual(before.log.fileBytes + MiB)
    expect(after.snapshots.versions).toBeLessThanOrEqual(before.snapshots.versions * 2 + 64)
    await expectSound(engine)
    await engine.close()
  })

  test('a large value costs its own memory and no more', async () => {
    const engine = await openEngine(memoryVfs(), { cacheBytes: 4 * MiB, walBytes: 4 * MiB, compression: 'none' })
    const value = someText(new Random(1), 48 * MiB)
    put(engine, 'large', value)
    await engine.settled()
    const memory = engine.stats().cache.memoryBytes
    expect(engine.get(engine.tree(root), undefined, 'large', utf8, utf8)).toBe(value)
    expect(engine.stats().cache.memoryBytes).toBe(memory)
    expect(memory).toBeLessThan(24 * MiB)
    await expectSound(engine)
    await engine.close()
  })
})

describe('the data file', () => {
  test('overwritten large values do not fill the disk while the log is short', async () => {
    const engine = await openEngine(memoryVfs(), { walBytes: 2 * MiB, compression: 'none' })
    const random = new Random(1)
    for (let i = 0; i < 120; i++) {
      put(engine, `large ${i % 4}`, someText(random, 300_000))
      await engine.settled()
    }
    expect(engine.stats().file.bytes).toBeLessThan(16 * MiB)
    await expectSound(engine)
    await engine.close()
  })

  test('deleting everything and compacting leaves next to nothing', async () => {
    const vfs = memoryVfs()
    const engine = await openEngine(vfs, { walBytes: MiB })
    const random = new Random(1)
    for (let i = 0; i < 6_000; i++)
      put(engine, keyOf(random.below(100_000)), someText(random, i % 500 === 0 ? 100_000 : 300))
    engine.put(engine.tree(path('sub')), 'key', utf8, someText(random, 200_000), utf8)
    await engine.settled()
    await engine.checkpoint()
    const full = engine.stats()
    expect(full.file.usedBytes).toBeGreaterThan(MiB)
    engine.clear(engine.tree(root), everything)
    engine.drop(path('sub'))
    await engine.settled()
    await engine.compact()
    const { file, pages } = engine.stats()
    expect(pages.used).toBeLessThanOrEqual(3)
    expect(file.pendingBytes).toBe(0)
    // Two metas, a page or two, the chunks of the table and its directory, both twice.
    const tables = 2 * (Math.ceil(full.pages.used / 256) * 8_192 + 8_192)
    expect(file.usedBytes).toBeLessThanOrEqual(8 * 4_096 + tables)
    expect(file.bytes).toBeLessThan(full.file.bytes / 4)
    await expectSound(engine)
    await engine.close()
  })

  test('a page that fits into no hole in front moves as far as it can, so that the file ends behind it', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const engine = await openEngine(memoryVfs(), { pageSize: 16_384, walBytes: MiB, compression: 'none' })
      const random = new Random(seed)
      const sub = engine.tree(path('sub'))
      const write = (count: number) => {
        for (let i = 0; i < count; i++) put(engine, keyOf(random.below(25)), 'x'.repeat(random.below(400_000)))
      }
      write(60)
      for (let i = random.below(3); i >= 0; i--) {
        engine.put(sub, 'key', utf8, 'value', utf8)
        if (random.chance(0.5)) await engine.checkpoint()
        write(random.below(6))
        if (random.chance(0.5)) await engine.checkpoint()
      }
      engine.clear(engine.tree(root), everything)
      await engine.checkpoint()
      engine.drop(path('sub'))
      await engine.compact()
      expect(engine.stats().file.bytes, `seed ${seed}`).toBeLessThan(MiB / 4)
      await expectSound(engine)
      await engine.close()
    }
  })

  test('compaction gives back what the state before took, and packs what it moves', async () => {
    const vfs = memoryVfs()
    const random = new Random(4)
    const model = new Map<string, string>()
    const write = (engine: Engine) => {
      for (let i = 0; i < 8_000; i++) {
        const value = someText(random, 300)
        put(engine, keyOf(i), value)
        model.set(`/${keyOf(i)}`, value)
      }
    }
    const first = await openEngine(vfs)
    write(first)
    await first.checkpoint()
    write(first)
    await first.close()
    const engine = await openEngine(vfs)
    const before = engine.stats().file
    expect(before.freeBytes).toBeGreaterThan(before.usedBytes * 0.25)
    await engine.compact()
    const after = engine.stats().file
    expect(after.usedBytes).toBeLessThan(before.usedBytes * 1.02)
    expect(after.bytes).toBeLessThan(after.usedBytes * 1.03)
    expectContent(await contentOf(engine), model)
    await expectSound(engine)
    await engine.close()
  })

  test('compaction gives back what half of the entries took, and moves nothing wrongly', async () => {
    const engine = await openEngine(memoryVfs(), { walBytes: MiB, compression: 'none' })
    const random = new Random(1)
    for (let i = 0; i < 6_000; i++) put(engine, keyOf(i), someText(random, 400))
    await engine.settled()
    await engine.checkpoint()
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode(keyOf(4_000)), upperOpen: true })
    await engine.settled()
    const before = engine.stats().file.bytes
    const wanted = contentOf(engine)
    // Writers go on meanwhile, with checkpoints of their own.
    const compacting = engine.compact()
    const model = new Map(wanted)
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 10; j++) {
        const key = keyOf(4_000 + random.below(2_000))
        put(engine, key, `${i}`)
        model.set(`/${key}`, `${i}`)
      }
      await engine.settled()
      await new Promise(resolve => setImmediate(resolve))
      if (i % 10 === 0) await engine.checkpoint()
    }
    await compacting
    expect(engine.stats().file.bytes).toBeLessThan(before * 0.7)
    expectContent(contentOf(engine), model)
    await expectSound(engine)
    await engine.close()
  })

  test('at the quota a write is refused and changes nothing; deleting makes room again', async () => {
    const vfs = memoryVfs()
    const maxBytes = 4 * MiB
    const engine = await openEngine(vfs, { maxBytes, walBytes: MiB, compression: 'none', cacheBytes: 4 * MiB })
    const random = new Random(1)
    const model = new Map<string, string>()
    const fill = async () => {
      for (let i = 0; ; i++) {
        const key = keyOf(model.size)
        const value = someText(random, 900)
        try {
          put(engine, key, value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'LIGHTNING_DISK_FULL' })
          return
        }
        model.set(`/${key}`, value)
        if (i % 50 === 0) await engine.settled()
      }
    }
    await fill()
    expect(model.size).toBeGreaterThan(1_000)
    const sequence = engine.sequence
    expect(() => put(engine, 'large', someText(random, 2 * MiB))).toThrow(
      expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' })
    )
    expect(engine.sequence).toBe(sequence)
    expectContent(contentOf(engine), model)
    // At the quota, entry by entry and all of them at once.
    const keys = [...model.keys()]
    for (const key of keys.slice(0, keys.length / 2)) {
      engine.del(engine.tree(root), key.slice(1), utf8)
      model.delete(key)
    }
    await engine.settled()
    expectContent(contentOf(engine), model)
    engine.clear(engine.tree(root), everything)
    model.clear()
    await engine.settled()
    await fill()
    expect(model.size).toBeGreaterThan(1_000)
    expect(engine.stats().file.bytes).toBeLessThanOrEqual(maxBytes)
    await engine.checkpoint()
    expectContent(contentOf(engine), model)
    await expectSound(engine)
    await engine.close()
    const again = await openEngine(vfs, { maxBytes })
    expectContent(contentOf(again), model)
    await again.close()
  })

  test('who is refused by the quota is told of the quota, not of a full disk', async () => {
    const engine = await openEngine(memoryVfs(), { maxBytes: 4 * MiB, compression: 'none', cacheBytes: 4 * MiB })
    const random = new Random(2)
    const refusals: unknown[] = []
    for (let i = 0; refusals.length < 3; i++) {
      try {
        put(engine, keyOf(i), someText(random, 3_000))
      } catch (error) {
        refusals.push(error)
      }
    }
    for (const error of refusals) expect(error).toMatchObject({ message: expect.stringContaining('option maxBytes') })
    await engine.close()
  })
})
