import { describe, expect, test, vi } from 'vitest'
import { checksumOf } from '../../src/engine/core.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { isLightningError, type LightningError, type LightningErrorCode } from '../../src/errors.ts'
import { KernelMemory } from '../../src/kernel/kernel-memory.ts'
import { loadKernel } from '../../src/kernel/load.ts'
import { blockBytes, metaBytes, sectorBytes } from '../../src/store/format.ts'
import { type Checksum, decodeMeta, encodeMeta, type Meta } from '../../src/store/meta.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

// Hundreds of openings take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const root = path('')

async function put(engine: Engine, key: string, value: string): Promise<void> {
  engine.put(engine.tree(root), key, utf8, value, utf8)
  await engine.settled()
}

/** A database with one acknowledged entry per commit, as the death of its process leaves it. */
async function killedAfter(commits: number): Promise<{ disk: SimulatedDisk; states: Content[] }> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs())
  const states: Content[] = [new Map()]
  const model = new Map<string, string>()
  for (let i = 1; i <= commits; i++) {
    await put(engine, `key ${i}`, `value ${i}`)
    model.set(`/key ${i}`, `value ${i}`)
    states.push(new Map(model))
  }
  return { disk: disk.kill(), states }
}

/** The disk with one file changed. */
function changed(disk: SimulatedDisk, name: string, change: (bytes: Uint8Array) => Uint8Array): SimulatedDisk {
  const copy = new SimulatedDisk(1, disk.state())
  copy.place(name, change(copy.bytes(name)))
  return copy
}

function flipped(disk: SimulatedDisk, name: string, at: number): SimulatedDisk {
  return changed(disk, name, bytes => {
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    return bytes
  })
}

function framesEnd(log: Uint8Array): number {
  return log.findLastIndex(byte => byte !== 0) + 1
}

async function refusal(disk: SimulatedDisk, code: LightningErrorCode): Promise<LightningError> {
  try {
    await openEngine(disk.vfs())
  } catch (error) {
    expect(disk.isLocked).toBe(false)
    if (isLightningError(error, code)) return error
    throw error
  }
  throw new Error(`expected ${code}, but it opened`)
}

