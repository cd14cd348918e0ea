// The page table of a damaged database, as far as it can be trusted.
//
// What a meta, directory or chunk says is sure when its checksum is right. Where it is not, two kinds of damage must be
// told apart: bytes that were spoilt, beside which the others are as they were, and a block that holds an older version
// of itself, where every entry looks right and leads to pages that were true once. So entries of a damaged chunk count
// only when their image confirms them and another 4 KiB block of the same chunk is seen to be the spoilt one. The same
// goes for the directory, unless the newest commit in its chunks is the one that the meta names.
import { IMAGE } from '../../assembly/state.ts'
import { blockBytes, chunkBytes, chunkIds, directoryEntryBytes, entryBytes, sectorBytes } from '../store/format.ts'
import type { Core } from './core.ts'
import { withOneBitFlipped } from './repair-bits.ts'
import { type ChunkPlace, isConfirmed, isFree, looksLikeEntry, newestIn, readChunk, viewOf } from './repair-entries.ts'
import type { Losses } from './repair-losses.ts'
import { type FoundTables, findTables } from './repair-search.ts'

/** Loads what can be trusted into the kernel's page table; `found` is what stands in for a meta. */
export function salvageTables(core: Core, found: FoundTables | undefined, losses: Losses): void {
  const chunks = found?.chunks ?? directoryOf(core, losses)
  for (const [chunk, place] of chunks.entries()) {
    if (place.sector === 0) continue
    const bytes = readChunk(core.data, place)
    if (bytes !== undefined && core.checksum(bytes, chunk) === place.checksum) load(core, chunk, bytes)
    else tellOfChunk(core, chunk, place, bytes === undefined ? 0 : salvageChunk(core, chunk, place, bytes), losses)
  }
}

/** The chunks that the meta's directory names, without those that cannot be trusted. */
function directoryOf(core: Core, losses: Losses): readonly ChunkPlace[] {
  const { meta, data } = core
  if (meta.chunkCount === 0) return []
  const bytes = new Uint8Array(Math.min(meta.directoryBytes, meta.chunkCount * directoryEntryBytes))
  const length = data.file.readAt(bytes, meta.directorySector * sectorBytes)
  const isRight = () => core.checksum(bytes, 0) === meta.directoryChecksum
  const isSmall = bytes.length <= blockBytes
  if (length === bytes.length && (isRight() || (isSmall && withOneBitFlipped(bytes, isRight)))) return placesIn(bytes)
  const places = sureEntries(core, bytes.subarray(0, length)) ?? findTables(core, meta)?.chunks ?? []
  const missing = meta.chunkCount - places.filter(chunk => chunk.sector !== 0).length
  if (missing > 0) {
    losses.other(
      `Perhaps lost: ${missing} of ${meta.chunkCount} parts of the page table, of 256 pages each.`,
      'The directory of the page table is damaged',
      { file: data.file.name, offset: meta.directorySector * sectorBytes }
    )
  }
  return places
}

/** Entries of a damaged directory that their chunks confirm; undefined when it may be an older directory. */
function sureEntries(core: Core, bytes: Uint8Array): readonly ChunkPlace[] | undefined {
  const { meta, data } = core
  let lsn = 0
  let isSpoilt = false
  const sectors = Math.ceil(data.file.size() / sectorBytes)
  const view = viewOf(bytes)
  const places = placesIn(bytes).map((place, chunk) => {
    const at = chunk * directoryEntryBytes
    const isPlausible =
      view.getUint32(at + 12, true) === 0 &&
      view.getUint32(at + 4, true) === (place.sector === 0 ? 0 : chunkBytes) &&
      place.sector < sectors
    if (!isPlausible) isSpoilt = true
    const entries = isPlausible && place.sector !== 0 ? readChunk(data, place) : undefined
    if (entries === undefined || core.checksum(entries, chunk) !== place.checksum) return { sector: 0, checksum: 0 }
    lsn = Math.max(lsn, newestIn(entries))
    return place
  })
  return places.some(place => place.sector !== 0) && (isSpoilt || lsn === meta.lsn) ? places : undefined
}

function placesIn(bytes: Uint8Array): ChunkPlace[] {
  const view = viewOf(bytes)
  return Array.from({ length: Math.floor(bytes.length / directoryEntryBytes) }, (_, i) => ({
    sector: view.getUint32(i * directoryEntryBytes, true),
    checksum: view.getUint32(i * directoryEntryBytes + 8, true)
  }))
}

function load(core: Core, chunk: number, bytes: Uint8Array): void {
  const image = core.memory.word(IMAGE)
  core.memory.bytes.set(bytes, image)
  core.kernel.exports.loadChunk(chunk, image)
}

/** Loads the entries of a damaged chunk that can be trusted; tells how many. */
function salvageChunk(core: Core, chunk: number, place: ChunkPlace, bytes: Uint8Array): number {
  const image = core.memory.word(IMAGE)
  core.memory.bytes.set(bytes, image)
  const area = core.memory.bytes.subarray(image, image + chunkBytes)
  if (withOneBitFlipped(area, () => core.kernel.exports.xxh32(image, chunkBytes, chunk) >>> 0 === place.checksum)) {
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
    if (id === 0 || i >= end || !looksLikeEntry(core.data, view, at)) seen.isSpoilt ||= isWithin
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
