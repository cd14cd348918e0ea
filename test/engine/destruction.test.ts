// Removing a database: whatever interrupts it, what is left is the database or none.
import { describe, expect, test } from 'vitest'
import { destroyFiles } from '../../src/engine/destruction.ts'
import { repair } from '../../src/engine/repair.ts'
import { restore } from '../../src/engine/restore.ts'
import { isLightningError, type LightningErrorCode } from '../../src/errors.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const content: Content = new Map([['/key', 'value']])
const oldOnly = { createIfMissing: false }
const destroyed = 'data.ldb.destroyed'

/** A database as the death of its process, or a clean close, leaves it. */
async function database(end: 'killed' | 'closed'): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs())
  engine.put(engine.tree(path('')), 'key', utf8, 'value', utf8)
  await engine.settled()
  if (end === 'killed') return disk.kill()
  await engine.close()
  return disk
}

/** One whose repair was killed between the damaged data file's going and the repaired one's coming. */
async function halfRepaired(): Promise<SimulatedDisk> {
  const recorded = new SimulatedDisk(1, (await database('killed')).state()).record()
  await repair(recorded.vfs(), { cacheBytes: 1 << 20 })
  for (const moment of recorded.moments()) {
    const disk = moment.kill()
    if (!disk.names.includes('data.ldb')) return disk
  }
  throw new Error('A repair has no such moment')
}

async function codeOf(promise: Promise<unknown>): Promise<LightningErrorCode> {
  try {
    await promise
  } catch (error) {
    if (isLightningError(error)) return error.code
    throw error
  }
  throw new Error('It has not failed')
}

const copyOf = (disk: SimulatedDisk) => new SimulatedDisk(1, disk.state())

/** What opening finds, leaving the disk alone: the database, or nothing. */
async function found(disk: SimulatedDisk): Promise<'whole' | 'none'> {
  try {
    const engine = await openEngine(copyOf(disk).vfs(), oldOnly)
    expectContent(contentOf(engine), content)
    await engine.close()
    return 'whole'
  } catch (error) {
    if (isLightningError(error, 'LIGHTNING_NOT_FOUND')) return 'none'
    throw error
  }
}

/** Where nothing is found any more, everything else agrees, and a database can be made. */
async function expectNone(disk: SimulatedDisk): Promise<void> {
  expect(await codeOf(openEngine(copyOf(disk).vfs(), { readOnly: true }))).toBe('LIGHTNING_NOT_FOUND')
  expect(await codeOf(repair(copyOf(disk).vfs(), { cacheBytes: 1 << 20 }))).toBe('LIGHTNING_NOT_FOUND')
  expect(await codeOf(restore(copyOf(disk).vfs(), new SimulatedDisk().vfs()))).toBe('LIGHTNING_NOT_FOUND')
  const made = copyOf(disk)
  const engine = await openEngine(made.vfs(), { errorIfExists: true })
  expect(contentOf(engine).size).toBe(0)
  await expectSound(engine)
  await engine.close()
  expect(made.names).toEqual(['data.ldb', 'wal-0.ldb', 'wal-1.ldb'])
  const restored = copyOf(disk)
  await restore((await database('closed')).vfs(), restored.vfs())
  expect(restored.names).toEqual(['data.ldb'])
  expect(await found(restored)).toBe('whole')
}

const bases: readonly [string, () => Promise<SimulatedDisk>][] = [
  ['a killed process has left', () => database('killed')],
  ['was closed', () => database('closed')],
  ['is being repaired', halfRepaired]
]

describe.each(bases)('a database that %s', (_, base) => {
  test('is whole or gone at every moment of its destruction, and gone for good once that has ended', async () => {
    const disk = new SimulatedDisk<string>(1, (await base()).state()).record()
    await destroyFiles(disk.vfs())
    disk.note('destroyed')
    const seen = new Set<string>()
    for (const { at, notes, kill, crash } of disk.moments()) {
      for (const left of [kill(), crash(at), crash(at + 1_000), crash(at + 2_000, 'mixed')]) {
        const what = await found(left)
        seen.add(what)
        if (notes.length > 0) expect(what).toBe('none')
        if (what === 'none') await expectNone(left)
        await destroyFiles(left.vfs())
        expect(left.names).toEqual([])
      }
    }
    expect([...seen].sort()).toEqual(['none', 'whole'])
  })

  test('is whole or gone whatever call of its destruction fails, and the next one ends it', async () => {
    for (let nth = 1; ; nth++) {
      const disk = new SimulatedDisk(1, (await base()).state())
      disk.fault = call => (call.number === nth ? { code: 'EIO' } : undefined)
      const failed = await destroyFiles(disk.vfs()).then(
        () => false,
        () => true
      )
      disk.fault = undefined
      if (!failed) {
        expect(nth).toBeGreaterThan(4)
        return
      }
      if ((await found(disk)) === 'none') await expectNone(disk)
      await destroyFiles(disk.vfs())
      expect(disk.names).toEqual([])
    }
  })
})

test('a log without its data file stays damage until the last file is gone, and can be destroyed', async () => {
  const disk = await database('killed')
  disk.take('data.ldb')
  disk.fault = call => (call.kind === 'remove' && call.file === 'wal-1.ldb' ? { code: 'EIO' } : undefined)
  expect(await codeOf(destroyFiles(disk.vfs()))).toBe('LIGHTNING_IO')
  disk.fault = undefined
  expect(await codeOf(openEngine(disk.vfs()))).toBe('LIGHTNING_CORRUPT')
  await destroyFiles(disk.vfs())
  expect(disk.names).toEqual([])
})

test('a database that is made where one was being destroyed never stands beside what tells of that', async () => {
  const disk = await database('closed')
  disk.fault = ({ kind, file }) => (kind === 'remove' && file === destroyed ? { code: 'EIO' } : undefined)
  expect(await codeOf(destroyFiles(disk.vfs()))).toBe('LIGHTNING_IO')
  const made = new SimulatedDisk(1, disk.state()).record()
  expect(made.names).toContain(destroyed)
  await openEngine(made.vfs())
  for (const { at, crash } of made.moments()) {
    for (let seed = 0; seed < 16; seed++) {
      const { names } = crash(at * 16 + seed)
      expect(names.includes('data.ldb') && names.includes(destroyed)).toBe(false)
    }
  }
})

test('a database whose repair was interrupted is one: nothing is restored in its place', async () => {
  const recorded = new SimulatedDisk(1, (await database('killed')).state()).record()
  await repair(recorded.vfs(), { cacheBytes: 1 << 20 })
  const source = await database('closed')
  let interruptions = 0
  for (const { kill } of recorded.moments()) {
    const disk = kill()
    if (disk.names.includes('data.ldb')) continue
    interruptions++
    expect(await codeOf(restore(source.vfs(), disk.vfs()))).toBe('LIGHTNING_EXISTS')
    expect(await found(disk)).toBe('whole')
  }
  expect(interruptions).toBeGreaterThan(2)
})
