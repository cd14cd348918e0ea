// Looking ahead: the leaves for the next operations of a commit are found together, before the operations are applied
// one after the other. In a tree much larger than the processor's cache an operation waits for memory several times in a
// row; asking for the leaves of a window of operations first lets those waits overlap, and a descent is done only once.
//
// A leaf found ahead is right as long as its stamp is the one noted: what changes the range of keys that belong into a
// leaf changes the leaf.
//
//   window   0      4       8           12
//            | leaf | stamp | operation | place | × 32
//
// place: where the key's head belongs among those of the leaf, so that the cell there can be asked for, too.
import { load16, load32, load8, store32 } from './platform'
import { belongs } from './descent'
import { cellOf, childAt, countOf, heapStartOf, levelOf, slotsOf, stampOf } from './page'
import { childIndex, placeOf } from './search'
import { AHEAD, AHEAD_COUNT, AHEAD_END, AHEAD_NEXT, AHEAD_PLACE, AHEAD_SUM, FRAME_GAP, MAX_LEVEL } from './state'
import { frameOf, isId } from './table'
import { isImageWanted } from './versions'

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
  const entry = AHEAD + (count << 4)
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
    const entry = AHEAD + (i << 4)
    store32(entry + 4, stampOf(load32(entry)))
    i++
  }
  let sum: u32 = 0
  i = 0
  while (i < count) {
    const entry = AHEAD + (i << 4)
    const leaf = load32(entry)
    const at = load32(entry + 8)
    store32(entry + 12, placeOf(leaf, at + keyOffset, load16(at + 2)))
    i++
  }
  i = 0
  while (i < count) {
    const entry = AHEAD + (i << 4)
    const leaf = load32(entry)
    const place = load32(entry + 12)
    sum += load8(leaf + heapStartOf(leaf) - 1)
    if (place < countOf(leaf)) {
      const cell = cellOf(leaf, slotsOf(leaf) + (place << 3))
      sum += load8(cell) + load8(cell + FRAME_GAP)
    }
    i++
  }
  // Stored, because a compiler may remove loads whose result nobody uses.
  store32(AHEAD_SUM, sum)
}

/** Frame of the leaf found ahead with this number if its image should be written before it is changed; otherwise 0. */
export function wantedImage(index: u32): u32 {
  const leaf = load32(AHEAD + (index << 4))
  return isImageWanted(leaf) ? leaf : 0
}

/** The leaf that was found ahead for the operation at `at`, 0 when none was or the leaf has changed. */
export function leafAhead(at: u32, tree: u32): u32 {
  const next = load32(AHEAD_NEXT)
  if (next >= load32(AHEAD_COUNT)) return 0
  const entry = AHEAD + (next << 4)
  if (load32(entry + 8) != at) return 0
  store32(AHEAD_NEXT, next + 1)
  store32(AHEAD_PLACE, load32(entry + 12))
  const leaf = load32(entry)
  return stampOf(leaf) == load32(entry + 4) && belongs(leaf, tree, 0) ? leaf : 0
}
