// While a checkpoint runs, a large batch has the pages that it is going to change written before it changes them, instead
// of copies made of them.
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { dataFileName } from '../../src/store/format.ts'
import { type DiskFault, SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const root = path('')
/** More pages than a checkpoint writes in its first slice. */
const options = { cacheBytes: 1_024 * 4_096, walBytes: 64 << 20, compression: 'none' } as const
const filled = 4_000
const batches = 4

/** Scattered all over the keys: 128 numbers from one on are in as many leaves as there are, or nearly so. */
const keyOf = (number: number) => `key ${String((number * 7_919) % filled).padStart(4, '0')}`
const textOf = (version: number) => `${version} `.repeat(100)

/** The keys of a batch: neighbouring batches share half of them. */
const numbersOf = (version: number) => Array.from({ length: 128 }, (_, i) => version * 64 + i)

function putAll(engine: Engine, numbers: readonly number[], version: number): void {
  const tree = engine.tree(root)
  const value = textOf(version)
  engine.batch(
    numbers.map(number => ({ type: 'put', tree, key: keyOf(number), keyEncoding: utf8, value, valueEncoding: utf8 }))
  )
}

/** What stands there after so many batches. */
function contentAfter(versions: number): Content {
  const content = new Map<string, string>()
  for (let number = 0; number < filled; number++) content.set(`/${keyOf(number)}`, textOf(0))
  for (let version = 1; version <= versions; version++) {
    for (const number of numbersOf(version)) content.set(`/${keyOf(number)}`, textOf(version))
  }
  return content
}

async function filledEngine(disk: SimulatedDisk<number>): Promise<Engine> {
  const engine = await openEngine(disk.vfs(), options)
  const all = Array.from({ length: filled }, (_, i) => i)
  for (let at = 0; at < filled; at += 100) putAll(engine, all.slice(at, at + 100), 0)
  await engine.settled()
  return engine
}

/** Calls that write to the data file. */
function dataWrites(disk: SimulatedDisk<number>, faultOf: (write: number) => DiskFault | undefined = () => undefined) {
  let count = 0
  disk.fault = call => {
    if (call.kind !== 'write' || call.file !== dataFileName) return undefined
    count++
    return faultOf(count)
  }
  return { count: () => count }
}

describe('a batch during a checkpoint', () => {
  test('has the pages written that it changes; the checkpoint counts them as its own', async () => {
    const disk = new SimulatedDisk<number>()
    const engine = await filledEngine(disk)
    const pages: number[] = []
    engine.on('checkpoint', event => pages.push(event.pages))
    const dirty = engine.stats().cache.dirtyPages
    const running = engine.checkpoint()
    const writes = dataWrites(disk)
    putAll(engine, numbersOf(1), 1)
    expect(writes.count()).toBeGreaterThan(0)
    const before = writes.count()
    // They have been changed since, so the checkpoint does not see them any more.
    putAll(engine, numbersOf(1), 1)
    expect(writes.count()).toBe(before)
    await running
    expect(pages).toEqual([dirty])
    await expectSound(engine)
    await engine.close()
  })

  test('copies pages as before while a snapshot is open, which goes on seeing them', async () => {
    const disk = new SimulatedDisk<number>()
    const engine = await filledEngine(disk)
    const snapshot = engine.snapshot()
    const running = engine.checkpoint()
    const writes = dataWrites(disk)
    putAll(engine, numbersOf(1), 1)
    expect(writes.count()).toBe(0)
    await running
    expectContent(contentOf(engine, snapshot), contentAfter(0))
    expectContent(contentOf(engine), contentAfter(1))
    snapshot.close()
    await expectSound(engine)
    await engine.close()
  })

  test.each([{ code: 'EIO' }, { code: 'ENOSPC' }, { code: 'EIO', written: 0.5 }] as const)(
    'is made all the same when they cannot be written (%o)',
    async fault => {
      for (const failing of [1, 2]) {
        const disk = new SimulatedDisk<number>()
        const engine = await filledEngine(disk)
        const running = engine.checkpoint().catch(() => undefined)
        const writes = dataWrites(disk, write => (write >= failing ? fault : undefined))
        putAll(engine, numbersOf(1), 1)
        expect(writes.count()).toBe(failing)
        putAll(engine, numbersOf(2), 2)
        await engine.settled()
        await running
        disk.fault = undefined
        expectContent(contentOf(engine), contentAfter(2))
        await engine.checkpoint()
        await expectSound(engine)
        const again = await openEngine(disk.crash(1).vfs(), options)
        expectContent(contentOf(again), contentAfter(2))
        await expectSound(again)
        await again.close()
      }
    }
  )

  test('loses nothing in a crash, wherever it comes', async () => {
    const disk = new SimulatedDisk<number>().record()
    const engine = await filledEngine(disk)
    const from = disk.changes
    disk.note(0)
    // Two checkpoints: the second one writes what was changed during the first.
    const running = engine.checkpoint()
    for (let version = 1; version <= batches; version++) {
      if (version === 3) await running
      const second = version === 3 ? engine.checkpoint() : undefined
      putAll(engine, numbersOf(version), version)
      await engine.settled()
      disk.note(version)
      await second
    }
    await engine.close()
    const wanted = Array.from({ length: batches + 1 }, (_, i) => contentAfter(i))
    let crashes = 0
    for (const moment of disk.moments()) {
      if (moment.at < from) continue
      const acknowledged = moment.notes.at(-1) ?? 0
      const after = moment.at % 3 === 0 ? moment.kill() : moment.crash(moment.at)
      const opened = await openEngine(after.vfs(), options)
      const found = contentOf(opened)
      const version = Math.max(...[...found.values()].map(text => Number.parseInt(text, 10)))
      expect(version).toBeGreaterThanOrEqual(acknowledged)
      expectContent(found, wanted[version] ?? new Map())
      await expectSound(opened)
      await opened.close()
      crashes++
    }
    expect(crashes).toBeGreaterThan(40)
  })
})
