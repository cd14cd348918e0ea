// Finding the page table when nothing tells where it is. Directories and chunks can be recognized by what they name.
//
// An entry of a directory names a chunk and its checksum, so a sector that begins with a matching entry is certainly a
// directory. Older directories may still be in free blocks. The one whose pages have the newest commit counts, since
// every change dirties a page, and blocks that the newest checkpoint names are never overwritten. If no directory is
// found, chunks are looked for in the same way: their entries name images and the checksums of these.
import { IMAGE } from '../../assembly/state.ts'
import {
  blockBytes,
  chunkBytes,
  chunkIds,
  directoryEntryBytes,
  entryBytes,
  metaBlocks,
  sectorBytes,
  sectorsPerBlock
} from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import {
  type ChunkPlace,
  confirmation,
  isConfirmed,
  isFree,
  isSegment,
  isWithinFile,
  type Looking,
  looksLikeEntry,
  newestIn,
  noPlace,
  placeAt,
  readChunk,
  slotsIn,
  unpackedBytes,
  viewOf,
  wholeChunk
} from './repair-entries.ts'
import type { Stages } from './repair-stages.ts'

/** A page table that was found. */
export interface FoundTables {
  readonly pageBytes: number
  readonly chunks: readonly ChunkPlace[]
  /** The newest commit in its pages. */
  readonly lsn: number
  /** Whether it is the state that the meta names, and not perhaps an older one in some of its parts. */
  readonly isNewest: boolean
}

const windowBytes = 1 << 20
/** A database without a meta is searched for chunks up to this number: 16 million pages. */
const mostChunks = 65_536
/** The number of a chunk is guessed at most so often for each of its first entries. */
const mostGuesses = 4_096

/**
 * The newest page table in the data file, undefined when there is none. When the meta is known, a directory counts only
 * with the commit that the meta names: another is an older one.
 */
export async function findTables(
  looking: Looking,
  meta: Meta | undefined,
  stages: Stages
): Promise<FoundTables | undefined> {
  const blocks = Math.ceil(looking.data.file.size() / blockBytes)
  // Once for directories, and if there is none once more for chunks.
  stages.plan(blocks * 2)
  stages.begin(blocks)
  let best: FoundTables | undefined
  const looksLikeDirectory = (view: DataView, at: number) =>
    view.getUint32(at + 4, true) === chunkBytes && view.getUint32(at, true) >= metaBlocks * sectorsPerBlock
  for await (const sector of sectorsThat(looking, directoryEntryBytes, looksLikeDirectory, stages)) {
    const tables = await directoryAt(looking, sector, stages)
    if (tables === undefined || (meta !== undefined && tables.lsn !== meta.lsn)) continue
    if (best === undefined || (await isBetter(looking, tables, best, stages))) best = tables
  }
  stages.begin(blocks)
  if (best !== undefined) return best
  const newest = meta?.lsn ?? Number.POSITIVE_INFINITY
  return await chunksFound(looking, newest, meta?.chunkCount ?? mostGuesses, stages)
}

/**
 * Whether a table is a better one. Where both know the same commits, images were moved since the older one, whose places
 * may have been used again; or it is the empty one of a new database, whose pages count as those of the first commit.
 */
async function isBetter(looking: Looking, one: FoundTables, other: FoundTables, stages: Stages): Promise<boolean> {
  if (one.lsn !== other.lsn) return one.lsn > other.lsn
  let lead = 0
  for (let i = 0; i < Math.max(one.chunks.length, other.chunks.length); i++) {
    const mine = one.chunks[i] ?? noPlace
    const its = other.chunks[i] ?? noPlace
    if (mine.checksum === its.checksum) continue
    lead += foundAt(looking, i, mine) - foundAt(looking, i, its)
    await stages.step(0)
  }
  return lead > 0
}

function foundAt(looking: Looking, number: number, place: ChunkPlace): number {
  const bytes = place.sector === 0 ? undefined : wholeChunk(looking, number, place)
  return bytes === undefined ? 0 : foundIn(looking, number, bytes)
}

/** The directory at a sector, as far as its chunks confirm it. */
async function directoryAt(looking: Looking, sector: number, stages: Stages): Promise<FoundTables | undefined> {
  const { data, kernel, memory } = looking
  const entry = new Uint8Array(directoryEntryBytes)
  const view = viewOf(entry)
  const chunks: ChunkPlace[] = []
  let used = 0
  let lsn = 0
  let pageBytes = 0
  while (chunks.length < mostChunks) {
    await stages.step(shareOf(looking, sector))
    const offset = sector * sectorBytes + chunks.length * directoryEntryBytes
    if (data.file.readAt(entry, offset) < entry.length) break
    const place = placeAt(view, 0)
    if (place.sector !== 0) {
      const bytes = wholeChunk(looking, chunks.length, place)
      if (bytes === undefined) break
      lsn = Math.max(lsn, newestIn(bytes))
      if (pageBytes === 0) pageBytes = pageBytesIn({ data, kernel, memory }, bytes, chunks.length)
      used = chunks.length + 1
    } else if (entry.some(byte => byte !== 0)) break
    chunks.push(place)
    if (chunks.length - used > chunkIds) break
  }
  // Who knows the meta takes it only with the meta's commit.
  return pageBytes === 0 ? undefined : { pageBytes, chunks: chunks.slice(0, used), lsn, isNewest: true }
}

