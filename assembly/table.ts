// The page table: page id → frame, chain of older versions, and the entry that says where the page's image lies on
// disk. It grows by segments of 4,096 ids; a directory of segment addresses stands in the arena.
//
//   segment   0            16384            32768             131072
//             | frames     | chains         | entries         | chunk marks |
//             | 4096 × u32 | 4096 × u32     | 4096 × 24 bytes | 16 × u8     |
//
//   entry     0        4             7         8          12       16        20      24
//             | sector | stored bytes | format | checksum | lsn lo | lsn hi  | next  |
//
// sector: start of the image in units of 512 bytes; 0: no image. format: how the image is stored, and flags.
// next: of a large value's segment, the page id of the following one; of a free id, the next free id + 1 (memory only).
// A mark says that an entry of that chunk (256 ids) differs from the last checkpoint's, or may.
import { copy, fill, load32, store32, store8 } from './platform'
import { take } from './arena'
import { FREE_ID_LIST, OK, OUT_OF_MEMORY, PAGES_USED, TABLE_DIRECTORY, TABLE_FULL, TABLE_LIMIT } from './state'

export const ENTRY_BYTES: u32 = 24
export const CHUNK_IDS: u32 = 256
export const SEGMENT_IDS: u32 = 4096
/** 16.7 million ids: what a directory of chunks names that fits the image area, where its checksum is computed. */
export const DIRECTORY_LENGTH: u32 = 4096
const CHAINS: u32 = 16384
const ENTRIES: u32 = 32768
const MARKS: u32 = 131072
const SEGMENT_BYTES: u32 = 131072 + 64

/** Formats, in the top byte of an entry's second word. */
export const FORMAT_RAW: u32 = 1
export const FORMAT_LZ4: u32 = 2
export const FORMAT_MASK: u32 = 0x0f
/** The page is a segment of a large value, not a node. */
export const ENTRY_LARGE: u32 = 0x10
/** The leaf refers to large values, so it must be read before it is freed. */
export const ENTRY_HAS_LARGE: u32 = 0x20
/** Memory only: the id is in use (it may have no image yet). */
export const ENTRY_USED: u32 = 0x40
/** Memory only: a durable checkpoint names the image, so its blocks outlive their release. */
export const ENTRY_NAMED: u32 = 0x80

export function setUpTable(): bool {
  const directory = take(DIRECTORY_LENGTH << 2)
  if (directory == 0) return false
  store32(TABLE_DIRECTORY, directory)
  return true
}

function segmentOf(id: u32): u32 {
  return load32(load32(TABLE_DIRECTORY) + ((id >>> 12) << 2))
}

export function isId(id: u32): bool {
  return id < load32(TABLE_LIMIT)
}
export function frameOf(id: u32): u32 {
  return load32(segmentOf(id) + ((id & 4095) << 2))
}
export function setFrame(id: u32, frame: u32): void {
  store32(segmentOf(id) + ((id & 4095) << 2), frame)
}
export function chainOf(id: u32): u32 {
  return load32(segmentOf(id) + CHAINS + ((id & 4095) << 2))
}
export function setChain(id: u32, record: u32): void {
  store32(segmentOf(id) + CHAINS + ((id & 4095) << 2), record)
}
/** Address of the entry. */
export function entryOf(id: u32): u32 {
  return segmentOf(id) + ENTRIES + (id & 4095) * ENTRY_BYTES
}
export function formatOf(entry: u32): u32 {
  return load32(entry + 4) >>> 24
}
export function addFormat(entry: u32, flags: u32): void {
  store32(entry + 4, (load32(entry + 4) | (flags << 24)) >>> 0)
}
export function clearEntry(entry: u32): void {
  fill(entry, 0, ENTRY_BYTES)
}
export function moveEntry(to: u32, from: u32): void {
  copy(to, from, ENTRY_BYTES)
  fill(from, 0, ENTRY_BYTES)
}
export function isUsed(id: u32): bool {
  return (formatOf(entryOf(id)) & ENTRY_USED) != 0
}

/** Address of the mark of the chunk that holds `id`. */
export function markOf(id: u32): u32 {
  return segmentOf(id) + MARKS + ((id & 4095) >>> 8)
}
export function mark(id: u32): void {
  store8(markOf(id), 1)
}

/** Makes ids below `limit` exist (free, but not yet on the free list). */
export function growTable(limit: u32): i32 {
  if (limit > DIRECTORY_LENGTH * SEGMENT_IDS) return TABLE_FULL
  const directory = load32(TABLE_DIRECTORY)
  let segment: u32 = load32(TABLE_LIMIT) >>> 12
  while (segment * SEGMENT_IDS < limit) {
    if (load32(directory + (segment << 2)) == 0) {
      const at = take(SEGMENT_BYTES)
      if (at == 0) return OUT_OF_MEMORY
      store32(directory + (segment << 2), at)
    }
    segment++
  }
  return OK
}

/** Makes sure that so many ids can be taken: the table grows, or, if it is full, has enough free ids. */
export function reserveIds(wanted: u32): i32 {
  const limit = load32(TABLE_LIMIT)
  const status = growTable(limit + wanted)
  if (status != TABLE_FULL || limit < load32(PAGES_USED) + 1 + wanted) return status
  return OK
}

export function pushFreeId(id: u32): void {
  store32(entryOf(id) + 20, load32(FREE_ID_LIST))
  store32(FREE_ID_LIST, id + 1)
}

/** Takes a free id, `reserveIds` having been called for what could be needed; its entry is cleared and marked used. */
export function takeId(): u32 {
  const first = load32(FREE_ID_LIST)
  let id: u32
  if (first != 0) {
    id = first - 1
    store32(FREE_ID_LIST, load32(entryOf(id) + 20))
  } else {
    id = load32(TABLE_LIMIT)
    store32(TABLE_LIMIT, id + 1)
  }
  const entry = entryOf(id)
  clearEntry(entry)
  addFormat(entry, ENTRY_USED)
  mark(id)
  store32(PAGES_USED, load32(PAGES_USED) + 1)
  return id
}
