// The page table stands on the disk twice, so that no one damaged place costs more than what stands in it.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { closeFiles } from '../../src/engine/closing.ts'
import { openCore } from '../../src/engine/opening.ts'
import { readingOptions } from '../../src/engine/reading-options.ts'
import { repair } from '../../src/engine/repair.ts'
import { sectorsOf } from '../../src/store/block-map.ts'
import { blockBytes, dataFileName, sectorBytes } from '../../src/store/format.ts'
import { type Anatomy, anatomyOf, type Extent } from '../support/anatomy.ts'
import { Random } from '../support/random.ts'
import { reseal, resealMeta } from '../support/resealed.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, everything, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const options = { walBytes: 1 << 20, compression: 'none' } as const
const cacheBytes = 8 << 20
const root = path('')

function fill(engine: Engine, random: Random, entries: number): void {
  for (let i = 0; i < entries; i++) {
    engine.put(engine.tree(root), `key ${random.below(10_000_000)}`, utf8, someText(random, 300), utf8)
  }
}

/** A closed database of several chunks. */
async function filledDisk(entries = 6_000): Promise<{ disk: SimulatedDisk; content: Content }> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), options)
  const random = new Random(4)
  for (let round = 0; round < 3; round++) {
    fill(engine, random, entries / 3)
    await engine.checkpoint()
  }
  const content = contentOf(engine)
  await engine.close()
  return { disk, content }
}

function spoilt(disk: SimulatedDisk, ...places: readonly Extent[]): SimulatedDisk {
  const copy = new SimulatedDisk(1, disk.state())
  const bytes = copy.bytes(dataFileName)
  for (const { from, to } of places) bytes.fill(0x5a, from, to)
  copy.place(dataFileName, bytes)
  return copy
}

const ofKind = ({ extents }: Anatomy, ...kinds: readonly Extent['kind'][]): readonly Extent[] =>
  extents.filter(({ kind }) => kinds.includes(kind))

/** Each first one beside its copy. */
function pairsOf(anatomy: Anatomy): readonly (readonly [Extent, Extent])[] {
  return ofKind(anatomy, 'directory', 'chunk').map(first => {
    const copy = ofKind(anatomy, `${first.kind === 'chunk' ? 'chunk' : 'directory'} copy`).find(
      ({ id }) => id === first.id
    )
    if (copy === undefined) throw new Error(`The ${first.kind} ${first.id} has no copy`)
    return [first, copy]
  })
}

const blocksOf = ({ from, to }: Extent): readonly number[] => {
  const first = Math.floor(from / blockBytes)
  return Array.from({ length: Math.ceil(to / blockBytes) - first }, (_, i) => first + i)
}

function expectPairs(bytes: Uint8Array, anatomy: Anatomy): void {
  for (const [first, copy] of pairsOf(anatomy)) {
    expect(blocksOf(first).some(block => blocksOf(copy).includes(block))).toBe(false)
    expect(Buffer.compare(bytes.subarray(first.from, first.to), bytes.subarray(copy.from, copy.to))).toBe(0)
  }
}

describe('the copies of directory and chunks', () => {
  test('are written by a checkpoint, the same bytes in blocks of their own', async () => {
    const { disk } = await filledDisk()
    const anatomy = await anatomyOf(disk)
    expect(pairsOf(anatomy).length).toBeGreaterThan(3)
    expectPairs(disk.bytes(dataFileName), anatomy)
  })

  test('stand before the first ones where there is room', async () => {
    const { disk } = await filledDisk()
    const anatomy = await anatomyOf(disk)
    for (const [first, copy] of pairsOf(anatomy)) expect(copy.from).toBeLessThan(first.from)
  })

  test('are in a backup, before all pages', async () => {
    const { disk, content } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    const backup = new SimulatedDisk()
    await engine.backup(backup.vfs())
    await engine.close()
    const anatomy = await anatomyOf(backup)
    expectPairs(backup.bytes(dataFileName), anatomy)
    const pages = Math.min(...ofKind(anatomy, 'leaf', 'branch').map(({ from }) => from))
    for (const [, copy] of pairsOf(anatomy)) expect(copy.to).toBeLessThanOrEqual(pages)
    const opened = await openEngine(backup.vfs(), options)
    expectContent(contentOf(opened), content)
    await expectSound(opened)
    await opened.close()
  })

  test('count as used after an opening', async () => {
    const { disk } = await filledDisk()
    const anatomy = await anatomyOf(disk)
    const core = await openCore(disk.vfs(), readingOptions)
    for (const { from, to } of pairsOf(anatomy).flat()) {
      const extent = { sector: from / sectorBytes, sectors: sectorsOf(to - from) }
      expect(core.data.blocks.isMarked(extent)).toBe(true)
    }
    core.isClosed = true
    await closeFiles(core)
  })

  test('move towards the start when the database is compacted', async () => {
    const { disk } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    const before = engine.stats().file.bytes
    engine.clear(engine.tree(root), { ...everything, upper: utf8.encode('key 9'), upperOpen: true })
    await engine.compact()
    expect(engine.stats().file.bytes).toBeLessThan(before / 4)
    await expectSound(engine)
    await engine.close()
    expectPairs(disk.bytes(dataFileName), await anatomyOf(disk))
  })

  test('are given back when they are replaced', async () => {
    const { disk } = await filledDisk()
    const engine = await openEngine(disk.vfs(), options)
    const random = new Random(9)
    const used: number[] = []
    for (let round = 0; round < 6; round++) {
      engine.put(engine.tree(root), `key ${random.below(9)}`, utf8, someText(random, 100), utf8)
      await engine.checkpoint()
      used.push(engine.stats().file.usedBytes)
    }
    expect(Math.max(...used.slice(3)) - Math.min(...used.slice(3))).toBeLessThan(8 * blockBytes)
    await expectSound(engine)
    await engine.close()
  })

  test('leave room for what they take at the quota', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { ...options, pageSize: 4_096, maxBytes: 6 << 20, cacheBytes })
    const random = new Random(2)
    expect(() => {
      for (;;) fill(engine, random, 50)
    }).toThrow(expect.objectContaining({ code: 'LIGHTNING_DISK_FULL' }))
    await engine.checkpoint()
    await expectSound(engine)
    await engine.close()
    expectPairs(disk.bytes(dataFileName), await anatomyOf(disk))
  })
})