/** Size of the pages in a chunk, 0 when no image in it is whole. */
function pageBytesIn(looking: Looking, chunk: Uint8Array, number: number): number {
  const view = viewOf(chunk)
  for (let i = 0; i < chunkIds; i++) {
    const at = i * entryBytes
    if (!looksLikeEntry(view, at) || isSegment(view, at)) continue
    if (isConfirmed(looking, number * chunkIds + i, view, at)) return unpackedBytes(looking, view, at)
  }
  return 0
}

/** The newest chunk of every number that is found anywhere. */
async function chunksFound(
  looking: Looking,
  newest: number,
  guesses: number,
  stages: Stages
): Promise<FoundTables | undefined> {
  const found = new Map<number, ChunkPlace & { readonly lsn: number }>()
  let pageBytes = 0
  for await (const sector of sectorsThat(looking, chunkBytes, looksLikeChunk, stages)) {
    const bytes = readChunk(looking.data, sector)
    const number = bytes === undefined ? undefined : numberOf(looking, bytes, guesses)
    if (bytes === undefined || number === undefined) continue
    const lsn = newestIn(bytes)
    if (lsn > newest) continue
    const checksum = checksumOf(looking, bytes, number)
    const known = found.get(number)
    if (known !== undefined && !isNewerChunk(looking, number, bytes, { lsn, checksum }, known)) continue
    if (pageBytes === 0) pageBytes = pageBytesIn(looking, bytes, number)
    found.set(number, { sector, checksum, copySector: 0, lsn })
  }
  if (pageBytes === 0) return undefined
  const chunks: ChunkPlace[] = []
  const last = Math.max(...found.keys())
  for (let number = 0; number <= last; number++) chunks.push(found.get(number) ?? noPlace)
  const lsn = Math.max(...Array.from(found.values(), each => each.lsn))
  // A chunk in which the newest commit has changed nothing does not tell whether it is the newest of its number.
  return { pageBytes, chunks, lsn, isNewest: chunks.length === 1 && guesses === 1 && lsn === newest }
}

/**
 * Whether the chunk is newer than another one of its number. Where both know the same commits, images were moved since
 * the older one, whose places may have been used again.
 */
function isNewerChunk(
  looking: Looking,
  number: number,
  bytes: Uint8Array,
  { lsn, checksum }: { readonly lsn: number; readonly checksum: number },
  known: ChunkPlace & { readonly lsn: number }
): boolean {
  if (lsn !== known.lsn || checksum === known.checksum) return lsn > known.lsn
  const other = readChunk(looking.data, known.sector)
  return other === undefined || foundIn(looking, number, bytes) > foundIn(looking, number, other)
}

/** How much there is to be found by the chunk: entries that their images confirm, and slots of these pages. */
function foundIn(looking: Looking, number: number, chunk: Uint8Array): number {
  const view = viewOf(chunk)
  let found = 0
  for (let i = 0; i < chunkIds; i++) {
    const at = i * entryBytes
    if (isFree(view, at) || !isConfirmed(looking, number * chunkIds + i, view, at)) continue
    found += 1 + (isSegment(view, at) ? 0 : slotsIn(looking, view, at))
  }
  return found
}

function looksLikeChunk(view: DataView, at: number): boolean {
  let used = 0
  for (let i = 0; i < chunkIds; i++) {
    const entry = at + i * entryBytes
    if (looksLikeEntry(view, entry)) used++
    else if (!isFree(view, entry)) return false
  }
  return used > 0
}

/** Which chunk it is: the number under which its first pages confirm it. */
function numberOf(looking: Looking, chunk: Uint8Array, guesses: number): number | undefined {
  const view = viewOf(chunk)
  let tried = 0
  for (let i = 0; i < chunkIds && tried < 4; i++) {
    const at = i * entryBytes
    if (isFree(view, at) || isSegment(view, at) || !isWithinFile(looking.data, view, at)) continue
    tried++
    const confirms = confirmation(looking, view, at)
    for (let number = 0; number < guesses; number++) if (confirms(number * chunkIds + i)) return number
  }
  return undefined
}

function checksumOf({ kernel, memory }: Looking, bytes: Uint8Array, seed: number): number {
  const image = memory.word(IMAGE)
  memory.bytes.set(bytes, image)
  return kernel.exports.xxh32(image, bytes.length, seed) >>> 0
}

/** Sectors behind the meta slots from which on so many bytes look as `isLikely` says, with turns for other work. */
async function* sectorsThat(
  looking: Looking,
  bytes: number,
  isLikely: (view: DataView, at: number) => boolean,
  stages: Stages
): AsyncGenerator<number, void, undefined> {
  const { file } = looking.data
  const buffer = new Uint8Array(windowBytes + chunkBytes)
  const size = file.size()
  for (let start = metaBlocks * sectorsPerBlock * sectorBytes; start < size; start += windowBytes) {
    const length = file.readAt(buffer, start)
    const view = new DataView(buffer.buffer, 0, length)
    for (let at = 0; at < windowBytes && at + bytes <= length; at += sectorBytes) {
      if (!isLikely(view, at)) continue
      const sector = (start + at) / sectorBytes
      await stages.step(shareOf(looking, sector))
      yield sector
    }
    await stages.step(start / size)
  }
}

function shareOf({ data }: Looking, sector: number): number {
  return (sector * sectorBytes) / Math.max(1, data.file.size())
}
