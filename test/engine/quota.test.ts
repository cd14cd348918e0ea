// The quota binds what lets the data grow. Deleting works whatever the quota, and what it takes beyond is given back.
import { describe, expect, test, vi } from 'vitest'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import type { EngineOperation } from '../../src/engine/operation.ts'
import { leastQuota } from '../../src/engine/space.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { limitedDisk } from '../support/limited-disk.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })

const MiB = 1 << 20
const root = path('')
const sub = path('sub')
const options: Partial<EngineOptions> = { walBytes: 256 * 1_024 }
/** Bytes that deletions one by one may take beyond what the file had. */
const beyond = (pageSize: number) => 160 * Math.max(pageSize, 8_192)
const isFull = expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' })

function keyOf(number: number): string {
  return `key ${number.toString().padStart(7, '0')}`
}

function put(engine: Engine, key: string, value: string): void {
  engine.put(engine.tree(root), key, utf8, value, utf8)
}

function del(engine: Engine, key: string): void {
  engine.del(engine.tree(root), key, utf8)
}

function deletions(engine: Engine, keys: readonly string[]): EngineOperation[] {
  return keys.map(key => ({ type: 'del', tree: engine.tree(root), key, keyEncoding: utf8 }))
}

/** Everything that may let the data grow. */
function expectNothingMayGrow(engine: Engine): void {
  const { sequence } = engine
  const putting: EngineOperation = {
    ...{ type: 'put', tree: engine.tree(root), key: 'new', keyEncoding: utf8 },
    ...{ value: 'value', valueEncoding: utf8 }
  }
  expect(() => put(engine, 'new', 'value')).toThrow(isFull)
  expect(() => put(engine, 'large', 'v'.repeat(100_000))).toThrow(isFull)
  expect(() => engine.put(engine.tree(path('other')), 'key', utf8, 'value', utf8)).toThrow(isFull)
  expect(() => engine.batch([...deletions(engine, [keyOf(5)]), putting])).toThrow(isFull)
  expect(() => engine.writeValue(new Uint8Array(100_000))).toThrow(isFull)
  expect(engine.sequence).toBe(sequence)
}

/** Puts `count` entries of about 400 bytes, a few large ones and a sublevel. */
async function filled(vfs: Vfs, given: Partial<EngineOptions>, count = 6_000): Promise<Map<string, string>> {
  const engine = await openEngine(vfs, { ...options, ...given })
  const random = new Random(count)
  const model = new Map<string, string>()
  for (let i = 0; i < count; i++) {
    const value = someText(random, i % 1_000 === 7 ? 90_000 : 200 + random.below(400))
    put(engine, keyOf(i), value)
    model.set(`/${keyOf(i)}`, value)
    if (i % 10 === 0) {
      engine.put(engine.tree(sub), keyOf(i), utf8, value, utf8)
      model.set(`sub/${keyOf(i)}`, value)
    }
    if (i % 50 === 0) await engine.settled()
  }
  await engine.close()
  return model
}

