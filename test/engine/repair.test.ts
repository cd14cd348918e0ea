import { describe, expect, it, vi } from 'vitest'
import { viewEncoding } from '../../src/encoding/bytes-encoding.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { repair as repairFiles } from '../../src/engine/repair.ts'
import { anatomyOf, type Extent } from '../support/anatomy.ts'
import { Random } from '../support/random.ts'
import { resealMeta } from '../support/resealed.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const cacheBytes = 8 << 20
const repair = (disk: SimulatedDisk) => repairFiles(disk.vfs(), { cacheBytes })

/** A database of some hundred pages with sublevels and large values; what it holds. */
async function fill(disk: SimulatedDisk, entries = 3_000): Promise<{ engine: Engine; content: Content }> {
  const engine = await openEngine(disk.vfs())
  const random = new Random(7)
  for (const sublevel of ['', 'one', 'two']) {
    const tree = engine.tree(path(sublevel))
    const count = sublevel === '' ? entries : 200
    engine.batch(
      Array.from({ length: count }, (_, i) => {
        const value = someText(random, 40 + random.below(120))
        return { type: 'put', tree, key: keyOf(i), keyEncoding: utf8, value, valueEncoding: utf8 }
      })
    )
  }
  for (let i = 0; i < 4; i++) engine.put(engine.tree(path('')), `large ${i}`, utf8, someText(random, 300_000), utf8)
  engine.flushSync()
  return { engine, content: contentOf(engine) }
}

const keyOf = (i: number) => `key ${i.toString().padStart(5, '0')}`

async function filledDisk(entries = 3_000): Promise<{ disk: SimulatedDisk; content: Content }> {
  const disk = new SimulatedDisk()
  const { engine, content } = await fill(disk, entries)
  await engine.close()
  return { disk, content }
}

/** Opens, and expects a sound database that can be written; gives its content before. */
async function reopened(disk: SimulatedDisk): Promise<Content> {
  const engine = await openEngine(disk.vfs())
  const content = contentOf(engine)
  await expectSound(engine)
  engine.put(engine.tree(path('')), 'later', utf8, 'works', utf8)
  engine.flushSync()
  await engine.close()
  const again = await openEngine(disk.vfs())
  expectContent(contentOf(again), new Map([...content, ['/later', 'works']]))
  await again.close()
  return content
}

function spoil(disk: SimulatedDisk, from: number, to: number, name = 'data.ldb'): void {
  const bytes = disk.bytes(name)
  for (let at = from; at < to; at++) bytes[at] = (bytes[at] ?? 0) ^ 0x5a
  disk.place(name, bytes)
}

const spoilExtent = (disk: SimulatedDisk, extent: Extent) => spoil(disk, extent.from, extent.to)

function pick(extents: readonly Extent[], kind: Extent['kind'], tree?: number): Extent {
  const found = extents.filter(extent => extent.kind === kind && (tree === undefined || extent.tree === tree))
  const extent = found[Math.floor(found.length / 2)]
  if (extent === undefined) throw new Error(`There is no ${kind}`)
  return extent
}

