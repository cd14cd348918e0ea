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
  type Looking,
  looksLikeEntry,
  newestIn,
  noPlace,
  placeAt,
  readChunk,
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
    if (best === undefined || isBetter(tables, best)) best = tables
  }
  stages.begin(blocks)
  if (best !== undefined) return best
  const newest = meta?.lsn ?? Number.POSITIVE_INFINITY
  return await chunksFound(looking, newest, meta?.chunkCount ?? mostGuesses, stages)
}

function isBetter(one: FoundTables, other: FoundTables): boolean {
  return one.lsn === other.lsn ? one.chunks.length > other.chunks.length : one.lsn > other.lsn
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
  return pageBytes === 0 ? undefined : { pageBytes, chunks: chunks.slice(0, used), lsn }
}

/** Size of the pages in a chunk, 0 when no image in it is whole. */
function pageBytesIn(looking: Looking, chunk: Uint8Array, number: number): number {
  const view = viewOf(chunk)
  for (let i = 0; i < chunkIds; i++) {
    const at = i * entryBytes
    if (!looksLikeEntry(looking.data, view, at) || isSegment(view, at)) continue
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
  const isLikely = (view: DataView, at: number) => looksLikeChunk(looking, view, at)
  for await (const sector of sectorsThat(looking, chunkBytes, isLikely, stages)) {
    const bytes = readChunk(looking.data, sector)
    const number = bytes === undefined ? undefined : numberOf(looking, bytes, guesses)
    if (bytes === undefined || number === undefined) continue
    const lsn = newestIn(bytes)
    if (lsn > newest || lsn <= (found.get(number)?.lsn ?? -1)) continue
    if (pageBytes === 0) pageBytes = pageBytesIn(looking, bytes, number)
    found.set(number, { sector, checksum: checksumOf(looking, bytes, number), copySector: 0, lsn })
  }
  if (pageBytes === 0) return undefined
  const chunks: ChunkPlace[] = []
  const last = Math.max(...found.keys())
  for (let number = 0; number <= last; number++) chunks.push(found.get(number) ?? noPlace)
  return { pageBytes, chunks, lsn: Math.max(...Array.from(found.values(), ({ lsn }) => lsn)) }
}

function looksLikeChunk({ data }: Looking, view: DataView, at: number): boolean {
  let used = 0
  for (let i = 0; i < chunkIds; i++) {
    const entry = at + i * entryBytes
    if (looksLikeEntry(data, view, entry)) used++
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
    if (isFree(view, at) || isSegment(view, at)) continue
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
