// Entries of the page table as a repair looks at them: without trust, each by itself.
import { IMAGE } from '../../assembly/state.ts'
import { ENTRY_LARGE, ENTRY_NAMED, ENTRY_USED, FORMAT_LZ4, FORMAT_MASK, FORMAT_RAW } from '../../assembly/table.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import type { Kernel } from '../kernel/load.ts'
import type { DataFile } from '../store/data-file.ts'
import { blockBytes, chunkBytes, entryBytes, metaBlocks, sectorBytes, sectorsPerBlock } from '../store/format.ts'

/** Where a chunk of the page table and its copy are, and their checksum; sector 0: there is none. */
export interface ChunkPlace {
  readonly sector: number
  readonly checksum: number
  readonly copySector: number
}

/** The place that an entry of a directory names. */
export function placeAt(view: DataView, at: number): ChunkPlace {
  return {
    sector: view.getUint32(at, true),
    checksum: view.getUint32(at + 8, true),
    copySector: view.getUint32(at + 12, true)
  }
}

/** A chunk that is nowhere. */
export const noPlace: ChunkPlace = { sector: 0, checksum: 0, copySector: 0 }

/** What looking at a damaged data file takes. */
export interface Looking {
  readonly kernel: Kernel
  readonly memory: KernelMemory
  readonly data: DataFile
}

/** Images are never longer. */
const mostImageBytes = 256 * 1_024
/** Where the kernel's image area has room for what is unpacked. */
const unpackedOffset = 512 * 1_024
const mostPageBytes = 65_536

/** The newest commit that the entries of a chunk name. */
export function newestIn(entries: Uint8Array): number {
  const view = viewOf(entries)
  let newest = 0
  for (let at = 0; at < entries.length; at += entryBytes) {
    if (view.getUint32(at, true) === 0) continue
    newest = Math.max(newest, view.getUint32(at + 16, true) * 0x1_0000_0000 + view.getUint32(at + 12, true))
  }
  return newest
}

/** The chunk at a sector, what is behind the end of the file being zero; undefined when all of it is. */
export function readChunk(data: DataFile, sector: number): Uint8Array | undefined {
  const bytes = new Uint8Array(chunkBytes)
  return data.file.readAt(bytes, sector * sectorBytes) > 0 ? bytes : undefined
}

/**
 * Chunk `number` as it was written, from its place, its copy, or some blocks of either; undefined: too much is damaged.
 */
export function wholeChunk(looking: Looking, number: number, place: ChunkPlace): Uint8Array | undefined {
  const { data, kernel, memory } = looking
  return wholeOf(
    readChunk(data, place.sector),
    place.copySector === 0 ? undefined : readChunk(data, place.copySector),
    bytes => {
      const image = memory.word(IMAGE)
      memory.bytes.set(bytes, image)
      return kernel.exports.xxh32(image, bytes.length, number) >>> 0 === place.checksum
    }
  )
}

/**
 * What `isRight` says to be right of two that were written as the same bytes: the first, the second, or either with one
 * block of the other. Both begin with a block as a rule, and it is blocks that are exchanged or overwritten.
 */
export function wholeOf(
  first: Uint8Array | undefined,
  second: Uint8Array | undefined,
  isRight: (bytes: Uint8Array) => boolean
): Uint8Array | undefined {
  if (first !== undefined && isRight(first)) return first
  if (second !== undefined && isRight(second)) return second
  if (first === undefined || second === undefined || first.length !== second.length) return undefined
  for (const [most, other] of [
    [first, second],
    [second, first]
  ] as const) {
    for (let at = 0; at < most.length; at += blockBytes) {
      const mixed = most.slice()
      mixed.set(other.subarray(at, at + blockBytes), at)
      if (isRight(mixed)) return mixed
    }
  }
  return undefined
}

/** Whether the bytes at `at` look like an entry that is in use; its image may be behind the end of a file that was cut off. */
export function looksLikeEntry(view: DataView, at: number): boolean {
  const sector = view.getUint32(at, true)
  const word = view.getUint32(at + 4, true)
  const kind = (word >>> 24) & FORMAT_MASK
  if (sector < metaBlocks * sectorsPerBlock || (kind !== FORMAT_RAW && kind !== FORMAT_LZ4)) return false
  if (((word >>> 24) & (ENTRY_USED | ENTRY_NAMED)) !== 0) return false
  const bytes = word & 0xffffff
  return bytes > 0 && bytes <= mostImageBytes
}

/** Whether the file goes as far as the image that the entry names. */
export function isWithinFile(data: DataFile, view: DataView, at: number): boolean {
  return view.getUint32(at, true) * sectorBytes + (view.getUint32(at + 4, true) & 0xffffff) <= data.file.size()
}

/** Whether nothing is there. */
export function isFree(view: DataView, at: number): boolean {
  for (let word = 0; word < entryBytes; word += 4) if (view.getUint32(at + word, true) !== 0) return false
  return true
}

/** Whether the entry is that of a segment of a large value. */
export function isSegment(view: DataView, at: number): boolean {
  return (view.getUint8(at + 7) & ENTRY_LARGE) !== 0
}

/** Whether the image that the entry of page `id` names is the one that it describes. */
export function isConfirmed(looking: Looking, id: number, view: DataView, at: number): boolean {
  return confirmation(looking, view, at)(id)
}

/**
 * `isConfirmed` for many ids: tells of each whether the entry is right if it is that page's; the image is read once.
 */
export function confirmation({ kernel, memory, data }: Looking, view: DataView, at: number): (id: number) => boolean {
  const bytes = view.getUint32(at + 4, true) & 0xffffff
  const checksum = view.getUint32(at + 8, true)
  const image = memory.word(IMAGE)
  if (bytes > mostImageBytes) return () => false
  const into = memory.bytes.subarray(image, image + bytes)
  if (data.file.readAt(into, view.getUint32(at, true) * sectorBytes) < bytes) return () => false
  const isPage = !isSegment(view, at)
  return id => kernel.exports.xxh32(image, bytes, isPage ? id : 0) >>> 0 === checksum
}

/** Bytes of the page whose confirmed image is in the image area; 0 when it cannot be unpacked. */
export function unpackedBytes({ kernel, memory }: Looking, view: DataView, at: number): number {
  const word = view.getUint32(at + 4, true)
  const bytes = word & 0xffffff
  if (((word >>> 24) & FORMAT_MASK) === FORMAT_RAW) return bytes
  const image = memory.word(IMAGE)
  return Math.max(0, kernel.exports.lz4Decompress(image, bytes, image + unpackedOffset, mostPageBytes))
}

/** Slots of the page whose confirmed image is in the image area; 0 when it cannot be unpacked. */
export function slotsIn(looking: Looking, view: DataView, at: number): number {
  if (unpackedBytes(looking, view, at) === 0) return 0
  const { memory } = looking
  const isRaw = (view.getUint8(at + 7) & FORMAT_MASK) === FORMAT_RAW
  const page = memory.word(IMAGE) + (isRaw ? 0 : unpackedOffset)
  return new DataView(memory.bytes.buffer).getUint16(page + 6, true)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
