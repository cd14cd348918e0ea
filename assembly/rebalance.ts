// Underfull pages join a sibling or share with it, level by level from the leaf to the root.
//
// Each level is one step that leaves a valid tree, and an underfull page is valid too; so a page that is missing stops
// the walk without harm, and calling again goes on where it stopped.
import { load32, store32 } from './platform'
import {
  build,
  clearList,
  copyEntryKey,
  copyPage,
  entryWord,
  listEntries,
  listNew,
  sizeOfEntries,
  sizeOfEntry
} from './build'
import {
  belongs,
  BY_KEY,
  corrupt,
  descend,
  isWithin,
  pathFrame,
  pathId,
  pathIndex,
  resolve,
  setPathFrame
} from './descent'
import { reserveFrames, reserveFramesBeside } from './frames'
import { insertEntry, isUnderfull, movePage, removeEntry } from './node'
import {
  BRANCH,
  CELL_BYTES,
  cellBytesOf,
  childAt,
  commonBytes,
  copyKey,
  countOf,
  firstChildOf,
  freeBytesOf,
  HEADER_BYTES,
  kindOf,
  LEAF,
  levelOf,
  prefixBytesOf,
  setFirstChild,
  slotOf
} from './page'
import {
  COUNT_MERGES,
  ENTRY_COUNT,
  JOINED,
  MISS,
  NEW_KEY,
  NEW_KEY_BYTES,
  NEW_VALUE,
  NEW_VALUE_BYTES,
  NEW_WORD,
  OK,
  PAGE_BYTES,
  SEPARATOR,
  WORK,
  WORK2
} from './state'
import { frameOf, isId } from './table'
import { freePage, reserveRecords, writable } from './versions'

const PROMOTED: u32 = SEPARATOR + 2048

/** Rebalances the pages on the path to the key, from the leaf to the root. */
export function rebalance(tree: u32, root: u32, key: u32, keyBytes: u32): i32 {
  const height = descend(tree, root, 0, BY_KEY, key, keyBytes)
  if (height < 0) return height
  // Pages that must be in memory: the path, and one sibling at a time.
  const frames = reserveFramesBeside(height + 2, (height + 2) << 2)
  if (frames < 0) return frames
  const records = reserveRecords((height + 2) << 3)
  if (records < 0) return records
  let level: u32 = 0
  while (level < (height as u32)) {
    if (isUnderfull(pathFrame(level)) && countOf(pathFrame(level + 1)) != 0) {
      const status = mend(tree, level)
      if (status < 0) return status
    }
    level++
  }
  return lowerRoot(tree, root)
}

/** Joins the page on the path at `level` with its left sibling, or the right one when it has none. */
function mend(tree: u32, level: u32): i32 {
  const parent = pathFrame(level + 1)
  const index = pathIndex(level + 1)
  const leftIndex: u32 = index > 0 ? index - 1 : 0
  const leftId = childAt(parent, leftIndex)
  const rightId = childAt(parent, leftIndex + 1)
  const siblingId = index > 0 ? leftId : rightId
  if (!isId(siblingId)) return corrupt(siblingId)
  const sibling = resolve(siblingId, 0)
  if (sibling == 0) return MISS
  if (!belongs(sibling, tree, level)) return corrupt(siblingId)
  if (!isWithin(frameOf(leftId), parent, leftIndex)) return corrupt(leftId)
  if (!isWithin(frameOf(rightId), parent, leftIndex + 1)) return corrupt(rightId)

  const left = load32(WORK)
  const right = load32(WORK2)
  copyPage(left, frameOf(leftId))
  copyPage(right, frameOf(rightId))
  const kind = kindOf(left)
  clearList()
  listEntries(left, 0, countOf(left))
  if (kind == BRANCH) {
    const bytes = copyKey(parent, leftIndex, SEPARATOR)
    store32(NEW_KEY, SEPARATOR)
    store32(NEW_KEY_BYTES, bytes)
    store32(NEW_WORD, firstChildOf(right))
    store32(NEW_VALUE, 0)
    store32(NEW_VALUE_BYTES, 0)
    listNew()
  }
  if (PLANTED_BUG == 2) listEntries(right, 1, countOf(right))
  else listEntries(right, 0, countOf(right))
  const total = load32(ENTRY_COUNT)
  const pageBytes = load32(PAGE_BYTES)
  // Some room is left, or the next insert would cut the page again; an empty page always joins.
  const limit: u32 = countOf(left) == 0 || countOf(right) == 0 ? pageBytes : pageBytes - (pageBytes >>> 3)
  if (sizeOfEntries(0, total, kind) <= limit) {
    build(writable(leftId), 0, total)
    const changed = writable(pathId(level + 1))
    setPathFrame(level + 1, changed)
    removeEntry(changed, leftIndex)
    freePage(rightId)
    store32(COUNT_MERGES, (load32(COUNT_MERGES) + 1) >>> 0)
  } else if (total > 1) share(level, kind, total, leftIndex, leftId, rightId)
  return OK
}

