// Range deletion and the dropping of whole trees. Subtrees that lie wholly inside the range are cut off at their parent
// and freed without reading their leaves (leaves that refer to large values excepted); only the leaves at the edges are
// trimmed.
//
// The work is a series of steps that each leave a valid tree: cut off subtrees go onto a stack that later steps empty.
// A step that misses a page has changed nothing, and calling again goes on where it stopped.
//
//   stack entry   0    4
//                 | id | level |
import { load32, store32 } from './platform'
import {
  belongs,
  BY_KEY,
  corrupt,
  descend,
  pathFrame,
  pathId,
  pathIndex,
  resolve,
  setPath,
  setPathIndex
} from './descent'
import { reserveFrames } from './frames'
import { countChain, freeChain, largeAt } from './large'
import { removeEntries } from './node'
import { childAt, compareBytes, copyKey, countOf, flagsOf, idOf, levelOf, PAGE_HAS_LARGE } from './page'
import { rebalance } from './rebalance'
import { search } from './search'
import { DROP_COUNT, DROP_STACK, JOINED, KEY2, MAX_LEVEL, MISS, OK, PAGES_USED, TRIMMED_KEY_BYTES } from './state'
import { ENTRY_HAS_LARGE, entryOf, formatOf, frameOf, isId, isUsed } from './table'
import { freePage, reserveRecords, writable } from './versions'

export const DROP_STACK_LENGTH: u32 = 32768

function pushDrop(id: u32, level: u32): void {
  const count = load32(DROP_COUNT)
  const at = load32(DROP_STACK) + (count << 3)
  store32(at, id)
  store32(at + 4, level)
  store32(DROP_COUNT, count + 1)
}

/** Cuts a whole tree off: its root, which the catalog alone speaks for, goes onto the stack. */
export function dropRoot(tree: u32, root: u32): i32 {
  if (!isId(root)) return corrupt(root)
  const page = resolve(root, 0)
  if (page == 0) return MISS
  const level = levelOf(page)
  if (level > MAX_LEVEL || !belongs(page, tree, level)) return corrupt(root)
  pushDrop(root, level)
  return OK
}

/** Frees what stands on the stack. */
export function emptyDropStack(tree: u32): i32 {
  while (load32(DROP_COUNT) != 0) {
    const top = load32(DROP_STACK) + ((load32(DROP_COUNT) - 1) << 3)
    const id = load32(top)
    const level = load32(top + 4)
    if (!isId(id) || !isUsed(id)) return corrupt(id)
    const status = level == 0 ? dropLeaf(tree, id) : dropBranch(tree, id, level)
    if (status < 0) return status
  }
  return OK
}

function dropLeaf(tree: u32, id: u32): i32 {
  const frame = frameOf(id)
  const hasLarge: bool =
    frame == 0 ? (formatOf(entryOf(id)) & ENTRY_HAS_LARGE) != 0 : (flagsOf(frame) & PAGE_HAS_LARGE) != 0
  if (hasLarge) {
    const page = resolve(id, 0)
    if (page == 0) return MISS
    if (!belongs(page, tree, 0)) return corrupt(id)
    const segments = countLarge(page, 0, countOf(page))
    if (segments < 0) return segments
    const records = reserveRecords((segments as u32) + 2)
    if (records < 0) return records
    freeLarge(page, 0, countOf(page))
  } else {
    const records = reserveRecords(2)
    if (records < 0) return records
  }
  store32(DROP_COUNT, load32(DROP_COUNT) - 1)
  freePage(id)
  return OK
}

function dropBranch(tree: u32, id: u32, level: u32): i32 {
  const page = resolve(id, 0)
  if (page == 0) return MISS
  if (!belongs(page, tree, level)) return corrupt(id)
  const records = reserveRecords(2)
  if (records < 0) return records
  const count = countOf(page)
  if (load32(DROP_COUNT) + count + 1 > DROP_STACK_LENGTH) return corrupt(id)
  store32(DROP_COUNT, load32(DROP_COUNT) - 1)
  let i: u32 = 0
  while (i <= count) {
    pushDrop(childAt(page, i), level - 1)
    i++
  }
  freePage(id)
  return OK
}