describe('the end of the log', () => {
  test('a log cut off anywhere gives the commits that are whole', async () => {
    const commits = 8
    const { disk, states } = await killedAfter(commits)
    const end = framesEnd(disk.bytes('wal-0.ldb'))
    const found = new Set<number>()
    let last = 0
    for (let length = 0; length <= end + 8; length += 8) {
      const engine = await openEngine(changed(disk, 'wal-0.ldb', bytes => bytes.slice(0, length)).vfs())
      expect(engine.sequence).toBeGreaterThanOrEqual(last)
      last = engine.sequence
      found.add(last)
      expectContent(contentOf(engine), states[last] ?? new Map())
      await engine.close()
    }
    expect([...found]).toEqual(states.map((_, i) => i))
  })

  test('damage to a frame is corruption when a later one says that it was durable, else the end', async () => {
    const commits = 5
    const { disk, states } = await killedAfter(commits)
    const end = framesEnd(disk.bytes('wal-0.ldb'))
    const outcomes: string[] = []
    for (let at = 0; at < end; at += 7) {
      const damaged = flipped(disk, 'wal-0.ldb', at)
      try {
        const engine = await openEngine(damaged.vfs())
        expectContent(contentOf(engine), states[engine.sequence] ?? new Map())
        outcomes.push(`${engine.sequence}`)
        await engine.close()
      } catch (error) {
        if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
        expect(error.file).toBe('wal-0.ldb')
        expect(error.offset).toBeLessThanOrEqual(at)
        outcomes.push('corrupt')
      }
    }
    // First the frames that others vouch for, then the last one, which nobody does.
    expect([...new Set(outcomes)]).toEqual(['corrupt', `${commits - 1}`])
    expect(outcomes.indexOf(`${commits - 1}`)).toBe(outcomes.lastIndexOf('corrupt') + 1)
  })

  test('frames behind a torn one never come back', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'first', 'value')
    // Batches, since single puts would share a frame.
    for (let i = 0; i < 20; i++) {
      const tree = engine.tree(root)
      engine.batch([{ type: 'put', tree, key: `old ${i}`, keyEncoding: utf8, value: 'value', valueEncoding: utf8 }])
    }
    await engine.settled()
    const killed = disk.kill()
    const log = killed.bytes('wal-0.ldb')
    const length = framesEnd(log)
    let current = flipped(killed, 'wal-0.ldb', Math.floor(length / 2))
    const model = new Map(contentOf(await openEngine(new SimulatedDisk(1, current.state()).vfs())))
    const before = model.size
    expect(before).toBeGreaterThan(1)
    expect(before).toBeLessThan(21)
    for (let i = 0; i < 20; i++) {
      const next = await openEngine(current.vfs())
      expectContent(contentOf(next), model)
      await put(next, `new ${i}`, 'value')
      model.set(`/new ${i}`, 'value')
      current = current.kill()
    }
    const last = await openEngine(current.vfs())
    expectContent(contentOf(last), model)
    await expectSound(last)
  })

  test('a chain goes on in the other file when a checkpoint was given up', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    const model = new Map<string, string>()
    const states = [new Map(model)]
    const write = async (key: string) => {
      await put(engine, key, 'value')
      model.set(`/${key}`, 'value')
      states.push(new Map(model))
    }
    await write('one')
    disk.fault = call => (call.file === 'data.ldb' && call.kind === 'write' ? { code: 'EIO' } : undefined)
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
    disk.fault = undefined
    await write('two')
    await write('three')
    const killed = disk.kill()
    const end = framesEnd(killed.bytes('wal-1.ldb'))
    expect(end).toBeGreaterThan(0)
    for (let length = 0; length <= end; length += 24) {
      const cut = await openEngine(changed(killed, 'wal-1.ldb', bytes => bytes.slice(0, length)).vfs())
      expect(cut.sequence).toBeGreaterThanOrEqual(1)
      expectContent(contentOf(cut), states[cut.sequence] ?? new Map())
      await put(cut, 'again', 'value')
      await cut.checkpoint()
      await cut.close()
    }
    const whole = await openEngine(killed.vfs())
    expect(whole.sequence).toBe(3)
    await expectSound(whole)
  })

  test('a commit of several frames whose last is missing leaves no blocks behind', async () => {
    const disk = new SimulatedDisk<string>().record()
    const large = { walBytes: 4 << 20, cacheBytes: 4 << 20 }
    const engine = await openEngine(disk.vfs(), large)
    await put(engine, 'before', 'value')
    await engine.checkpoint()
    disk.note('begun')
    const tree = engine.tree(root)
    const random = new Random(1)
    const lengths = [50_000, ...Array.from({ length: 2_000 }, () => 900)]
    engine.batch(
      lengths.map((length, i) => {
        const value = someText(random, length)
        return { type: 'put', tree, key: `key ${i}`, keyEncoding: utf8, value, valueEncoding: utf8 }
      })
    )
    await engine.settled()
    let torn = 0
    for (const { notes, kill } of disk.moments()) {
      if (!notes.includes('begun')) continue
      const survivor = await openEngine(kill().vfs(), large)
      if (contentOf(survivor).size === 1) {
        torn++
        await expectSound(survivor)
      }
      await survivor.close()
    }
    expect(torn).toBeGreaterThan(2)
  })

  test('a clean close leaves nothing to replay', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'key', 'value')
    await engine.close()
    expect(disk.bytes('wal-0.ldb').length + disk.bytes('wal-1.ldb').length).toBe(0)
    disk.take('wal-0.ldb')
    disk.take('wal-1.ldb')
    const again = await openEngine(disk.vfs())
    expect(contentOf(again)).toEqual(new Map([['/key', 'value']]))
    expect(again.sequence).toBe(1)
    await again.close()
  })

  test('a log that is missing after a crash is corruption', async () => {
    const { disk } = await killedAfter(1)
    disk.take('wal-1.ldb')
    expect((await refusal(disk, 'LIGHTNING_CORRUPT')).message).toContain('wal-1.ldb')
  })

  test('logs without a data file are corruption, and nothing is made', async () => {
    const { disk } = await killedAfter(1)
    disk.take('data.ldb')
    expect((await refusal(disk, 'LIGHTNING_CORRUPT')).file).toBe('wal-0.ldb')
    expect(disk.names).toEqual(['wal-0.ldb', 'wal-1.ldb'])
  })

  test('readers open what a crash left, and change nothing', async () => {
    const { disk, states } = await killedAfter(6)
    const before = disk.names.map(name => Buffer.from(disk.bytes(name)))
    const readers = [await openEngine(disk.vfs(), { readOnly: true }), await openEngine(disk.vfs(), { readOnly: true })]
    for (const reader of readers) {
      expectContent(contentOf(reader), states[6] ?? new Map())
      await expectSound(reader)
      expect(() => reader.put(reader.tree(root), 'key', utf8, 'value', utf8)).toThrow(
        expect.objectContaining({ code: 'LIGHTNING_READ_ONLY' })
      )
      await reader.close()
    }
    expect(disk.names.every((name, i) => before[i]?.equals(disk.bytes(name)))).toBe(true)
    expect(disk.isLocked).toBe(false)
  })
})

