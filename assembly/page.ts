// A page: one node of a tree, in a frame of memory. On disk it is the same bytes with the memory part zero.
//
//   0      4    5     6      8        10     12     16       20     24    28        32 ... 63        64
//   | id   |kind|level|count |prefix  |flags |heap  |garbage |first |tree |reserved | memory part ... | prefix | slots | free | heap |
//   |      |    |     |      |bytes   |      |start |bytes   |child |id   |         |                 |
//
//   slot   0      4       6        8        cell   0              3      4
//          | head |offset |suffix  |               | value bytes  |flags | suffix | value |     in a leaf
//          |      |       |bytes   |               | child page id       | suffix |           in a branch
//
// The prefix is what all keys of the page begin with; a key is prefix + suffix. A slot's head is the first four bytes
// of the suffix as a big-endian number (short suffixes are padded with zeros), so most comparisons never touch a cell.
// Slots stand in key order from align4(64 + prefix bytes) upwards; cells fill the page from its end downwards.
// In a branch the first child holds keys below slot 0's key, the child of slot i keys from slot i's key on.
//
//   memory part   32      33      34          35      36                  40         44          48      52        56         60
//                 | use   | dirty | reference | looks | link or last head | epoch lo | epoch hi  | stamp | lsn lo  | lsn hi   | last insert |
//
// In memory, the upper bits of a slot's suffix bytes may hold a print (prints.ts).
import { byteSwap, copy, load16, load32, load32u, load8, store16, store32, store32u, store8 } from './platform'
import { PAGE_BYTES } from './state'
import { copy8, sameBytes8 } from './wide'

export const HEADER_BYTES: u32 = 64
export const SLOT_BYTES: u32 = 8
export const CELL_BYTES: u32 = 4
/** The part of a slot's length that is the length. */
export const SUFFIX_BYTES_MASK: u32 = 0x7ff
export const LEAF: u32 = 1
export const BRANCH: u32 = 2
/** The page has at least one cell whose value is a large value's reference. */
export const PAGE_HAS_LARGE: u32 = 1
/** The cell's value is {first page id, total bytes} of a large value. */
export const CELL_LARGE: u32 = 1
export const LARGE_REFERENCE_BYTES: u32 = 8

export const USE_FREE: u32 = 0
export const USE_CURRENT: u32 = 1
export const USE_VERSION: u32 = 2

/** The most bytes a key and its value have together inside a leaf: at least three entries fit a page. */
export function inlineBytes(): u32 {
  const quarter: u32 = (load32(PAGE_BYTES) - HEADER_BYTES) >>> 2
  return (quarter < 1056 ? 1056 : quarter) - SLOT_BYTES - CELL_BYTES
}

export function idOf(page: u32): u32 {
  return load32(page)
}
export function kindOf(page: u32): u32 {
  return load8(page + 4)
}
export function levelOf(page: u32): u32 {
  return load8(page + 5)
}
export function countOf(page: u32): u32 {
  return load16(page + 6)
}
export function setCount(page: u32, count: u32): void {
  store16(page + 6, count)
}
export function prefixBytesOf(page: u32): u32 {
  return load16(page + 8)
}
export function flagsOf(page: u32): u32 {
  return load16(page + 10)
}
export function setFlags(page: u32, flags: u32): void {
  store16(page + 10, flags)
}
export function heapStartOf(page: u32): u32 {
  return load32(page + 12)
}
export function setHeapStart(page: u32, offset: u32): void {
  store32(page + 12, offset)
}
export function garbageOf(page: u32): u32 {
  return load32(page + 16)
}
export function setGarbage(page: u32, bytes: u32): void {
  store32(page + 16, bytes)
}
export function firstChildOf(page: u32): u32 {
  return load32(page + 20)
}
export function setFirstChild(page: u32, id: u32): void {
  store32(page + 20, id)
}
export function treeOf(page: u32): u32 {
  return load32(page + 24)
}

export function useOf(page: u32): u32 {
  return load8(page + 32)
}
export function setUse(page: u32, use: u32): void {
  store8(page + 32, use)
}
export function isDirty(page: u32): bool {
  return load8(page + 33) != 0
}
export function setDirty(page: u32, dirty: u32): void {
  store8(page + 33, dirty)
}
export function touch(page: u32): void {
  store8(page + 34, 1)
}
export function linkOf(page: u32): u32 {
  return load32(page + 36)
}
export function setLink(page: u32, link: u32): void {
  store32(page + 36, link)
}
/**
 * Head of the last slot, as a hint for searches: it stands in the link's place, which the newest version of a page does
 * not need, and may be out of date or nonsense.
 */
