// Structural validation of a page before anything follows its numbers: after this, no byte that came from disk can make
// the kernel read or write outside the page, loop, or trap.
import { fill, load16, load32, load32u, load8, store16, store32, trailingZeros } from './platform'
import {
  BRANCH,
  CELL_BYTES,
  CELL_LARGE,
  cellBytesOf,
  compareBytes,
  countOf,
  firstChildOf,
  garbageOf,
  headAt,
  heapStartOf,
  idOf,
  inlineBytes,
  kindOf,
  LARGE_REFERENCE_BYTES,
  LEAF,
  levelOf,
  PAGE_HAS_LARGE,
  flagsOf,
  prefixBytesOf,
  slotOf,
  slotsEnd,
  slotsOf,
  SUFFIX_BYTES_MASK
} from './page'
import { hasPrints, printedLength } from './prints'
import { MAX_KEY_BYTES, MAX_LEVEL, PAGE_BYTES, PROBLEM, WORK2 } from './state'
import { isId } from './table'

// What PROBLEM says.
export const PROBLEM_ID: u32 = 1
export const PROBLEM_KIND: u32 = 2
export const PROBLEM_BOUNDS: u32 = 3
export const PROBLEM_CELL: u32 = 4
export const PROBLEM_HEAD: u32 = 5
export const PROBLEM_ORDER: u32 = 6
export const PROBLEM_CHILD: u32 = 7
export const PROBLEM_SPACE: u32 = 8
export const PROBLEM_LARGE: u32 = 9
export const PROBLEM_IMAGE: u32 = 10

export function refuse(problem: u32): bool {
  store32(PROBLEM, problem)
  return false
}

/** Is the page, which claims to be page `id`, a page of this database's form? */
export function isSound(page: u32, id: u32): bool {
  const pageBytes = load32(PAGE_BYTES)
  const kind = kindOf(page)
  const level = levelOf(page)
  const count = countOf(page)
  const prefix = prefixBytesOf(page)
  const heap = heapStartOf(page)
  if (idOf(page) != id) return refuse(PROBLEM_ID)
  if (level > MAX_LEVEL || kind != (level == 0 ? LEAF : BRANCH)) return refuse(PROBLEM_KIND)
  if (prefix > MAX_KEY_BYTES || heap > pageBytes || slotsEnd(page) > heap) return refuse(PROBLEM_BOUNDS)
  if (kind == BRANCH && !isChild(firstChildOf(page))) return refuse(PROBLEM_CHILD)
  if (kind == LEAF && firstChildOf(page) != 0) return refuse(PROBLEM_CHILD)
  const inlineMost = inlineBytes()
  // Only in memory: an image has no memory part.
  const printed = hasPrints(page)
  let used: u32 = 0
  let before: u32 = 0
  let beforeBytes: u32 = 0
  let beforeHead: u32 = 0
  let lowest = pageBytes
  let slot = slotsOf(page)
  let i: u32 = 0
  while (i < count) {
    const offset: u32 = load16(slot + 4)
    const length: u32 = load16(slot + 6)
    const suffix: u32 = printed ? length & SUFFIX_BYTES_MASK : length
    if (offset < heap || prefix + suffix > MAX_KEY_BYTES || offset + CELL_BYTES + suffix > pageBytes)
      return refuse(PROBLEM_CELL)
    const cell = page + offset
    let bytes: u32 = CELL_BYTES + suffix
    if (kind == LEAF) {
      const valueBytes: u32 = load32u(cell) & 0xffffff
      const flags: u32 = load8(cell + 3)
      if (valueBytes > pageBytes || offset + bytes + valueBytes > pageBytes) return refuse(PROBLEM_CELL)
      if ((flags & ~CELL_LARGE) != 0) return refuse(PROBLEM_LARGE)
      if ((flags & CELL_LARGE) != 0 && (valueBytes != LARGE_REFERENCE_BYTES || (flagsOf(page) & PAGE_HAS_LARGE) == 0)) {
        return refuse(PROBLEM_LARGE)
      }
      if ((flags & CELL_LARGE) == 0 && prefix + suffix + valueBytes > inlineMost) return refuse(PROBLEM_CELL)
      bytes += valueBytes
    } else if (!isChild(load32u(cell))) return refuse(PROBLEM_CHILD)
    const key = cell + CELL_BYTES
    const head = headAt(key, suffix)
    if (load32(slot) != head || (printed && length != printedLength(key, suffix))) return refuse(PROBLEM_HEAD)
    if (head <= beforeHead && i > 0) {
      if (head < beforeHead || compareBytes(before, beforeBytes, key, suffix) >= 0) return refuse(PROBLEM_ORDER)
    }
    before = key
    beforeBytes = suffix
    beforeHead = head
    // Keys that came in order have cells one below the other, which cannot overlap.
    lowest = offset + bytes <= lowest ? offset : 0
    used += bytes
    slot += 8
    i++
  }
  if (garbageOf(page) > pageBytes || used + garbageOf(page) != pageBytes - heap) return refuse(PROBLEM_SPACE)
  return lowest == 0 && cellsOverlap(page, count) ? refuse(PROBLEM_SPACE) : true
}

function isChild(id: u32): bool {
  return id != 0 && isId(id)
}

/**
 * Do cells share bytes? A value written over another cell's length would undo all that was checked.
 *
 * A cell takes four bytes at least, so no two begin in the same aligned group of four: a bit for every group, in order,
 * and beside it the number of the slot whose cell begins there.
 */
function cellsOverlap(page: u32, count: u32): bool {
  const begins = load32(WORK2)
  const bytes: u32 = load32(PAGE_BYTES) >>> 5
  const numbers = begins + bytes
  fill(begins, 0, bytes)
  let i: u32 = 0
  while (i < count) {
    const group: u32 = load16(slotOf(page, i) + 4) >>> 2
    const at = begins + ((group >>> 5) << 2)
    const bit: u32 = (1 << (group & 31)) >>> 0
    if ((load32(at) & bit) != 0) return true
    store32(at, (load32(at) | bit) >>> 0)
    store16(numbers + (group << 1), i)
    i++
  }
  let end: u32 = 0
  let byte: u32 = 0
  while (byte < bytes) {
    let word = load32(begins + byte)
    while (word != 0) {
      const group: u32 = (byte << 3) + trailingZeros(word)
      word = (word & (word - 1)) >>> 0
      const slot = slotOf(page, load16(numbers + (group << 1)))
      const offset: u32 = load16(slot + 4)
      if (offset < end) return true
      end = offset + cellBytesOf(page, slot)
    }
    byte += 4
  }
  return false
}