describe('a database that is larger than its quota when it is opened', () => {
  test.each([
    [4_096, 'none'],
    [4_096, 'lz4'],
    [16_384, 'none'],
    [65_536, 'none']
  ] as const)('refuses what grows and deletes: pages of %i bytes, compression %s', async (pageSize, compression) => {
    const vfs = memoryVfs()
    const given = { ...options, pageSize, compression, cacheBytes: 4 * MiB }
    const count = pageSize === 65_536 ? 12_000 : 6_000
    const model = await filled(vfs, given, count)
    const whole = (await fileBytes(vfs)) ?? 0
    const maxBytes = Math.max(leastQuota(pageSize), Math.floor(whole / 2))
    expect(whole).toBeGreaterThan(maxBytes)
    const engine = await openEngine(vfs, { ...given, maxBytes })
    expectNothingMayGrow(engine)
    await engine.checkpoint()

    let most = 0
    const settle = async () => {
      await engine.settled()
      most = Math.max(most, engine.stats().file.bytes)
    }
    // Scattered, one by one; then many in one batch, which changes most pages; then a sublevel.
    for (let i = 0; i < 600; i += 3) {
      const key = keyOf(i * 10)
      del(engine, key)
      model.delete(`/${key}`)
      await settle()
      if (i % 100 === 0) await engine.checkpoint()
    }
    expect(most).toBeLessThanOrEqual(whole + beyond(pageSize))
    const keys = Array.from({ length: 900 }, (_, i) => keyOf(i * 5 + 1))
    engine.batch(deletions(engine, keys))
    for (const key of keys) model.delete(`/${key}`)
    await settle()
    engine.drop(sub)
    for (const key of model.keys()) if (key.startsWith('sub')) model.delete(key)
    await settle()
    expectContent(contentOf(engine), model)
    await expectSound(engine)

    // What was deleted is given back. When that is enough, everything works again.
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode(keyOf(count - 500)), upperOpen: true })
    for (const key of model.keys()) if (key < `/${keyOf(count - 500)}`) model.delete(key)
    await settle()
    await engine.compact()
    expect(engine.stats().file.bytes).toBeLessThanOrEqual(maxBytes)
    put(engine, 'new', 'value')
    model.set('/new', 'value')
    await settle()
    expect(engine.stats().health.state).toBe('ok')
    expectContent(contentOf(engine), model)
    await expectSound(engine)
    await engine.close()

    const again = await openEngine(vfs, { ...given, maxBytes })
    put(again, 'new', 'another')
    await again.settled()
    expectContent(contentOf(again), model.set('/new', 'another'))
    await again.close()
  })

  test('says how writing works again', async () => {
    const vfs = memoryVfs()
    await filled(vfs, { pageSize: 4_096 })
    const engine = await openEngine(vfs, { ...options, maxBytes: MiB })
    expect(() => put(engine, 'new', 'value')).toThrow(
      'Delete entries and call compact(), or reopen with a larger quota'
    )
    expect(engine.stats().health).toMatchObject({ state: 'full', code: 'LIGHTNING_DISK_FULL' })
    await engine.close()
    const larger = await openEngine(vfs, { ...options, maxBytes: 64 * MiB })
    put(larger, 'new', 'value')
    await larger.close()
  })

  test('may be so large that the quota has room for nothing: deleting empties it all the same', async () => {
    const vfs = memoryVfs()
    const model = await filled(vfs, { pageSize: 4_096 }, 1_500)
    const whole = (await fileBytes(vfs)) ?? 0
    const engine = await openEngine(vfs, { ...options, maxBytes: 1 })
    expect(() => put(engine, 'new', 'value')).toThrow(`reopen with at least ${leastQuota(4_096)}`)
    expectNothingMayGrow(engine)
    for (const key of model.keys()) {
      if (key.startsWith('sub')) continue
      del(engine, key.slice(1))
      await engine.settled()
      expect(engine.stats().file.bytes).toBeLessThanOrEqual(whole + beyond(4_096))
    }
    engine.drop(sub)
    await engine.compact()
    expect(contentOf(engine).size).toBe(0)
    expect(engine.stats().file.bytes).toBeLessThan(128 * 1_024)
    expectNothingMayGrow(engine)
    await expectSound(engine)
    await engine.close()
  })

  test('is recovered after a crash, and rolled back, when its log needs more than the quota', async () => {
    const disk = new SimulatedDisk()
    const given = { ...options, pageSize: 4_096, compression: 'none', walBytes: 8 * MiB } as const
    const before = await openEngine(disk.vfs(), given)
    const random = new Random(3)
    const model = new Map<string, string>()
    for (let i = 0; i < 3_000; i++) {
      const value = someText(random, 500)
      put(before, keyOf(i), value)
      model.set(`/${keyOf(i)}`, value)
    }
    await before.settled()
    const killed = disk.kill()
    const engine = await openEngine(killed.vfs(), { ...given, maxBytes: leastQuota(4_096) })
    expectContent(contentOf(engine), model)
    expectNothingMayGrow(engine)
    del(engine, keyOf(0))
    await engine.settled()
    model.delete(`/${keyOf(0)}`)
    let faults = 0
    killed.fault = ({ file, kind }) =>
      file.startsWith('wal') && kind === 'write' && faults++ === 0 ? { code: 'EIO', written: 0.5 } : undefined
    del(engine, keyOf(1))
    await expect(engine.settled()).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
    expect(engine.stats().health.state).toBe('disturbed')
    expectContent(contentOf(engine), model)
    engine.clear(engine.tree(root), { ...everything, lower: utf8.encode(keyOf(100)) })
    await engine.settled()
    await engine.compact()
    expect(contentOf(engine).size).toBe(99)
    put(engine, 'new', 'value')
    await engine.settled()
    await expectSound(engine)
    await engine.close()
  })

  test.each([true, false])('deletes on a disk that is short of space, too; free space told: %s', async tells => {
    const disk = limitedDisk(memoryVfs(), 16 * MiB, tells)
    const model = await filled(disk.vfs, { pageSize: 4_096 })
    const engine = await openEngine(disk.vfs, { ...options, maxBytes: MiB })
    expectNothingMayGrow(engine)
    const keys = [...model.keys()].filter(key => key.startsWith('/'))
    for (const key of keys.slice(0, 100)) {
      del(engine, key.slice(1))
      await engine.settled()
    }
    engine.batch(
      deletions(
        engine,
        keys.filter((_, i) => i % 7 === 0).map(key => key.slice(1))
      )
    )
    engine.clear(engine.tree(root), everything)
    engine.drop(sub)
    await engine.settled()
    await engine.compact()
    expect(contentOf(engine).size).toBe(0)
    put(engine, 'new', 'value')
    await engine.settled()
    await expectSound(engine)
    await engine.close()
  })
})

