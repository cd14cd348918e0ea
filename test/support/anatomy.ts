// Where everything of a sound database stands on its disk: what a test damages, and what it must get back afterwards.
import { MISS, TABLE_LIMIT } from '../../assembly/state.ts'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import type { Core } from '../../src/engine/core.ts'
import { closeFiles } from '../../src/engine/closing.ts'
import { openCore } from '../../src/engine/opening.ts'
import { readingOptions } from '../../src/engine/reading-options.ts'
import { PageView } from '../../src/engine/page-view.ts'
import { chunkBytes, dataFileName, sectorBytes } from '../../src/store/format.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** A piece of the data file that something names. */
export interface Extent {
  readonly kind: 'directory' | 'directory copy' | 'chunk' | 'chunk copy' | 'leaf' | 'branch' | 'segment'
  readonly from: number
  readonly to: number
  /** Page id, or number of the chunk. */
  readonly id: number
  readonly tree: number
}

/** An entry of a leaf, and the segments of its value if it is large. */
export interface LeafEntry {
  readonly leaf: number
  readonly tree: number
  readonly key: Uint8Array
  readonly segments: readonly number[]
}

export interface Anatomy {
  readonly pageBytes: number
  /** Bytes of the data file. */
  readonly bytes: number
  readonly extents: readonly Extent[]
  /** Entries of all leaves, the catalog's too. */
  readonly entries: readonly LeafEntry[]
}

/** The pages as the last checkpoint on the disk has them; the log must be empty. */
export async function anatomyOf(disk: SimulatedDisk): Promise<Anatomy> {
  const core = await openCore(disk.vfs(), readingOptions)
  try {
    return dissect(core, disk.bytes(dataFileName).length)
  } finally {
    core.isClosed = true
    await closeFiles(core)
  }
}

function dissect(core: Core, bytes: number): Anatomy {
  const { memory, kernel, directory, meta } = core
  const extents: Extent[] = []
  const entries: LeafEntry[] = []
  const add = (kind: Extent['kind'], sector: number, length: number, id: number, tree: number): void => {
    const from = sector * sectorBytes
    extents.push({ kind, from, to: from + length, id, tree })
  }
  const word = (id: number, at: number): number => memory.word((kernel.exports.entryAt(id, 0) >>> 0) + at)
  add('directory', meta.directorySector, meta.directoryBytes, 0, 0)
  if (meta.directoryCopySector !== 0) add('directory copy', meta.directoryCopySector, meta.directoryBytes, 0, 0)
  for (let chunk = 0; chunk < directory.length; chunk++) {
    if (directory.sector(chunk) !== 0) add('chunk', directory.sector(chunk), chunkBytes, chunk, 0)
    if (directory.copySector(chunk) !== 0) add('chunk copy', directory.copySector(chunk), chunkBytes, chunk, 0)
  }
  for (let id = 1; id < memory.word(TABLE_LIMIT); id++) {
    const sector = word(id, 0)
    if (sector === 0) continue
    const length = word(id, 4) & 0xffffff
    if (((word(id, 4) >>> 24) & ENTRY_LARGE) !== 0) {
      add('segment', sector, length, id, 0)
      continue
    }
    const page = pageOf(core, id)
    add(page.level === 0 ? 'leaf' : 'branch', sector, length, id, page.tree)
    if (page.level > 0) continue
    for (let i = 0; i < page.count; i++) {
      const segments: number[] = []
      for (let at = page.largeValue(i)?.first ?? 0; at !== 0; at = word(at, 20)) segments.push(at)
      entries.push({ leaf: id, tree: page.tree, key: page.key(i), segments })
    }
  }
  return { pageBytes: meta.pageBytes, bytes, extents, entries }
}

function pageOf(core: Core, id: number): PageView {
  while (true) {
    const address = core.kernel.exports.resolve(id, 0) >>> 0
    if (address !== 0) return new PageView(core.memory, address)
    core.provide(MISS)
  }
}
