// What a repair must not take for the newest state, though it is whole: pages and chunks of earlier checkpoints, which
// stay in free blocks, and parts of the log that others lead to.
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { repair as repairFiles } from '../../src/engine/repair.ts'
import { anatomyOf, type Extent } from '../support/anatomy.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const repair = (disk: SimulatedDisk) => repairFiles(disk.vfs(), { cacheBytes: 8 << 20 })
const main = path('')
const keyOf = (i: number) => `key ${i.toString().padStart(5, '0')}`

function put(engine: Engine, sublevel: string, count: number, value: (i: number) => string, from = 0): void {
  const tree = engine.tree(path(sublevel))
  engine.batch(
    Array.from({ length: count }, (_, i) => {
      const of = from + i
      return { type: 'put', tree, key: keyOf(of), keyEncoding: utf8, value: value(of), valueEncoding: utf8 } as const
    })
  )
}

async function contentAfter(disk: SimulatedDisk): Promise<Content> {
  const engine = await openEngine(disk.vfs())
  await expectSound(engine)
  const content = contentOf(engine)
  await engine.close()
  return content
}

function zero(disk: SimulatedDisk, extents: readonly { readonly from: number; readonly to: number }[]): void {
  const bytes = disk.bytes('data.ldb').slice()
  for (const { from, to } of extents) bytes.fill(0, from, to)
  disk.place('data.ldb', bytes)
}

const metas = [{ from: 0, to: 8_192 }]
const directories = ({ kind }: Extent) => kind === 'directory' || kind === 'directory copy'

describe('repair without the directory of the page table', () => {
  it('does not bring back what was deleted', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20, cacheBytes: 4 << 20 })
    const random = new Random(3)
    put(engine, '', 8_000, () => someText(random, 150))
    for (const sublevel of ['kept', 'dropped']) put(engine, sublevel, 200, i => `value ${i}`)
    await engine.checkpoint()
    // The newest commits of the second chunk of the page table are in pages that are freed next.
    put(engine, 'dropped', 200, i => `newer ${i}`)
    await engine.checkpoint()
    engine.drop(path('dropped'))
    await engine.checkpoint()
    const content = contentOf(engine)
    const crashed = disk.kill()
    const { extents } = await anatomyOf(new SimulatedDisk(1, crashed.state()))
    expect(extents.filter(({ kind }) => kind === 'chunk')).toHaveLength(2)
    zero(crashed, extents.filter(directories))
    const { lost } = await repair(crashed)
    expectContent(await contentAfter(crashed), content)
    expect(lost.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^Perhaps lost: the newest changes of some pages, .* The directory of the page table is damaged/
      )
    ])
    await engine.close().catch(() => undefined)
  })

  it('takes the newest pages of a file that was cut off, and no older ones', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    const random = new Random(3)
    put(engine, '', 2_000, () => someText(random, 150))
    await engine.checkpoint()
    for (let round = 0; round < 3; round++) {
      put(engine, '', 800, i => `round ${round} ${i} ${someText(random, 100)}`, 500)
      await engine.checkpoint()
    }
    const content = contentOf(engine)
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    const { extents, entries } = await anatomyOf(new SimulatedDisk(1, crashed.state()))
    zero(crashed, extents.filter(directories))
    const leaves = extents.filter(({ kind }) => kind === 'leaf').sort((a, b) => a.from - b.from)
    const end = leaves.at(-3)?.from ?? 0
    const gone = new Set(extents.filter(({ to }) => to > end).map(({ id }) => id))
    crashed.place('data.ldb', crashed.bytes('data.ldb').slice(0, end))
    const { lost } = await repair(crashed)
    expect(lost.length).toBeGreaterThan(0)
    const decoder = new TextDecoder()
    const kept = new Map(content)
    for (const { leaf, key } of entries) if (gone.has(leaf)) kept.delete(`/${decoder.decode(key)}`)
    expect(kept.size).toBeGreaterThan(1_500)
    expectContent(await contentAfter(crashed), kept)
  })

  it('tells that a chunk may be an older one where the newest is gone, too', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    put(engine, '', 300, i => `first ${i}`)
    await engine.checkpoint()
    for (let round = 0; round < 3; round++) {
      put(engine, '', 1, i => `then ${i}`, round)
      await engine.checkpoint()
    }
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    const { extents } = await anatomyOf(new SimulatedDisk(1, crashed.state()))
    zero(
      crashed,
      extents.filter(({ kind }) => kind !== 'leaf' && kind !== 'branch')
    )
    const { lost, recovered } = await repair(crashed)
    expect(recovered).toBeGreaterThan(0)
    expect(lost.some(({ message }) => message.startsWith('Perhaps lost: the newest changes of some pages'))).toBe(true)
  })
})