function countLarge(page: u32, from: u32, to: u32): i32 {
  let segments: i32 = 0
  while (from < to) {
    const chain = countChain(largeAt(page, from))
    if (chain < 0) return chain
    segments += chain
    // More than there are pages: damaged cells that name the same segments over and over.
    if ((segments as u32) > load32(PAGES_USED)) return corrupt(idOf(page))
    from++
  }
  return segments
}

function freeLarge(page: u32, from: u32, to: u32): void {
  while (from < to) {
    freeChain(largeAt(page, from))
    from++
  }
}

/** Moves the path from its leaf to the next one; 1 when there is none. */
function nextLeaf(tree: u32, height: u32): i32 {
  let level: u32 = 1
  while (level <= height && pathIndex(level) >= countOf(pathFrame(level))) level++
  if (level > height) return 1
  setPathIndex(level, pathIndex(level) + 1)
  while (level > 0) {
    const id = childAt(pathFrame(level), pathIndex(level))
    if (!isId(id)) return corrupt(id)
    const page = resolve(id, 0)
    if (page == 0) return MISS
    level--
    if (!belongs(page, tree, level)) return corrupt(id)
    setPath(level, page, 0, id)
  }
  return OK
}

/** Deletes all keys from `lower` on that are less than `upper` (all further ones when `upper` is 0). */
export function clearRange(tree: u32, root: u32, lower: u32, lowerBytes: u32, upper: u32, upperBytes: u32): i32 {
  while (true) {
    const dropped = emptyDropStack(tree)
    if (dropped < 0) return dropped
    if (load32(TRIMMED_KEY_BYTES) != 0) {
      const mended = rebalance(tree, root, KEY2, load32(TRIMMED_KEY_BYTES))
      if (mended < 0) return mended
      store32(TRIMMED_KEY_BYTES, 0)
    }
    const height = descend(tree, root, 0, BY_KEY, lower, lowerBytes)
    if (height < 0) return height
    let position = search(pathFrame(0), lower, lowerBytes) >>> 1
    while (position == countOf(pathFrame(0))) {
      const next = nextLeaf(tree, height)
      if (next < 0) return next
      if (next == 1) return OK
      position = 0
    }
    const leaf = pathFrame(0)
    const firstBytes = copyKey(leaf, position, JOINED)
    if (upper != 0 && compareBytes(JOINED, firstBytes, upper, upperBytes) >= 0) return OK
    const frames = reserveFrames(4)
    if (frames < 0) return frames
    const records = reserveRecords(4)
    if (records < 0) return records
    if (cutOff(height, upper, upperBytes)) continue
    let end: u32 = upper == 0 ? countOf(leaf) : search(leaf, upper, upperBytes) >>> 1
    if (PLANTED_BUG == 3 && upper != 0) end += search(leaf, upper, upperBytes) & 1
    const segments = countLarge(leaf, position, end)
    if (segments < 0) return segments
    const chains = reserveRecords((segments as u32) + 4)
    if (chains < 0) return chains
    store32(TRIMMED_KEY_BYTES, copyKey(leaf, position, KEY2))
    const page = writable(pathId(0))
    freeLarge(page, position, end)
    removeEntries(page, position, end)
  }
}

/** Cuts off the children right of the path that lie inside the range, at the highest level that has any. */
function cutOff(height: u32, upper: u32, upperBytes: u32): bool {
  let level = height
  while (level > 0) {
    const page = pathFrame(level)
    const from = pathIndex(level)
    let end = countOf(page)
    if (upper != 0) {
      const found = search(page, upper, upperBytes)
      end = (found >>> 1) + (found & 1)
    }
    const room = DROP_STACK_LENGTH - load32(DROP_COUNT)
    if (end > from + 1) {
      let cut = end - from - 1
      if (cut > room >>> 1) cut = room >>> 1
      let i: u32 = 0
      while (i < cut) {
        pushDrop(childAt(page, from + 1 + i), level - 1)
        i++
      }
      removeEntries(writable(pathId(level)), from, from + cut)
      return true
    }
    level--
  }
  return false
}
