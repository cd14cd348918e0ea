// Structural validation of a page before anything follows its numbers: after this, no byte that came from disk can make
// the kernel read or write outside the page, loop, or trap.
import { load16, load32, load32u, load8, store32 } from './platform'
import {
  BRANCH, CELL_BYTES, CELL_LARGE, compareBytes, countOf, firstChildOf, garbageOf, HEADER_BYTES, headAt,
  heapStartOf, idOf, kindOf, LARGE_REFERENCE_BYTES, LEAF, levelOf, PAGE_HAS_LARGE, flagsOf, prefixBytesOf, slotsOf,
} from './page'
import { MAX_KEY_BYTES, MAX_LEVEL, PAGE_BYTES, PROBLEM } from './state'
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
  if (prefix > MAX_KEY_BYTES || heap > pageBytes || slotsOf(page) + (count << 3) > page + heap) return refuse(PROBLEM_BOUNDS)
  if (kind == BRANCH && !isId(firstChildOf(page))) return refuse(PROBLEM_CHILD)
  if (kind == LEAF && firstChildOf(page) != 0) return refuse(PROBLEM_CHILD)
  let used: u32 = 0
  let before: u32 = 0
  let beforeBytes: u32 = 0
  let slot = slotsOf(page)
  let i: u32 = 0
  while (i < count) {
    const offset: u32 = load16(slot + 4)
    const suffix: u32 = load16(slot + 6)
    if (offset < heap || prefix + suffix > MAX_KEY_BYTES || offset + CELL_BYTES + suffix > pageBytes) return refuse(PROBLEM_CELL)
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
      bytes += valueBytes
    } else if (!isId(load32u(cell))) return refuse(PROBLEM_CHILD)
    const key = cell + CELL_BYTES
    if (load32(slot) != headAt(key, suffix)) return refuse(PROBLEM_HEAD)
    if (i > 0 && compareBytes(before, beforeBytes, key, suffix) >= 0) return refuse(PROBLEM_ORDER)
    before = key
    beforeBytes = suffix
    used += bytes
    slot += 8
    i++
  }
  if (garbageOf(page) > pageBytes || used + garbageOf(page) != pageBytes - heap) return refuse(PROBLEM_SPACE)
  return true
}
