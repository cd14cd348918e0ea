// Finding a key in a page.
//
// `search` returns the number of slots whose key is less than the wanted one, doubled, plus 1 when the slot there
// holds exactly that key: position and verdict in one number, without a second result.
import { div, load16, mul, load8, load32 } from './platform'
import {
  CELL_BYTES,
  cellOf,
  commonBytes,
  compareBytes,
  countOf,
  HEADER_BYTES,
  headAt,
  lastHeadOf,
  prefixBytesOf,
  slotsOf,
  suffixBytesOf
} from './page'
import { hasPrints, noteLooks, printedLength } from './prints'

/** Slots from which on a guess is worth its divisions. */
const GUESS_FROM: u32 = 24
/** So many slots are looked through for a print sooner than one cell is looked at. */
const FEW_PRINTS: u32 = 64

export function search(page: u32, key: u32, keyBytes: u32): u32 {
  return locate(page, key, keyBytes, false)
}

/** The same in a leaf, for whom only the verdict matters: the position is right only if the key is there. */
export function find(page: u32, key: u32, keyBytes: u32): u32 {
  return locate(page, key, keyBytes, true)
}

/**
 * The number of slots whose heads are less than the key's, if the key has the page's prefix. Nothing here depends on a
 * comparison but the next address, so a processor can have several of these under way at once.
 */
export function placeOf(page: u32, key: u32, keyBytes: u32): u32 {
  const prefix = prefixBytesOf(page)
  let length = countOf(page)
  if (keyBytes < prefix || length == 0) return 0
  const head = headAt(key + prefix, keyBytes - prefix)
  const slots = slotsOf(page)
  let place: u32 = 0
  while (length > 1) {
    const half = length >>> 1
    const isLess: u32 = load32(slots + ((place + half - 1) << 3)) < head ? 1 : 0
    place += mul(half, isLess)
    length -= half
  }
  return place + (load32(slots + (place << 3)) < head ? 1 : 0)
}

/** As `search`, sooner when `place` is what `placeOf` says, or said before other keys came and went. */
export function searchAt(page: u32, key: u32, keyBytes: u32, place: u32): u32 {
  const count = countOf(page)
  const prefix = prefixBytesOf(page)
  if (keyBytes < prefix || place > count || commonBytes(page + HEADER_BYTES, key, prefix) != prefix) {
    return search(page, key, keyBytes)
  }
  const rest = key + prefix
  const restBytes = keyBytes - prefix
  const head = headAt(rest, restBytes)
  const slot = slotsOf(page) + (place << 3)
  if (place != 0 && load32(slot - 8) >= head) return search(page, key, keyBytes)
  if (place == count || load32(slot) > head) return place << 1
  if (load32(slot) < head || (place + 1 < count && load32(slot + 8) == head)) return search(page, key, keyBytes)
  const order = compareRest(page, slot, rest, restBytes)
  return order == 0 ? (place << 1) | 1 : order < 0 ? (place + 1) << 1 : place << 1
}

function locate(page: u32, key: u32, keyBytes: u32, exactly: bool): u32 {
  const count = countOf(page)
  const prefix = prefixBytesOf(page)
  if (prefix != 0) {
    const limit: u32 = keyBytes < prefix ? keyBytes : prefix
    const same = commonBytes(page + HEADER_BYTES, key, limit)
    if (same < prefix) {
      // The key differs from the prefix: it lies before or behind all keys of the page.
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
  if (count >= GUESS_FROM) {
    // Every line of slots touched can cost more than all the arithmetic here, so the place is guessed from the heads
    // at the page's ends and the guess is widened until it holds the wanted head.
    const first = load32(slots)
    const last = lastHeadOf(page)
    if (head > first && head < last) {
      let at = div(head - first, div(last - first, count) + 1)
      if (at >= count) at = count - 1
      let step: u32 = 4
      if (load32(slots + (at << 3)) < head) {
        low = at + 1
        while (low + step < count && load32(slots + ((low + step) << 3)) < head) {
          low += step + 1
          step <<= 1
        }
        if (low + step < count) high = low + step
      } else {
        high = at
        while (high > step && load32(slots + ((high - step) << 3)) >= head) {
          high -= step
          step <<= 1
        }
        if (high > step) low = high - step + 1
      }
    } else if (head <= first) {
      // Also where many keys share the first head.
      high = 0
    } else if (head > last && load32(slots + ((count - 1) << 3)) < head) {
      // Keys that come in order go behind the last one.
      return count << 1
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1
    if (load32(slots + (middle << 3)) < head) low = middle + 1
    else high = middle
  }
  // Keys with equal heads: usually few; if there are many, go on with a binary search.
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
  const prints: bool = exactly && hasPrints(page)
  const few: u32 = prints ? FEW_PRINTS : 0
  let looks: u32 = 0
  while (low + few < end) {
    const middle = (low + end) >>> 1
    const order = compareRest(page, slots + (middle << 3), rest, restBytes)
    if (order == 0) {
      if (exactly && looks != 0 && !prints) noteLooks(page, looks)
      return (middle << 1) | 1
    }
    if (order < 0) low = middle + 1
    else end = middle
    looks++
  }
  if (prints) return findPrinted(page, low, end, rest, restBytes)
  if (exactly) noteLooks(page, looks)
  return low << 1
}

/** Finds the suffix among the slots [low, end) by its print; an even number if it is not there. */
function findPrinted(page: u32, low: u32, end: u32, rest: u32, restBytes: u32): u32 {
  const length = printedLength(rest, restBytes)
  const slots = slotsOf(page)
  while (low < end) {
    const slot = slots + (low << 3)
    if (load16(slot + 6) == length && commonBytes(cellOf(page, slot) + CELL_BYTES, rest, restBytes) == restBytes) {
      return (low << 1) | 1
    }
    low++
  }
  return 0
}

/** Compares the suffix of a slot with the rest of a key that has the same head. */
function compareRest(page: u32, slot: u32, rest: u32, restBytes: u32): i32 {
  const suffix = suffixBytesOf(slot)
  // What is no longer than the head begins the other: the length decides, and there is no need to look at the cell.
  if (suffix <= 4 || restBytes <= 4) return suffix == restBytes ? 0 : suffix < restBytes ? -1 : 1
  return compareBytes(cellOf(page, slot) + CELL_BYTES, suffix, rest, restBytes)
}

/** Which child of a branch leads to the key. */
export function childIndex(page: u32, key: u32, keyBytes: u32): u32 {
  const found = search(page, key, keyBytes)
  return (found >>> 1) + (found & 1)
}
