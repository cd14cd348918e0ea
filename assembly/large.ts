// Large values: a value that does not fit a cell is cut into segments of its own, each an entry of the page table with
// an image on disk and never a frame. An entry names the next segment's id; the cell holds {first id, total bytes}.
import { load32, load32u, store32 } from './platform'
import {
  CELL_BYTES,
  CELL_LARGE,
  cellFlagsOf,
  cellOf,
  LARGE_REFERENCE_BYTES,
  slotOf,
  suffixBytesOf,
  valueBytesOf
} from './page'
import { corrupt } from './descent'
import { LSN_HIGH, LSN_LOW, PAGES_USED } from './state'
import { ENTRY_LARGE, entryOf, formatOf, isId, reserveIds } from './table'
import { freePage, makeId, reserveRecords } from './versions'

/** First segment's id of the value at `position`, or 0 when it is not large. */
export function largeAt(page: u32, position: u32): u32 {
  const slot = slotOf(page, position)
  const cell = cellOf(page, slot)
  if ((cellFlagsOf(cell) & CELL_LARGE) == 0 || valueBytesOf(cell) != LARGE_REFERENCE_BYTES) return 0
  return load32u(cell + CELL_BYTES + suffixBytesOf(slot))
}

/** Number of segments from `first` on (0: none), or a status when the chain is broken. */
export function countChain(first: u32): i32 {
  let count: u32 = 0
  let id = first
  while (id != 0) {
    if (!isId(id) || (formatOf(entryOf(id)) & ENTRY_LARGE) == 0 || count > load32(PAGES_USED)) return corrupt(id)
    id = load32(entryOf(id) + 20)
    count++
  }
  return count as i32
}

/** Frees a counted chain; a record a segment was reserved. Two damaged cells may name one chain: it is freed once. */
export function freeChain(first: u32): void {
  let id = first
  while (id != 0 && isId(id) && (formatOf(entryOf(id)) & ENTRY_LARGE) != 0) {
    const next = load32(entryOf(id) + 20)
    freePage(id)
    id = next
  }
}

/** Reserves what `makeChain` takes. */
export function reserveChain(segments: u32): i32 {
  const records = reserveRecords(segments)
  if (records < 0) return records
  return reserveIds(segments)
}

/**
 * Makes table entries for segments described at `from`, 12 bytes each: sector, stored bytes and format, checksum.
 * Returns the first id.
 */
export function makeChain(from: u32, segments: u32): u32 {
  let next: u32 = 0
  let i = segments
  while (i > 0) {
    i--
    const at = from + i * 12
    const id = makeId()
    const entry = entryOf(id)
    store32(entry, load32u(at))
    store32(entry + 4, (load32(entry + 4) | (load32u(at + 4) & 0xfffffff) | (ENTRY_LARGE << 24)) >>> 0)
    store32(entry + 8, load32u(at + 8))
    store32(entry + 12, load32(LSN_LOW))
    store32(entry + 16, load32(LSN_HIGH))
    store32(entry + 20, next)
    next = id
  }
  return next
}