export function lastHeadOf(page: u32): u32 {
  return load32(page + 36)
}
export function setLastHead(page: u32, head: u32): void {
  store32(page + 36, head)
}
export function stampOf(page: u32): u32 {
  return load32(page + 48)
}

/** Address of slot 0. */
export function slotsOf(page: u32): u32 {
  return page + (((HEADER_BYTES + 3 + prefixBytesOf(page)) & ~3) >>> 0)
}
export function slotOf(page: u32, index: u32): u32 {
  return slotsOf(page) + (index << 3)
}
export function cellOf(page: u32, slot: u32): u32 {
  return page + load16(slot + 4)
}
export function suffixBytesOf(slot: u32): u32 {
  return load16(slot + 6) & SUFFIX_BYTES_MASK
}

/** Offset from the page's start behind the last slot. */
export function slotsEnd(page: u32): u32 {
  return (((HEADER_BYTES + 3 + prefixBytesOf(page)) & ~3) >>> 0) + (countOf(page) << 3)
}

/** Bytes between slots and heap. */
export function gapOf(page: u32): u32 {
  return heapStartOf(page) - slotsEnd(page)
}
/** All bytes a new entry could use. */
export function freeBytesOf(page: u32): u32 {
  return gapOf(page) + garbageOf(page)
}

export function valueBytesOf(cell: u32): u32 {
  return load32u(cell) & 0xffffff
}
export function cellFlagsOf(cell: u32): u32 {
  return load8(cell + 3)
}

/** Bytes of the cell behind `slot`. */
export function cellBytesOf(page: u32, slot: u32): u32 {
  const bytes: u32 = CELL_BYTES + suffixBytesOf(slot)
  return kindOf(page) == LEAF ? bytes + valueBytesOf(cellOf(page, slot)) : bytes
}

/** Child page id number `index` of a branch, 0 being the first child. */
export function childAt(page: u32, index: u32): u32 {
  return index == 0 ? firstChildOf(page) : load32u(cellOf(page, slotOf(page, index - 1)))
}

/** First four bytes at `p` as a big-endian number, padded with zeros when there are fewer. */
export function headAt(p: u32, bytes: u32): u32 {
  if (bytes >= 4) return byteSwap(load32u(p))
  let head: u32 = 0
  if (bytes > 0) head = (load8(p) << 24) >>> 0
  if (bytes > 1) head = (head | (load8(p + 1) << 16)) >>> 0
  if (bytes > 2) head = (head | (load8(p + 2) << 8)) >>> 0
  return head
}

/** Number of equal bytes at the beginning of two byte strings. */
export function commonBytes(a: u32, b: u32, limit: u32): u32 {
  let i: u32 = 0
  while (i + 8 <= limit) {
    const same = sameBytes8(a + i, b + i)
    if (same < 8) return i + same
    i += 8
  }
  while (i < limit && load8(a + i) == load8(b + i)) i++
  return i
}

/** Compares two byte strings: negative, 0, positive. */
export function compareBytes(a: u32, aBytes: u32, b: u32, bBytes: u32): i32 {
  const limit: u32 = aBytes < bBytes ? aBytes : bBytes
  const same = commonBytes(a, b, limit)
  if (same < limit) return load8(a + same) < load8(b + same) ? -1 : 1
  return aBytes == bBytes ? 0 : aBytes < bBytes ? -1 : 1
}

/** Copies a few bytes; below some hundred bytes a loop beats the call. */
export function copyShort(to: u32, from: u32, bytes: u32): void {
  if (bytes > 256) {
    copy(to, from, bytes)
    return
  }
  let i: u32 = 0
  while (i + 8 <= bytes) {
    copy8(to + i, from + i)
    i += 8
  }
  if (i + 4 <= bytes) {
    store32u(to + i, load32u(from + i))
    i += 4
  }
  while (i < bytes) {
    store8(to + i, load8(from + i))
    i++
  }
}

/** Copies the whole key of `index` to `to`; returns its length. */
export function copyKey(page: u32, index: u32, to: u32): u32 {
  const prefix = prefixBytesOf(page)
  const slot = slotOf(page, index)
  const suffix = suffixBytesOf(slot)
  copyShort(to, page + HEADER_BYTES, prefix)
  copyShort(to + prefix, cellOf(page, slot) + CELL_BYTES, suffix)
  return prefix + suffix
}
