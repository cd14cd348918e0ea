// The page table of a damaged database, as far as it can be trusted.
//
// What a meta, directory or chunk says is sure when its checksum is right, and directory and chunks stand there twice,
// so damage in one place costs nothing. Where neither is right (or an older version wrote them, once), two kinds of
// damage must be told apart: bytes that were spoilt, beside which the others are as they were, and a block that holds
// an older version of itself, where every entry looks right and leads to pages that were true once. So entries of a
// damaged chunk count only when their image confirms them and another 4 KiB block of the same chunk is seen to be the
// spoilt one. The same goes for the directory, unless the newest commit in its chunks is the one that the meta names.
import { IMAGE } from '../../assembly/state.ts'
import { blockBytes, chunkBytes, chunkIds, directoryEntryBytes, entryBytes, sectorBytes } from '../store/format.ts'
import type { Core } from './core.ts'
import { withOneBitFlipped } from './repair-bits.ts'
import {
  type ChunkPlace,
  isConfirmed,
  isFree,
  isWithinFile,
  looksLikeEntry,
  newestIn,
  noPlace,
  placeAt,
  readChunk,
  viewOf,
  wholeChunk,
  wholeOf
} from './repair-entries.ts'
import type { Losses } from './repair-losses.ts'
import { type FoundTables, findTables } from './repair-search.ts'
import type { Stages } from './repair-stages.ts'

/**
 * Loads what can be trusted into the kernel's page table; `found` is what stands in for a meta. Tells whether that is
 * all of the table.
 */
export async function salvageTables(
  core: Core,
  found: FoundTables | undefined,
  losses: Losses,
  stages: Stages
): Promise<boolean> {
  const { chunks, isAll } = found === undefined ? await directoryOf(core, losses, stages) : { ...found, isAll: true }
  let isWhole = isAll
  // The search, if there was one, is over.
  stages.begin(0)
  for (const [chunk, place] of chunks.entries()) {
    await stages.step(0)
    if (place.sector === 0) continue
    const whole = wholeChunk(core, chunk, place)
    if (whole !== undefined) load(core, chunk, whole)
    else {
      const kept = await salvageFrom(core, chunk, place, stages)
      tellOfChunk(core, chunk, place, kept, losses)
      if (kept < chunkIds) isWhole = false
    }
  }
  return isWhole
}

/** Loads what can be trusted of a chunk, of its copy if nothing else; tells how many entries. */
async function salvageFrom(core: Core, chunk: number, place: ChunkPlace, stages: Stages): Promise<number> {
  for (const sector of [place.sector, place.copySector]) {
    const bytes = sector === 0 ? undefined : readChunk(core.data, sector)
    const kept = bytes === undefined ? 0 : await salvageChunk(core, chunk, { ...place, sector }, bytes, stages)
    if (kept > 0) return kept
  }
  return 0
}

/** Chunks of a page table. */
interface FoundChunks {
  readonly chunks: readonly ChunkPlace[]
  /** Whether that is certainly all of the newest state. */
  readonly isAll: boolean
}

/** The chunks that the meta's directory names, without those that cannot be trusted. */
async function directoryOf(core: Core, losses: Losses, stages: Stages): Promise<FoundChunks> {
  const { meta, data } = core
  if (meta.chunkCount === 0) return { chunks: [], isAll: true }
  const first = readDirectory(core, meta.directorySector)
  const copy = meta.directoryCopySector === 0 ? undefined : readDirectory(core, meta.directoryCopySector)
  const isRight = (bytes: Uint8Array) => core.checksum(bytes, 0) === meta.directoryChecksum
  const whole = wholeOf(first, copy, isRight)
  if (whole !== undefined) return { chunks: placesIn(whole), isAll: true }
  if (
    first.length <= blockBytes &&
    (await withOneBitFlipped(
      first,
      () => isRight(first),
      () => stages.step(0)
    ))
  ) {
    return { chunks: placesIn(first), isAll: true }
  }
  const sure = await sureEntries(core, first, stages)
  const searched = sure === undefined ? await findTables(core, meta, stages) : undefined
  const chunks = sure ?? searched?.chunks ?? []
  const missing = meta.chunkCount - chunks.filter(chunk => chunk.sector !== 0).length
  const tell = (message: string) =>
    losses.other(message, 'The directory of the page table is damaged', {
      file: data.file.name,
      offset: meta.directorySector * sectorBytes
    })
  if (missing > 0) tell(`Perhaps lost: ${missing} of ${meta.chunkCount} parts of the page table, of 256 pages each.`)
  const isNewest = searched?.isNewest !== false
  if (!isNewest) {
    tell('Perhaps lost: the newest changes of some pages, which then have the entries that they had before.')
  }
  return { chunks, isAll: missing === 0 && isNewest }
}

/** What stands where the directory should be, as far as the file goes. */
function readDirectory({ meta, data }: Core, sector: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(meta.directoryBytes, meta.chunkCount * directoryEntryBytes))
  return bytes.subarray(0, data.file.readAt(bytes, sector * sectorBytes))
}

