// A clean close says that the log is empty; the first commit after it takes that back. What if it cannot?
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { blockBytes, metaBytes } from '../../src/store/format.ts'
import { type DiskCall, SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

async function put(engine: Engine, key: string): Promise<void> {
  engine.put(engine.tree(path('')), key, utf8, 'value', utf8)
  await engine.settled()
}

const holding = (...keys: string[]): Content => new Map(keys.map(key => [`/${key}`, 'value']))

/** A database that was closed. */
async function closedDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs())
  await put(engine, 'before')
  await engine.close()
  return disk
}

const isMetaWrite = (call: DiskCall) => call.file === 'data.ldb' && call.kind === 'write'

describe.each([
  ['EIO', 0],
  ['EIO', 1],
  ['ENOSPC', 0]
] as const)('the mark that there is a log, failing with %s, %d of it written', (code, written) => {
  /** A database whose write of slot `nth` failed once, and that was written to afterwards; `first` was acknowledged all the same. */
  async function marked(nth: number): Promise<{ disk: SimulatedDisk; engine: Engine; first: string[] }> {
    const disk = await closedDisk()
    const engine = await openEngine(disk.vfs())
    let writes = 0
    disk.fault = call => (isMetaWrite(call) && ++writes === nth ? { code, written } : undefined)
    const first = await put(engine, 'one').then(
      () => ['one'],
      () => []
    )
    disk.fault = undefined
    await put(engine, 'two')
    return { disk, engine, first }
  }

  test.each([1, 2])('at slot %i: later commits outlive crashes', async nth => {
    const { disk, first } = await marked(nth)
    const keys = ['before', ...first, 'two']
    let current = disk.kill()
    for (const key of ['three', 'four', 'five']) {
      const again = await openEngine(current.vfs())
      expectContent(contentOf(again), holding(...keys))
      await put(again, key)
      keys.push(key)
      current = current.kill()
    }
    const last = await openEngine(current.vfs())
    expectContent(contentOf(last), holding(...keys))
    await expectSound(last)
    await last.close()
  })

  test.each([1, 2])('at slot %i: a rollback after it loses nothing durable', async nth => {
    const { disk, engine, first } = await marked(nth)
    let isDone = false
    disk.fault = call => {
      if (isDone || call.kind !== 'write' || !call.file.startsWith('wal')) return undefined
      isDone = true
      return { code: 'EIO' }
    }
    await expect(put(engine, 'lost')).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
    await put(engine, 'three')
    const again = await openEngine(disk.kill().vfs())
    expectContent(contentOf(again), holding('before', ...first, 'two', 'three'))
    await again.close()
  })

  test.each([1, 2])('at slot %i: a log that is missing later is damage all the same', async nth => {
    const { disk } = await marked(nth)
    const killed = disk.kill()
    killed.take('wal-0.ldb')
    killed.take('wal-1.ldb')
    await expect(openEngine(killed.vfs())).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
  })
})

test('a close after a mark that failed says again that nothing is in the log', async () => {
  const disk = await closedDisk()
  const engine = await openEngine(disk.vfs())
  let writes = 0
  disk.fault = call => (isMetaWrite(call) && ++writes === 2 ? { code: 'EIO' } : undefined)
  await expect(put(engine, 'refused')).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
  disk.fault = undefined
  await engine.close()
  disk.take('wal-0.ldb')
  disk.take('wal-1.ldb')
  const again = await openEngine(disk.vfs())
  expectContent(contentOf(again), holding('before'))
  await again.close()
})

// The mark's second slot, the images, and the checkpoint's own two slots are what it writes after a sync.
test.each([1, 2, 3, 4])("a checkpoint given up at write %i before the first commit is in nobody's way", async nth => {
  const disk = await closedDisk()
  const recorded = new SimulatedDisk<string>(1, disk.state()).record()
  const engine = await openEngine(recorded.vfs())
  let writes = 0
  let before: string | undefined
  recorded.fault = ({ file, kind }) => {
    if (file !== 'data.ldb') return undefined
    const isAfterSync = kind === 'write' && before === 'sync'
    before = kind
    return isAfterSync && ++writes === nth ? { code: 'EIO', written: 1 } : undefined
  }
  await expect(engine.compact()).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
  recorded.fault = undefined
  await put(engine, 'one')
  recorded.note('one')
  await engine.checkpoint()
  await put(engine, 'two')
  recorded.note('two')
  for (const { at, notes, kill, crash } of recorded.moments()) {
    for (const left of [kill(), crash(at)]) {
      const opened = await openEngine(left.vfs())
      const found = [...contentOf(opened).keys()]
      expect(found).toEqual(expect.arrayContaining(['/before', ...notes.map(key => `/${key}`)]))
      const slotsOf = left.bytes('data.ldb')
      expect(slotsOf.subarray(0, metaBytes)).toEqual(slotsOf.subarray(blockBytes, blockBytes + metaBytes))
      await put(opened, 'later')
      const again = await openEngine(left.kill().vfs())
      expect([...contentOf(again).keys()].sort()).toEqual([...found, '/later'].sort())
      await expectSound(again)
      await again.close()
    }
  }
})

test.each([1, 2, 3, 4, 5, 6])(
  'the first commit, made at sync %i of a compaction, does not take its checkpoint back',
  async nth => {
    const closed = new SimulatedDisk()
    const filling = await openEngine(closed.vfs())
    const keys = Array.from({ length: 200 }, (_, i) => `key ${i}`)
    await Promise.all(keys.map(key => put(filling, key)))
    for (const key of keys.slice(0, 100)) filling.del(filling.tree(path('')), key, utf8)
    await filling.close()
    const disk = new SimulatedDisk<string>(1, closed.state()).record()
    const engine = await openEngine(disk.vfs())
    let syncs = 0
    let first: Promise<void> | undefined
    disk.fault = ({ file, kind }) => {
      if (file === 'data.ldb' && kind === 'sync' && ++syncs === nth)
        queueMicrotask(() => {
          first = put(engine, 'first').then(() => disk.note('first'))
        })
      return undefined
    }
    await engine.compact()
    await first
    // Takes the blocks that only the tables before the compaction name.
    await Promise.all(keys.map(key => put(engine, `${key} again`)))
    for (const { at, notes, kill, crash } of disk.moments()) {
      for (const left of [kill(), crash(at)]) {
        const opened = await openEngine(left.vfs())
        expect([...contentOf(opened).keys()]).toEqual(expect.arrayContaining(notes.map(key => `/${key}`)))
        expect(contentOf(opened).size).toBeGreaterThanOrEqual(100)
        await expectSound(opened)
      }
    }
    expect(first).toBeDefined()
  }
)
