// Table chunks: runs of CHUNK_IDS entries as they stand on disk. Flags that only mean something in memory are left out.
import { copy, fill, load32, load8, store32, store8 } from './platform'
import { isDirty } from './page'
import { FREE_ID_LIST, IMAGE_CAPACITY, OK, PAGE_BYTES, PAGES_USED, TABLE_LIMIT } from './state'
import {
  chainOf,
  CHUNK_IDS,
  ENTRY_BYTES,
  ENTRY_LARGE,
  ENTRY_NAMED,
  ENTRY_USED,
  entryOf,
  FORMAT_LZ4,
  FORMAT_MASK,
  FORMAT_RAW,
  formatOf,
  frameOf,
  growTable,
  isId,
  isUsed,
  markOf,
  pushFreeId
} from './table'
import { versionAt } from './versions'

/** Address of the entry as the snapshot (0: now) sees it. */
export function entryAt(id: u32, snapshot: u32): u32 {
  if (snapshot == 0 || chainOf(id) == 0) return entryOf(id)
  const record = versionAt(id, snapshot)
  return record == 0 ? entryOf(id) : record + 24
}

/** Writes the chunk's entries as the snapshot sees them to `to`, and notes that a checkpoint names them. */
export function storeChunk(chunk: u32, snapshot: u32, to: u32): void {
  let id = chunk * CHUNK_IDS
  const end = id + CHUNK_IDS
  fill(to, 0, CHUNK_IDS * ENTRY_BYTES)
  while (id < end && isId(id)) {
    const entry = entryAt(id, snapshot)
    if (load32(entry) != 0) {
      copy(to, entry, ENTRY_BYTES)
      store32(to + 4, (load32(to + 4) & 0x3fffffff) >>> 0)
      store32(entry + 4, (load32(entry + 4) | (ENTRY_NAMED << 24)) >>> 0)
    }
    to += ENTRY_BYTES
    id++
  }
}

/** Takes a chunk's entries from disk; 0 when one of them cannot be. `growTable` and the limit were set before. */
export function loadChunk(chunk: u32, from: u32): bool {
  let id = chunk * CHUNK_IDS
  const end = id + CHUNK_IDS
  while (id < end) {
    if (load32(from) != 0) {
      const format: u32 = load8(from + 7)
      const kind: u32 = format & FORMAT_MASK
      const bytes: u32 = load32(from + 4) & 0xffffff
      // What is longer would be read over what stands behind the area for images.
      const most: u32 = (format & ENTRY_LARGE) != 0 ? load32(IMAGE_CAPACITY) : load32(PAGE_BYTES)
      if (!isId(id) || (kind != FORMAT_RAW && kind != FORMAT_LZ4) || (format & (ENTRY_USED | ENTRY_NAMED)) != 0)
        return false
      if (bytes == 0 || bytes > most) return false
      const entry = entryOf(id)
      copy(entry, from, ENTRY_BYTES)
      store32(entry + 4, (load32(entry + 4) | ((ENTRY_USED | ENTRY_NAMED) << 24)) >>> 0)
      store32(PAGES_USED, load32(PAGES_USED) + 1)
    }
    from += ENTRY_BYTES
    id++
  }
  return true
}

/** Makes the table `limit` ids long, all of them free, for `loadChunk`. */
export function setTableLimit(limit: u32): i32 {
  const status = growTable(limit)
  if (status < 0) return status
  store32(TABLE_LIMIT, limit)
  return OK
}

/** Lists the free ids, lowest first, after all chunks are loaded. */
export function listFreeIds(): void {
  store32(FREE_ID_LIST, 0)
  let id = load32(TABLE_LIMIT)
  while (id > 1) {
    id--
    if (!isUsed(id)) pushFreeId(id)
  }
}

/** Was the chunk changed since its mark was taken last? Takes the mark away. */
export function takeMark(chunk: u32): u32 {
  const at = markOf(chunk * CHUNK_IDS)
  const marked = load8(at)
  store8(at, 0)
  return marked
}

export function putMark(chunk: u32): void {
  store8(markOf(chunk * CHUNK_IDS), 1)
}

/** The frame of the next page in [id, end) that is dirty as the snapshot sees it, or 0. */
export function nextDirtyAt(id: u32, end: u32, snapshot: u32): u32 {
  while (id < end && isId(id)) {
    let frame = frameOf(id)
    if (chainOf(id) != 0) {
      const record = versionAt(id, snapshot)
      if (record != 0) frame = load32(record + 16)
    }
    if (frame != 0 && isDirty(frame)) return frame
    id++
  }
  return 0
}

/** Is the entry that of a large value's segment? */
export function isLarge(entry: u32): bool {
  return (formatOf(entry) & ENTRY_LARGE) != 0
}