describe('at the quota', () => {
  test.each(['none', 'lz4'] as const)(
    'any entry can be deleted within it, in any order: compression %s',
    async compression => {
      const maxBytes = 1.5 * MiB
      const engine = await openEngine(memoryVfs(), { ...options, compression, maxBytes })
      const random = new Random(5)
      const keys: string[] = []
      try {
        // What compresses well is packed densely. Then a page that is written anew leaves a gap that no other may fill.
        for (;;) {
          put(engine, keyOf(keys.length), `${random.below(1_000)} `.repeat(20 + random.below(40)))
          keys.push(keyOf(keys.length))
          if (keys.length % 50 === 0) await engine.settled()
        }
      } catch (error) {
        expect(error).toEqual(isFull)
      }
      let most = engine.stats().file.bytes
      for (let step = 97; keys.length > 2_000; step = 97 + random.below(400)) {
        for (let i = random.below(step); i < keys.length; i += step) {
          del(engine, keys.splice(i, 1)[0] ?? '')
          await engine.settled()
        }
        most = Math.max(most, engine.stats().file.bytes)
      }
      expect(most).toBeLessThanOrEqual(maxBytes)
      expect(contentOf(engine).size).toBe(keys.length)
      put(engine, 'new', 'value')
      await engine.settled()
      await expectSound(engine)
      await engine.close()
    }
  )

  test('a batch may delete more than the reserve has pages for; until compaction nothing may grow', async () => {
    const maxBytes = 4 * MiB
    const engine = await openEngine(memoryVfs(), { ...options, compression: 'none', maxBytes, cacheBytes: 4 * MiB })
    const random = new Random(6)
    let count = 0
    expect(() => {
      for (; ; count++) put(engine, keyOf(count), someText(random, 900))
    }).toThrow(isFull)
    await engine.settled()
    const keys = Array.from({ length: Math.floor(count / 4) }, (_, i) => keyOf(i * 4))
    engine.batch(deletions(engine, keys))
    await engine.settled()
    await engine.checkpoint()
    const { bytes } = engine.stats().file
    expect(bytes).toBeGreaterThan(maxBytes)
    expect(bytes).toBeLessThan(maxBytes * 2.5)
    expectNothingMayGrow(engine)
    engine.clear(engine.tree(root), { ...everything, lower: utf8.encode(keyOf(count >> 1)) })
    await engine.settled()
    expectNothingMayGrow(engine)
    await engine.compact()
    expect(engine.stats().file.bytes).toBeLessThanOrEqual(maxBytes)
    for (let i = 0; i < 100; i++) put(engine, `new ${i}`, 'value')
    await engine.settled()
    await expectSound(engine)
    await engine.close()
  })
})

describe('the least quota', () => {
  const sizes = [4_096, 8_192, 16_384, 32_768, 65_536]

  test.each(sizes)('is enough for entries of any length within a page of %i bytes, again and again', async pageSize => {
    const vfs = memoryVfs()
    const maxBytes = leastQuota(pageSize)
    const given = { ...options, pageSize, maxBytes, compression: 'none', cacheBytes: 4 * MiB } as const
    const engine = await openEngine(vfs, given)
    const random = new Random(pageSize)
    for (let i = 0; i < 200; i++) {
      put(engine, `key ${i % 3}`, someText(random, random.below(pageSize / 4 - 100)))
      engine.put(engine.tree(sub), `key ${i % 3}`, utf8, 'value', utf8)
      if (i % 7 === 0) del(engine, 'key 0')
      await engine.settled()
    }
    expect(engine.stats().file.bytes).toBeLessThanOrEqual(maxBytes)
    await expectSound(engine)
    await engine.close()
    const again = await openEngine(vfs, given)
    put(again, 'key', 'value')
    await again.close()
  })

  test.each(sizes)('is named where a put never has room; deleting works: pages of %i bytes', async pageSize => {
    const vfs = memoryVfs()
    const small = await openEngine(vfs, { pageSize, maxBytes: 1 })
    expect(() => put(small, 'key', 'value')).toThrow(`at least ${leastQuota(pageSize)}`)
    del(small, 'key')
    await small.close()
    const engine = await openEngine(vfs, { maxBytes: leastQuota(pageSize) })
    put(engine, 'key', 'value')
    await engine.settled()
    await engine.close()
  })
})

async function fileBytes(vfs: Vfs): Promise<number | undefined> {
  const file = await vfs.open('data.ldb', { readOnly: true })
  const bytes = file.size()
  file.close()
  return bytes
}