describe('repair', () => {
  it('of a sound database loses nothing and keeps what was there beside', async () => {
    const { disk, content } = await filledDisk()
    const before = disk.bytes('data.ldb')
    expect(await repair(disk)).toEqual({ recovered: content.size, lost: [] })
    expect(Buffer.compare(disk.bytes('data.ldb.damaged-1'), before)).toBe(0)
    expectContent(await reopened(disk), content)
  })

  it('applies the log of a database that crashed', async () => {
    const disk = new SimulatedDisk()
    const { content } = await fill(disk)
    const crashed = disk.crash(3)
    expect(await repair(crashed)).toEqual({ recovered: content.size, lost: [] })
    expectContent(await reopened(crashed), content)
  })

  it('tells which keys stood in a damaged leaf, and has all others', async () => {
    const { disk, content } = await filledDisk()
    const { extents, entries } = await anatomyOf(disk)
    const leaf = pick(extents, 'leaf', 1)
    const gone = entries.filter(entry => entry.leaf === leaf.id).map(({ key }) => `/${new TextDecoder().decode(key)}`)
    spoilExtent(disk, leaf)
    const report = await repair(disk)
    const kept = new Map([...content].filter(([key]) => !gone.includes(key)))
    expect(report.recovered).toBe(kept.size)
    expect(report.lost).toHaveLength(1)
    const [part] = report.lost
    expect(part).toMatchObject({ file: 'data.ldb', offset: leaf.from, page: leaf.id, sublevel: [] })
    const [from, to] = [part?.keyRange?.from, part?.keyRange?.to].map(key => `/${new TextDecoder().decode(key)}`)
    expect(
      [...content.keys()].filter(key => from !== undefined && to !== undefined && key >= from && key < to)
    ).toEqual(gone)
    expect(part?.message).toMatch(/^Lost: keys from "key \d+" up to "key \d+" of the database's own keyspace/)
    expect(part?.message).toContain('data.ldb.damaged-1')
    expectContent(await reopened(disk), kept)
  })

  it('loses nothing with a damaged inner page', async () => {
    const { disk, content } = await filledDisk()
    const { extents } = await anatomyOf(disk)
    for (const extent of extents) if (extent.kind === 'branch') spoilExtent(disk, extent)
    expect(await repair(disk)).toEqual({ recovered: content.size, lost: [] })
    expectContent(await reopened(disk), content)
  })

  it('names the key whose large value is damaged', async () => {
    const { disk, content } = await filledDisk()
    const { extents, entries } = await anatomyOf(disk)
    const segment = pick(extents, 'segment')
    const key = new TextDecoder().decode(entries.find(entry => entry.segments.includes(segment.id))?.key)
    spoilExtent(disk, segment)
    const report = await repair(disk)
    expect(report.lost.map(({ message }) => message)).toEqual([
      expect.stringContaining(`the large value of the key "${key}"`)
    ])
    const kept = new Map(content)
    kept.delete(`/${key}`)
    expectContent(await reopened(disk), kept)
  })

  it('gives entries of sublevels back whose names are lost', async () => {
    const { disk, content } = await filledDisk()
    const { extents } = await anatomyOf(disk)
    spoilExtent(disk, pick(extents, 'leaf', 0))
    const report = await repair(disk)
    expect(report.recovered).toBe(content.size)
    expect(report.lost.length).toBeGreaterThan(0)
    const found = await reopened(disk)
    const renamed = [...content].map(([key, value]): [string, string] => [
      key.replace(/^one\//, 'recovered-2/').replace(/^two\//, 'recovered-3/'),
      value
    ])
    expectContent(found, new Map(renamed))
  })

  it('finds everything when both meta slots are gone', async () => {
    const { disk, content } = await filledDisk()
    spoil(disk, 0, 8_192)
    const report = await repair(disk)
    expect(report.lost).toHaveLength(1)
    expectContent(await reopened(disk), content)
  })

  it('takes no slot for a meta that says what cannot be, be its checksum right', async () => {
    const { disk, content } = await filledDisk()
    await resealMeta(disk, meta => {
      meta.setUint32(104, 0x8000_0000, true)
      meta.setUint32(108, 0x80_0000, true)
      meta.setUint32(116, 0x800_0000, true)
    })
    await expect(openEngine(disk.vfs())).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
    await repair(disk)
    expectContent(await reopened(disk), content)
  })

  it('applies the log when both meta slots are gone', async () => {
    const disk = new SimulatedDisk()
    const { engine } = await fill(disk)
    await engine.checkpoint()
    for (let i = 0; i < 50; i++) engine.put(engine.tree(path('')), keyOf(i * 7), utf8, `new ${i}`, utf8)
    engine.del(engine.tree(path('one')), keyOf(3), utf8)
    engine.flushSync()
    const content = contentOf(engine)
    const crashed = disk.crash(5)
    spoil(crashed, 0, 8_192)
    await repair(crashed)
    expectContent(await reopened(crashed), content)
  })

  it('finds everything when the directory and its copy are gone', async () => {
    const { disk, content } = await filledDisk()
    const { extents } = await anatomyOf(disk)
    for (const kind of ['directory', 'directory copy'] as const) spoilExtent(disk, pick(extents, kind))
    await repair(disk)
    expectContent(await reopened(disk), content)
  })

  it('loses no more than a block of a chunk names that is damaged in both places', async () => {
    const { disk, content } = await filledDisk(8_000)
    const { extents } = await anatomyOf(disk)
    const bytes = disk.bytes('data.ldb')
    for (const kind of ['chunk', 'chunk copy'] as const) {
      const chunk = extents.find(extent => extent.kind === kind && extent.id === 0) ?? pick(extents, kind)
      const end = (Math.floor(chunk.from / 4_096) + 1) * 4_096
      bytes.fill(0, end, Math.min(end + 4_096, chunk.to))
    }
    disk.place('data.ldb', bytes)
    const report = await repair(disk)
    expect(report.lost.length).toBeGreaterThan(0)
    const found = await reopened(disk)
    expect(found.size).toBeGreaterThan(200)
    for (const [key, value] of found) expect(content.get(key) === value).toBe(true)
  })

  it('mends a table that lost one bit', async () => {
    const { disk, content } = await filledDisk()
    const { extents } = await anatomyOf(disk)
    const bytes = disk.bytes('data.ldb')
    const tables = (['directory', 'directory copy'] as const).map(kind => pick(extents, kind).from + 9)
    const chunks = (['chunk', 'chunk copy'] as const).map(kind => pick(extents, kind).from + 777)
    for (const at of [60, 4_096 + 61, ...tables, ...chunks]) {
      bytes[at] = (bytes[at] ?? 0) ^ 4
    }
    disk.place('data.ldb', bytes)
    expect(await repair(disk)).toEqual({ recovered: content.size, lost: [] })
    expectContent(await reopened(disk), content)
  })

  it('ends the log at its damage and tells which commits are missing', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    for (let i = 0; i < 40; i++) {
      engine.put(engine.tree(path('')), keyOf(i), utf8, `value ${i}`, utf8)
      engine.flushSync()
    }
    const crashed = disk.crash(1)
    spoil(crashed, 2_000, 2_010, 'wal-0.ldb')
    const report = await repair(crashed)
    expect(report.lost).toHaveLength(1)
    const [part] = report.lost
    expect(part).toMatchObject({ file: 'wal-0.ldb' })
    const first = Number(/commits (\d+) to 39/.exec(part?.message ?? '')?.[1])
    expect([...(await reopened(crashed)).keys()]).toEqual(Array.from({ length: first - 1 }, (_, i) => `/${keyOf(i)}`))
  })

  it('tells that the log is missing', async () => {
    const disk = new SimulatedDisk()
    const { engine } = await fill(disk)
    await engine.checkpoint()
    const content = contentOf(engine)
    const crashed = disk.crash(1)
    for (const name of ['wal-0.ldb', 'wal-1.ldb']) crashed.take(name)
    const report = await repair(crashed)
    expect(report.lost.map(({ file }) => file?.slice(0, 3))).toEqual(['wal'])
    expectContent(await reopened(crashed), content)
  })

  it('makes a database of nothing but a log', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    for (let i = 0; i < 40; i++) engine.put(engine.tree(path('s')), keyOf(i), utf8, `value ${i}`, utf8)
    engine.flushSync()
    const content = contentOf(engine)
    const crashed = disk.crash(1)
    crashed.take('data.ldb')
    await repair(crashed)
    expectContent(await reopened(crashed), content)
  })

  describe('of a database with a long log', () => {
    /** Everything stands in the log only, in hundreds of frames and several windows of the reader. */
    async function longLog(): Promise<{ disk: SimulatedDisk; content: Content }> {
      const disk = new SimulatedDisk()
      const engine = await openEngine(disk.vfs(), { walBytes: 16 << 20, cacheBytes: 32 << 20, durability: 'relaxed' })
      const random = new Random(5)
      for (let i = 0; i < 400; i++) {
        const put = (key: string) =>
          ({
            type: 'put',
            tree: engine.tree(path('')),
            key,
            keyEncoding: utf8,
            value: someText(random, 900),
            valueEncoding: utf8
          }) as const
        engine.batch(Array.from({ length: 10 }, (_, k) => put(`${keyOf(i)} ${k}`)))
      }
      engine.flushSync()
      const content = contentOf(engine)
      return { disk: disk.crash(1), content }
    }

    it('lets other work run between its frames and tells how far it is', async () => {
      const { disk, content } = await longLog()
      let now = 0
      // Every look at the clock finds the slice at its end.
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000))
      const told: number[] = []
      try {
        await repairFiles(disk.vfs(), { cacheBytes, onProgress: ({ done, total }) => told.push(done / total) })
      } finally {
        clock.mockRestore()
      }
      expect(told.length).toBeGreaterThan(800)
      expect(told.every((share, i) => share <= 1 && share >= (told[i - 1] ?? 0))).toBe(true)
      expect(told.at(-1)).toBe(1)
      expectContent(await reopened(disk), content)
    })

    it('can be aborted while it reads the log', async () => {
      const { disk } = await longLog()
      const names = disk.names
      const controller = new AbortController()
      let reads = 0
      disk.fault = ({ kind, file }) => {
        if (kind === 'read' && file.startsWith('wal') && ++reads === 2) controller.abort()
        return undefined
      }
      await expect(repairFiles(disk.vfs(), { cacheBytes, signal: controller.signal })).rejects.toMatchObject({
        code: 'LIGHTNING_ABORTED'
      })
      expect(reads).toBe(2)
      expect(disk.names).toEqual(names)
    })
  })

  it('can be run again and keeps the files of every time', async () => {
    const { disk, content } = await filledDisk()
    await repair(disk)
    await repair(disk)
    expect(disk.names).toEqual(expect.arrayContaining(['data.ldb.damaged-1', 'data.ldb.damaged-2']))
    expectContent(await reopened(disk), content)
  })

  it('keeps empty sublevels', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    engine.put(engine.tree(path('empty')), 'k', utf8, 'v', utf8)
    engine.clear(engine.tree(path('empty')), everything)
    await engine.close()
    await repair(disk)
    const again = await openEngine(disk.vfs())
    expect(again.names(new Uint8Array(0))).toEqual(['empty'])
    await again.close()
  })

  it('brings every byte of keys and values back', async () => {
    const disk = new SimulatedDisk()
    const view = viewEncoding()
    const engine = await openEngine(disk.vfs())
    const tree = engine.tree(path(''))
    const keys = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i, 0, 255 - i))
    for (const key of keys) engine.put(tree, key, view, key.subarray(1), view)
    await engine.close()
    await repair(disk)
    const again = await openEngine(disk.vfs())
    for (const key of keys) expect(again.get(again.tree(path('')), undefined, key, view, view)).toEqual(key.subarray(1))
    await again.close()
  })

  it('is refused while somebody has the database', async () => {
    const disk = new SimulatedDisk()
    const { engine } = await fill(disk, 10)
    await expect(repair(disk)).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    await engine.close()
  })

  it('that fails leaves everything as it was', async () => {
    const { disk, content } = await filledDisk()
    const names = disk.names
    for (const code of ['ENOSPC', 'EIO', 'EACCES'] as const) {
      disk.fault = ({ kind, file }) => (kind === 'write' && file.includes('repairing') ? { code } : undefined)
      await expect(repair(disk)).rejects.toMatchObject({ name: 'LightningError' })
      disk.fault = undefined
      expect(disk.names).toEqual(names)
    }
    expectContent(await reopened(disk), content)
  })

  it('that is aborted says so, though the disk fails as well', async () => {
    const { disk, content } = await filledDisk()
    const names = disk.names
    const controller = new AbortController()
    let reads = 0
    disk.fault = ({ kind, file }) => {
      if (kind === 'read' && file === 'data.ldb' && ++reads === 60) controller.abort()
      return kind === 'write' && controller.signal.aborted ? { code: 'EIO' } : undefined
    }
    const options = { cacheBytes, signal: controller.signal }
    await expect(repairFiles(disk.vfs(), options)).rejects.toMatchObject({ code: 'LIGHTNING_ABORTED' })
    disk.fault = undefined
    expect(disk.names).toEqual(names)
    expectContent(await reopened(disk), content)
  })

  it('on a disk that is full for one write has done nothing, or all of it', async () => {
    const source = new SimulatedDisk()
    const { engine, content } = await fill(source, 100)
    await engine.close()
    const outcomes = new Set<string>()
    let wasFull = true
    for (let nth = 1; wasFull; nth++) {
      const disk = new SimulatedDisk(1, source.state())
      let writes = 0
      wasFull = false
      disk.fault = ({ kind }) => {
        if (kind !== 'write' || ++writes !== nth) return undefined
        wasFull = true
        return { code: 'ENOSPC' }
      }
      await repair(disk).then(
        () => outcomes.add('repaired'),
        error => outcomes.add(error.code)
      )
      disk.fault = undefined
      const opened = await openEngine(disk.vfs())
      expectContent(contentOf(opened), content)
      await opened.close()
    }
    expect(outcomes).toEqual(new Set(['repaired', 'LIGHTNING_DISK_FULL']))
  })

  it('that is killed anywhere has done nothing, or is ended by whoever opens next', async () => {
    const disk = new SimulatedDisk()
    const { engine, content } = await fill(disk, 100)
    await engine.close()
    const recorded = new SimulatedDisk(1, disk.state()).record()
    await repair(recorded)
    for (const moment of recorded.moments()) {
      // All of the last moments, in which the files change places, and some of those in which the new one is written.
      if (moment.at % 6 !== 0 && moment.at < recorded.changes - 14) continue
      for (const left of [moment.kill(), moment.crash(moment.at), moment.crash(moment.at + 1_000)]) {
        const again = moment.at % 3 === 0
        if (again) expect(await repair(left)).toMatchObject({ recovered: content.size, lost: [] })
        const opened = await openEngine(left.vfs())
        expectContent(contentOf(opened), content)
        await opened.close()
      }
    }
  }, 60_000)

  it('that was killed before it took effect never takes the place of a newer data file that got lost', async () => {
    const disk = new SimulatedDisk()
    const { engine } = await fill(disk, 100)
    await engine.close()
    const recorded = new SimulatedDisk(1, disk.state()).record()
    await repair(recorded)
    let unused: SimulatedDisk | undefined
    for (const moment of recorded.moments()) {
      const left = moment.kill()
      if (left.names.includes('data.ldb.repaired-1') && left.names.includes('data.ldb')) unused ??= left
    }
    if (unused === undefined) throw new Error('A repair has no such moment')
    const later = await openEngine(unused.vfs())
    later.put(later.tree(path('')), 'later', utf8, 'value', utf8)
    const content = contentOf(later)
    await later.close()
    const dataFile = unused.bytes('data.ldb')
    unused.take('data.ldb')
    await expect(openEngine(unused.vfs())).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT', file: 'wal-0.ldb' })
    unused.place('data.ldb', dataFile)
    expectContent(await reopened(unused), content)
  })

  it('of nothing but a log that is killed anywhere has done nothing, or is ended by whoever comes next', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
    engine.put(engine.tree(path('')), 'key', utf8, 'value', utf8)
    await engine.settled()
    const left = disk.kill()
    await engine.close().catch(() => undefined)
    left.take('data.ldb')
    const recorded = new SimulatedDisk(1, left.state()).record()
    await repair(recorded)
    const content = new Map([['/key', 'value']])
    const codes = new Set<string>()
    for (const moment of recorded.moments()) {
      if (moment.at < recorded.changes - 12) continue
      for (const found of [moment.kill(), moment.crash(moment.at), moment.crash(moment.at + 1_000)]) {
        const opened = openEngine(found.vfs()).then(async again => {
          await again.close()
          return 'opened'
        })
        codes.add(await opened.catch((error: { code: string }) => error.code))
        await repair(found)
        expectContent(await reopened(found), content)
      }
    }
    expect(codes).toEqual(new Set(['opened', 'LIGHTNING_CORRUPT']))
  })
})