describe('repair of a database whose meta slots are gone', () => {
  it('has all of a database with a single commit, and not the empty one that was there before', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    put(engine, '', 500, i => `value ${i}`)
    expect(engine.sequence).toBe(1)
    const content = contentOf(engine)
    await engine.close()
    zero(disk, metas)
    await repair(disk)
    expectContent(await contentAfter(disk), content)
  })

  it('follows the log to its end, however often that went from one file to the other', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    const tree = engine.tree(main)
    // Each time less is written than before, so that the ends of the earlier times are still in the files.
    for (const count of [40, 30, 20, 10]) {
      for (let i = 0; i < count; i++) {
        engine.put(tree, keyOf(i), utf8, `${count} ${i}`, utf8)
        engine.flushSync()
      }
      if (count > 10) await engine.checkpoint()
    }
    const content = contentOf(engine)
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    zero(crashed, metas)
    await repair(crashed)
    expectContent(await contentAfter(crashed), content)
  })

  it('tells which commits are missing when the log is damaged where it would go on', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    const tree = engine.tree(main)
    for (let i = 0; i < 10; i++) engine.put(tree, keyOf(i), utf8, 'value', utf8)
    await engine.checkpoint()
    const content = contentOf(engine)
    const { sequence } = engine
    for (let i = 0; i < 10; i++) {
      engine.put(tree, keyOf(i), utf8, 'newer', utf8)
      engine.flushSync()
    }
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    zero(crashed, metas)
    // Of each file only the last frame is left: a header, an operation, its key and its value.
    const frameBytes = 56 + 12 + keyOf(0).length + 'newer'.length
    for (const name of ['wal-0.ldb', 'wal-1.ldb']) {
      const bytes = crashed.bytes(name).slice()
      const end = bytes.findLastIndex(byte => byte !== 0) + 1
      if (end > 0) bytes.fill(0, 0, end - frameBytes)
      crashed.place(name, bytes)
    }
    const { lost } = await repair(crashed)
    expectContent(await contentAfter(crashed), content)
    expect(lost.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Perhaps lost: the newest state of the data file/),
      expect.stringMatching(new RegExp(`commits ${sequence + 1} to \\d+`))
    ])
  })

  it('does not apply the second half of a commit whose first half is damaged', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 4 << 20, cacheBytes: 8 << 20 })
    const tree = engine.tree(main)
    engine.put(tree, 'a', utf8, 'before', utf8)
    await engine.checkpoint()
    const random = new Random(5)
    put(engine, '', 900, () => someText(random, 900))
    engine.flushSync()
    const crashed = disk.kill()
    await engine.close().catch(() => undefined)
    zero(crashed, metas)
    const [name] = ['wal-0.ldb', 'wal-1.ldb'].filter(
      each => crashed.bytes(each).findLastIndex(byte => byte !== 0) > 600_000
    )
    if (name === undefined) throw new Error('There is no commit of two frames')
    const bytes = crashed.bytes(name).slice()
    bytes.fill(0x5a, 200_000, 200_100)
    crashed.place(name, bytes)
    const { lost } = await repair(crashed)
    expect([...(await contentAfter(crashed)).keys()]).toEqual(['/a'])
    expect(lost.length).toBe(2)
  })
})