describe('damage in one place of the page table', () => {
  test('is corruption at an opening when it is the first one, and told by verify when it is the copy', async () => {
    const { disk, content } = await filledDisk()
    for (const [first, copy] of pairsOf(await anatomyOf(disk))) {
      await expect(openEngine(spoilt(disk, first).vfs(), options)).rejects.toMatchObject({
        code: 'LIGHTNING_CORRUPT',
        offset: first.from
      })
      const engine = await openEngine(spoilt(disk, copy).vfs(), options)
      expectContent(contentOf(engine), content)
      const { problems } = await engine.verify()
      expect(problems).toMatchObject([{ file: dataFileName, offset: copy.from }])
      expect(problems[0]?.message).toMatch(/^The copy of .* is damaged\. Nothing is lost/)
      await engine.close()
    }
  })

  test('is corruption when there is a copy of a chunk that the directory does not name', async () => {
    const { disk } = await filledDisk(1_500)
    await reseal(disk, 1, ({ page }) => {
      const file = new DataView(page.buffer)
      file.setUint32(file.getUint32(112, true) * sectorBytes, 0, true)
    })
    await expect(openEngine(disk.vfs(), options)).rejects.toMatchObject({
      code: 'LIGHTNING_CORRUPT',
      message: expect.stringContaining('Chunk 0 of the page table')
    })
  })

  test('loses nothing in a repair', async () => {
    const { disk, content } = await filledDisk(1_500)
    for (const place of pairsOf(await anatomyOf(disk)).flat()) {
      const damaged = spoilt(disk, place)
      expect(await repair(damaged.vfs(), { cacheBytes })).toEqual({ recovered: content.size, lost: [] })
      const engine = await openEngine(damaged.vfs(), options)
      expectContent(contentOf(engine), content)
      await engine.close()
    }
  })

  test('loses nothing in a repair beside damage of both meta slots', async () => {
    const { disk, content } = await filledDisk(1_500)
    const metas: Extent = { kind: 'directory', from: 0, to: 2 * blockBytes, id: 0, tree: 0 }
    for (const place of pairsOf(await anatomyOf(disk)).flat()) {
      const { recovered, lost } = await repair(spoilt(disk, metas, place).vfs(), { cacheBytes })
      expect(recovered).toBe(content.size)
      expect(lost).toHaveLength(1)
    }
  })

  test('loses nothing when one block of the first and the other of its copy are damaged', async () => {
    const { disk, content } = await filledDisk(1_500)
    for (const [first, copy] of pairsOf(await anatomyOf(disk))) {
      if (first.kind !== 'chunk') continue
      const head = { ...first, to: first.from + blockBytes }
      const end = { ...copy, from: copy.from + blockBytes }
      expect(await repair(spoilt(disk, head, end).vfs(), { cacheBytes })).toEqual({ recovered: content.size, lost: [] })
    }
  })

  test('costs nothing beside the pages that went with the end of a file', async () => {
    const { disk } = await filledDisk()
    const anatomy = await anatomyOf(disk)
    const cut = Math.min(...pairsOf(anatomy).map(([first]) => first.from))
    const gone = new Set(ofKind(anatomy, 'leaf').flatMap(({ id, to }) => (to > cut ? [id] : [])))
    const kept = anatomy.entries.filter(({ leaf, tree }) => tree > 0 && !gone.has(leaf)).length
    disk.place(dataFileName, disk.bytes(dataFileName).slice(0, cut))
    const { recovered } = await repair(disk.vfs(), { cacheBytes })
    expect(recovered).toBe(kept)
    expect(kept).toBeGreaterThan(0)
  })
})

describe('a database without copies', () => {
  const fixture = (): SimulatedDisk => {
    const folder = new URL('../fixtures/format-1/closed/', import.meta.url)
    const disk = new SimulatedDisk()
    for (const file of readdirSync(folder)) disk.place(file, readFileSync(new URL(file, folder)))
    return disk
  }

  test('gets them with the next checkpoint', async () => {
    const disk = fixture()
    expect(ofKind(await anatomyOf(disk), 'chunk copy', 'directory copy')).toEqual([])
    const engine = await openEngine(disk.vfs())
    await expectSound(engine)
    engine.put(engine.tree(root), 'new', utf8, 'value', utf8)
    await engine.close()
    expectPairs(disk.bytes(dataFileName), await anatomyOf(disk))
  })

  test('is one that was written by a program which knows none, whatever its directory still says', async () => {
    const { disk, content } = await filledDisk(1_500)
    await resealMeta(disk, meta => meta.setUint32(132, 0, true))
    expect(ofKind(await anatomyOf(disk), 'chunk copy', 'directory copy')).toEqual([])
    const engine = await openEngine(disk.vfs(), options)
    await expectSound(engine)
    fill(engine, new Random(8), 300)
    await engine.checkpoint()
    await expectSound(engine)
    for (const [key, value] of content) {
      expect(engine.get(engine.tree(root), undefined, key.slice(1), utf8, utf8) === value).toBe(true)
    }
    await engine.close()
  })
})