describe('the metas', () => {
  test('either may be damaged, both may not', async () => {
    const { disk, states } = await killedAfter(3)
    for (const slot of [0, 1]) {
      const engine = await openEngine(flipped(disk, 'data.ldb', slot * blockBytes + 60).vfs())
      expectContent(contentOf(engine), states[3] ?? new Map())
      await engine.close()
    }
    const both = flipped(flipped(disk, 'data.ldb', 60), 'data.ldb', blockBytes + 60)
    expect(await refusal(both, 'LIGHTNING_CORRUPT')).toMatchObject({ file: 'data.ldb', offset: 0 })
  })

  test('a damaged one is written again at the next opening', async () => {
    const { disk } = await killedAfter(3)
    const damaged = flipped(disk, 'data.ldb', 60)
    await openEngine(damaged.vfs())
    const healed = flipped(damaged.kill(), 'data.ldb', blockBytes + 60)
    expect((await openEngine(healed.vfs())).sequence).toBe(3)
  })

  test('a file of something else is named as such', async () => {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('something else '.repeat(1_000))]) {
      const disk = new SimulatedDisk()
      disk.place('data.ldb', bytes)
      const error = await refusal(disk, 'LIGHTNING_CORRUPT')
      expect(error.message).toContain('no Lightning DB data file')
      expect(disk.bytes('data.ldb')).toEqual(bytes)
    }
  })

  test('a newer format and an unknown required feature are refused by name', async () => {
    const { disk } = await killedAfter(1)
    const checksum = await bareChecksum()
    for (const at of [8, 12]) {
      const newer = changed(disk, 'data.ldb', bytes => {
        for (const slot of [0, 1]) {
          const meta = bytes.subarray(slot * blockBytes, slot * blockBytes + metaBytes)
          const view = new DataView(meta.buffer, meta.byteOffset, metaBytes)
          view.setUint32(at, 2, true)
          view.setUint32(metaBytes - 4, checksum(meta.subarray(0, metaBytes - 4), 0), true)
        }
        return bytes
      })
      expect((await refusal(newer, 'LIGHTNING_VERSION')).file).toBe('data.ldb')
    }
  })

  test('numbers of commits and epochs go beyond 32 bits', async () => {
    const disk = new SimulatedDisk()
    const made = await openEngine(disk.vfs())
    await put(made, 'before', 'value')
    await made.close()
    const lsn = 2 ** 32 - 3
    let current = await withMeta(disk, meta => ({ ...meta, lsn, epoch: 2 ** 32 - 3 }))
    const model = new Map([['/before', 'value']])
    for (let opening = 0; opening < 3; opening++) {
      const engine = await openEngine(current.vfs())
      expect(engine.sequence).toBe(lsn + opening * 4)
      expectContent(contentOf(engine), model)
      for (let i = 0; i < 4; i++) {
        const snapshot = engine.snapshot()
        const before = new Map(model)
        await put(engine, `key ${i}`, `${opening}`)
        model.set(`/key ${i}`, `${opening}`)
        expectContent(contentOf(engine, snapshot), before)
        snapshot.close()
        if (i === 1) await engine.checkpoint()
      }
      await expectSound(engine)
      current = current.kill()
    }
  })
})

test('whatever byte of the pages and tables is flipped, the damage is found or does not matter', async () => {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { compression: 'none' })
  const random = new Random(1)
  for (let i = 0; i < 30; i++) await put(engine, `key ${i}`, someText(random, 400))
  await put(engine, 'large', someText(random, 10_000))
  const wanted = contentOf(engine)
  await engine.close()
  const sectors = disk.bytes('data.ldb').length / sectorBytes
  let found = 0
  for (let sector = (2 * blockBytes) / sectorBytes; sector < sectors; sector++) {
    const damaged = flipped(disk, 'data.ldb', sector * sectorBytes + random.below(sectorBytes))
    try {
      const opened = await openEngine(damaged.vfs(), { readOnly: true })
      const { problems } = await opened.verify()
      if (problems.length > 0) {
        found++
        expect(problems[0]).toMatchObject({ file: 'data.ldb' })
        expect(problems[0]?.offset).toBeLessThanOrEqual(sector * sectorBytes)
        if (problems[0]?.message.startsWith('The copy')) expectContent(contentOf(opened), wanted)
        else {
          expect(() => contentOf(opened)).toThrow(
            expect.objectContaining({ code: 'LIGHTNING_CORRUPT', file: 'data.ldb' })
          )
        }
      } else expectContent(contentOf(opened), wanted)
      await opened.close()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
      found++
      expect(error.file).toBe('data.ldb')
      expect(error.offset).toBeLessThanOrEqual(sector * sectorBytes)
    }
  }
  expect(found).toBeGreaterThan(20)
})

async function bareChecksum(): Promise<Checksum> {
  const kernel = await loadKernel()
  kernel.exports.setUp(4_096, 64)
  const memory = new KernelMemory(kernel)
  return (bytes, seed) => checksumOf(kernel, memory, bytes, seed)
}

async function withMeta(disk: SimulatedDisk, change: (meta: Meta) => Meta): Promise<SimulatedDisk> {
  const checksum = await bareChecksum()
  return changed(disk, 'data.ldb', bytes => {
    const meta = decodeMeta(bytes.subarray(0, metaBytes), checksum, 'data.ldb')
    if (meta === undefined) throw new Error('the first slot holds a meta')
    for (const slot of [0, 1]) bytes.set(encodeMeta(change(meta), checksum), slot * blockBytes)
    return bytes
  })
}
