// Looking ahead: the leaves for the next operations of a commit are found together, before the operations are applied
// one after the other. In a tree much larger than the processor's cache an operation waits for memory several times in a
// row; asking for the leaves of a window of operations first lets those waits overlap, and a descent is done only once.
//
// A leaf found ahead is right as long as its stamp is the one noted: what changes the range of keys that belong into a
// leaf changes the leaf.
//
//   window   0      4       8
//            | leaf | stamp | operation | × 32
import { div, load16, load32, load8, store32 } from './platform'
import { belongs } from './descent'
import { childAt, countOf, headAt, heapStartOf, lastHeadOf, levelOf, prefixBytesOf, slotsOf, stampOf } from './page'
import { childIndex } from './search'
import { AHEAD, AHEAD_COUNT, AHEAD_END, AHEAD_NEXT, AHEAD_SUM, MAX_LEVEL } from './state'
import { frameOf, isId } from './table'

export const AHEAD_LENGTH: u32 = 32

/** Forgets what was found ahead. */
export function forgetAhead(end: u32): void {
  store32(AHEAD_COUNT, 0)
  store32(AHEAD_NEXT, 0)
  store32(AHEAD_END, end)
}

/** Adds the operation at `at` to the window, which has room, if its leaf can be found; tells whether it was. */
export function findAhead(at: u32, tree: u32, root: u32, key: u32, keyBytes: u32): bool {
  const leaf = leafOf(tree, root, key, keyBytes)
  if (leaf == 0) return false
  const count = load32(AHEAD_COUNT)
  const entry = AHEAD + count * 12
  store32(entry, leaf)
  store32(entry + 8, at)
  store32(AHEAD_COUNT, count + 1)
  return true
}

/** Frame of the leaf for the key, not looked at itself; 0 when something on the way is not in memory. */
function leafOf(tree: u32, root: u32, key: u32, keyBytes: u32): u32 {
  if (!isId(root)) return 0
  let page = frameOf(root)
  if (page == 0) return 0
  let level = levelOf(page)
  if (level == 0 || level > MAX_LEVEL) return 0
  while (belongs(page, tree, level)) {
    const id = childAt(page, childIndex(page, key, keyBytes))
    if (!isId(id)) return 0
    page = frameOf(id)
    level--
    if (level == 0 || page == 0) return page
  }
  return 0
}

/** Called when the window is full or the operations end: loads what their application will look at. */
export function touchAhead(keyOffset: u32): void {
  const count = load32(AHEAD_COUNT)
  let i: u32 = 0
  while (i < count) {
    const entry = AHEAD + i * 12
    store32(entry + 4, stampOf(load32(entry)))
    i++
  }
  let sum: u32 = 0
  i = 0
  while (i < count) {
    const entry = AHEAD + i * 12
    const leaf = load32(entry)
    const at = load32(entry + 8)
    sum +=
      load32(slotsOf(leaf) + (guess(leaf, at + keyOffset, load16(at + 2)) << 3)) + load8(leaf + heapStartOf(leaf) - 1)
    i++
  }
  // Stored, because a compiler may remove loads whose result nobody uses.
  store32(AHEAD_SUM, sum)
}

/** About where `search` will look first. */
function guess(leaf: u32, key: u32, keyBytes: u32): u32 {
  const count = countOf(leaf)
  const prefix = prefixBytesOf(leaf)
  if (keyBytes < prefix || count == 0) return 0
  const head = headAt(key + prefix, keyBytes - prefix)
  const first = load32(slotsOf(leaf))
  const last = lastHeadOf(leaf)
  if (head <= first) return 0
  if (head >= last) return count - 1
  const place = div(head - first, div(last - first, count) + 1)
  return place < count ? place : count - 1
}

/** The leaf that was found ahead for the operation at `at`, 0 when none was or the leaf has changed. */
export function leafAhead(at: u32, tree: u32): u32 {
  const next = load32(AHEAD_NEXT)
  if (next >= load32(AHEAD_COUNT)) return 0
  const entry = AHEAD + next * 12
  if (load32(entry + 8) != at) return 0
  store32(AHEAD_NEXT, next + 1)
  const leaf = load32(entry)
  return stampOf(leaf) == load32(entry + 4) && belongs(leaf, tree, 0) ? leaf : 0
}