/** Entries of a damaged directory that their chunks confirm; undefined when it may be an older directory. */
async function sureEntries(core: Core, bytes: Uint8Array, stages: Stages): Promise<readonly ChunkPlace[] | undefined> {
  const { meta, data } = core
  let lsn = 0
  let isSpoilt = false
  const sectors = Math.ceil(data.file.size() / sectorBytes)
  const view = viewOf(bytes)
  const places: ChunkPlace[] = []
  for (const [chunk, place] of placesIn(bytes).entries()) {
    await stages.step(0)
    const at = chunk * directoryEntryBytes
    const isPlausible =
      view.getUint32(at + 4, true) === (place.sector === 0 ? 0 : chunkBytes) &&
      Math.max(place.sector, place.copySector) < sectors
    if (!isPlausible) isSpoilt = true
    const entries = isPlausible && place.sector !== 0 ? wholeChunk(core, chunk, place) : undefined
    if (entries !== undefined) lsn = Math.max(lsn, newestIn(entries))
    places.push(entries === undefined ? noPlace : place)
  }
  return places.some(place => place.sector !== 0) && (isSpoilt || lsn === meta.lsn) ? places : undefined
}

function placesIn(bytes: Uint8Array): ChunkPlace[] {
  const view = viewOf(bytes)
  const length = Math.floor(bytes.length / directoryEntryBytes)
  return Array.from({ length }, (_, i) => placeAt(view, i * directoryEntryBytes))
}

function load(core: Core, chunk: number, bytes: Uint8Array): void {
  const image = core.memory.word(IMAGE)
  core.memory.bytes.set(bytes, image)
  core.kernel.exports.loadChunk(chunk, image)
}

/** Loads the entries of a damaged chunk that can be trusted; tells how many. */
async function salvageChunk(
  core: Core,
  chunk: number,
  place: ChunkPlace,
  bytes: Uint8Array,
  stages: Stages
): Promise<number> {
  const image = core.memory.word(IMAGE)
  core.memory.bytes.set(bytes, image)
  const area = core.memory.bytes.subarray(image, image + chunkBytes)
  const isRight = () => core.kernel.exports.xxh32(image, chunkBytes, chunk) >>> 0 === place.checksum
  if (await withOneBitFlipped(area, isRight, () => stages.step(0))) {
    load(core, chunk, area.slice())
    return chunkIds
  }
  const kept = trustedEntries(core, chunk, place.sector * sectorBytes, bytes)
  const sure = new Uint8Array(chunkBytes)
  for (const i of kept) sure.set(bytes.subarray(i * entryBytes, (i + 1) * entryBytes), i * entryBytes)
  load(core, chunk, sure)
  return kept.length
}

/** Which entries of a damaged chunk at byte `offset` of the file can be trusted. */
function trustedEntries(core: Core, chunk: number, offset: number, bytes: Uint8Array): number[] {
  const view = viewOf(bytes)
  const blockOf = (byte: number): number => Math.floor((offset + byte) / blockBytes)
  const blocks = new Map<number, { right: number; wrong: number; isSpoilt: boolean }>()
  const confirmed: number[] = []
  const end = core.meta.tableLimit - chunk * chunkIds
  for (let i = 0; i < chunkIds; i++) {
    const id = chunk * chunkIds + i
    const at = i * entryBytes
    const block = blockOf(at)
    // An entry that two blocks share tells nothing about either.
    const isWithin = block === blockOf(at + entryBytes - 1)
    const seen = blocks.get(block) ?? { right: 0, wrong: 0, isSpoilt: false }
    if (isWithin && i < end) blocks.set(block, seen)
    if (isFree(view, at)) continue
    if (id === 0 || i >= end || !looksLikeEntry(view, at) || !isWithinFile(core.data, view, at))
      seen.isSpoilt ||= isWithin
    else if (isConfirmed(core, id, view, at)) {
      confirmed.push(i)
      if (isWithin) seen.right++
    } else if (isWithin) seen.wrong++
  }
  const spoilt = new Set<number>()
  for (const [block, { right, wrong, isSpoilt }] of blocks) {
    if (isSpoilt || wrong > right || right + wrong === 0) spoilt.add(block)
  }
  if (spoilt.size === 0) return []
  return confirmed.filter(i => !spoilt.has(blockOf(i * entryBytes)) && !spoilt.has(blockOf((i + 1) * entryBytes - 1)))
}

function tellOfChunk(core: Core, chunk: number, place: ChunkPlace, kept: number, losses: Losses): void {
  if (kept === chunkIds) return
  const from = Math.max(1, chunk * chunkIds)
  const to = Math.min((chunk + 1) * chunkIds, core.meta.tableLimit) - 1
  const message = `Perhaps lost: pages ${from} to ${to}${kept === 0 ? '' : `, ${kept} of which were found`}.`
  losses.other(message, `Part ${chunk} of the page table is damaged`, {
    file: core.data.file.name,
    offset: place.sector * sectorBytes
  })
}