/** Cuts the list of both pages' entries anew, unless the parent has no room for the new separator. */
function share(level: u32, kind: u32, total: u32, leftIndex: u32, leftId: u32, rightId: u32): void {
  const cut = middle(kind, total)
  const pageBytes = load32(PAGE_BYTES)
  const rightFrom: u32 = kind == LEAF ? cut : cut + 1
  if (sizeOfEntries(0, cut, kind) > pageBytes || sizeOfEntries(rightFrom, total, kind) > pageBytes) return
  const after = copyEntryKey(cut, PROMOTED)
  let bytes = after
  if (kind == LEAF) {
    const before = copyEntryKey(cut - 1, JOINED)
    bytes = commonBytes(JOINED, PROMOTED, before < after ? before : after) + 1
  }
  const parent = pathFrame(level + 1)
  const prefix = prefixBytesOf(parent)
  if (bytes < prefix || commonBytes(parent + HEADER_BYTES, PROMOTED, prefix) != prefix) return
  const old = cellBytesOf(parent, slotOf(parent, leftIndex))
  if (freeBytesOf(parent) + old < CELL_BYTES + bytes - prefix) return

  const left = writable(leftId)
  const right = writable(rightId)
  if (kind == BRANCH) setFirstChild(right, entryWord(cut))
  build(left, 0, cut)
  build(right, rightFrom, total)
  const changed = writable(pathId(level + 1))
  setPathFrame(level + 1, changed)
  removeEntry(changed, leftIndex)
  store32(NEW_KEY, PROMOTED)
  store32(NEW_KEY_BYTES, bytes)
  store32(NEW_WORD, rightId)
  store32(NEW_VALUE, 0)
  store32(NEW_VALUE_BYTES, 0)
  insertEntry(changed, leftIndex)
}

/** Index of the entry in the middle by bytes; at least 1, less than `total`. */
function middle(kind: u32, total: u32): u32 {
  let all: u32 = 0
  let i: u32 = 0
  while (i < total) {
    all += sizeOfEntry(i, kind, 0)
    i++
  }
  let before: u32 = 0
  i = 0
  while (i < total - 1 && before + before < all) {
    before += sizeOfEntry(i, kind, 0)
    i++
  }
  return i == 0 ? 1 : i
}

/** While the root has a single child, the child's content moves into the root. */
function lowerRoot(tree: u32, root: u32): i32 {
  while (true) {
    const page = frameOf(root)
    if (kindOf(page) != BRANCH || countOf(page) != 0) return OK
    const childId = firstChildOf(page)
    if (!isId(childId)) return corrupt(childId)
    const child = resolve(childId, 0)
    if (child == 0) return MISS
    if (!belongs(child, tree, levelOf(page) - 1)) return corrupt(childId)
    const frames = reserveFrames(4)
    if (frames < 0) return frames
    const records = reserveRecords(4)
    if (records < 0) return records
    movePage(writable(root), child, root)
    freePage(childId)
  }
}
