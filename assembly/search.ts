// Finding a key in a page.
//
// `search` returns the number of slots whose key is less than the wanted one, doubled, plus 1 when the slot there
// holds exactly that key: position and verdict in one number, without a second result.
import { load8, load32 } from './platform'
import {
  CELL_BYTES,
  cellOf,
  commonBytes,
  compareBytes,
  countOf,
  HEADER_BYTES,
  headAt,
  prefixBytesOf,
  slotsOf,
  suffixBytesOf
} from './page'

export function search(page: u32, key: u32, keyBytes: u32): u32 {
  const count = countOf(page)
  const prefix = prefixBytesOf(page)
  if (prefix != 0) {
    const limit: u32 = keyBytes < prefix ? keyBytes : prefix
    const same = commonBytes(page + HEADER_BYTES, key, limit)
    if (same < prefix) {
      // The key leaves the prefix: it lies before or behind everything here.
      if (same == keyBytes || load8(key + same) < load8(page + HEADER_BYTES + same)) return 0
      return count << 1
    }
  }
  const rest = key + prefix
  const restBytes = keyBytes - prefix
  const head = headAt(rest, restBytes)
  const slots = slotsOf(page)
  let low: u32 = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (load32(slots + (middle << 3)) < head) low = middle + 1
    else high = middle
  }
  // Equal heads: few as a rule; when many, halve on.
  if (low == count || load32(slots + (low << 3)) != head) return low << 1
  let end = low + 1
  if (end < count && load32(slots + (end << 3)) == head) {
    high = count
    while (end < high) {
      const middle = (end + high) >>> 1
      if (load32(slots + (middle << 3)) == head) end = middle + 1
      else high = middle
    }
  }
  while (low < end) {
    const middle = (low + end) >>> 1
    const slot = slots + (middle << 3)
    const order = compareBytes(cellOf(page, slot) + CELL_BYTES, suffixBytesOf(slot), rest, restBytes)
    if (order == 0) return (middle << 1) | 1
    if (order < 0) low = middle + 1
    else end = middle
  }
  return low << 1
}

/** Which child of a branch leads to the key. */
export function childIndex(page: u32, key: u32, keyBytes: u32): u32 {
  const found = search(page, key, keyBytes)
  return (found >>> 1) + (found & 1)
}
