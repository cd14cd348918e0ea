// Putting and deleting one entry. Each call first makes sure that it cannot fail halfway (pages resident, frames,
// records and ids reserved), then changes the tree.
//
// Two ways spare the descent: the shortcut of a key that is there already (`shortcuts.ts`), and the finger, the leaf into
// which keys have been inserted in order lately.
import { load32, load32u, store32 } from './platform'
import { format } from './build'
import {
  BY_KEY,
  corrupt,
  descend,
  misplacedOnPath,
  pathFrame,
  pathId,
  pathIndex,
  setPath,
  setPathFrame
} from './descent'
import { reserveFramesBeside } from './frames'
import { hasRoom, insertEntry, movePage, removeEntry, replaceValue, split } from './node'
import { countChain, freeChain, largeAt } from './large'
import {
  BRANCH,
  CELL_BYTES,
  cellOf,
  copyShort,
  countOf,
  idOf,
  setFirstChild,
  slotOf,
  stampOf,
  touch,
  treeOf,
  valueBytesOf
} from './page'
import { search, searchAt } from './search'
import {
  hashKey,
  noteShortcut,
  shortcutAt,
  shortcutCell,
  shortcutPage,
  shortcutsRest,
  shortcutSuffix
} from './shortcuts'
import {
  AHEAD_PLACE,
  FINGER,
  FINGER_LAST,
  FINGER_MISSES,
  FINGER_STAMP,
  NEW_HASH,
  NEW_KEY,
  NEW_KEY_BYTES,
  NEW_VALUE,
  NEW_VALUE_BYTES,
  NEW_WORD,
  NOT_FOUND,
  OK,
  SEPARATOR,
  WRITE_SCORE
} from './state'
import { frameOf, reserveIds } from './table'
import { makePage, openInPlace, reserveRecords, writable } from './versions'

/** The finger is given up after so many keys in a row that did not belong into its leaf. */
const MOST_MISSES: u32 = 16

/**
 * Reserves what one change along a path of this height can take: a copy and a new page per level, and a new root;
 * `more` is the number of further records, for pages that are freed.
 */
function reserve(height: u32, more: u32): i32 {
  const copies = reserveCopies(height, more)
  return copies < 0 ? copies : reserveIds((height + 3) << 1)
}

/** The same for a change that makes no new pages. */
function reserveCopies(height: u32, more: u32): i32 {
  const each = (height + 3) << 1
  const frames = reserveFramesBeside(height + 1, each)
  return frames < 0 ? frames : reserveRecords((each << 1) + more)
}

/** Puts the entry NEW_* (word: value length and flags) into the tree; `leaf`: where it belongs if that is known, or 0. */
export function putEntry(tree: u32, root: u32, leaf: u32): i32 {
  if (putAtFinger(tree)) return OK
  if (leaf == 0 ? putAtShortcut(tree) : putIntoLeaf(leaf)) return OK
  const height = descend(tree, root, 0, BY_KEY, load32(NEW_KEY), load32(NEW_KEY_BYTES))
  if (height < 0) return height
  const found = search(pathFrame(0), load32(NEW_KEY), load32(NEW_KEY_BYTES))
  const position = found >>> 1
  const large: u32 = (found & 1) != 0 ? largeAt(pathFrame(0), position) : 0
  if ((found & 1) != 0 && large == 0 && overwrite(pathFrame(0), position)) return OK
  const segments = countChain(large)
  if (segments < 0) return segments
  if (!hasRoom(pathFrame(0))) {
    const misplaced = misplacedOnPath(height)
    if (misplaced != 0) return corrupt(misplaced)
  }
  const reserved = reserve(height, segments)
  if (reserved < 0) return reserved
  const page = writable(pathId(0))
  setPathFrame(0, page)
  if ((found & 1) != 0) {
    freeChain(large)
    if (replaceValue(page, position)) return OK
    removeEntry(page, position)
  } else if (position != 0 && load32(page + 60) == position) setFinger(page, position, height)
  insertUpwards(root, position, height)
  return OK
}

/** Overwrites a value by one of the same length where it stands, when no snapshot needs the old one. */
function overwrite(page: u32, position: u32): bool {
  const slot = slotOf(page, position)
  if (valueBytesOf(cellOf(page, slot)) != load32(NEW_VALUE_BYTES) || !openInPlace(page)) return false
  const hash = load32(NEW_HASH)
  if (hash != 0) noteShortcut(shortcutAt(hash), hash, page, slot)
  return replaceValue(page, position)
}

/** Overwrites the value that the key's shortcut leads to; false, and nothing has changed, when that is not possible. */
function putAtShortcut(tree: u32): bool {
  store32(NEW_HASH, 0)
  if (shortcutsRest(WRITE_SCORE)) return false
  const key = load32(NEW_KEY)
  const keyBytes = load32(NEW_KEY_BYTES)
  const hash = hashKey(key, keyBytes, tree)
  store32(NEW_HASH, hash)
  const shortcut = shortcutAt(hash)
  const cell = shortcutCell(shortcut, hash, tree, key, keyBytes, WRITE_SCORE)
  // The word has the flags, too: a value that is or becomes a large one needs a descent.
  if (cell == 0 || load32u(cell) != load32(NEW_WORD) || load32(NEW_WORD) >>> 24 != 0) return false
  const page = shortcutPage(shortcut)
  if (!openInPlace(page)) return false
  touch(page)
  copyShort(cell + CELL_BYTES + shortcutSuffix(shortcut), load32(NEW_VALUE), load32(NEW_VALUE_BYTES))
  return true
}

/** Keys are being inserted in order into this leaf, so the next one is likely to belong into it, too. */
function setFinger(leaf: u32, position: u32, height: u32): void {
  let isLast: bool = position == countOf(leaf)
  let level: u32 = 1
  while (level <= height) {
    if (pathIndex(level) != countOf(pathFrame(level))) isLast = false
    level++
  }
  store32(FINGER, leaf)
  store32(FINGER_STAMP, stampOf(leaf))
  store32(FINGER_LAST, isLast ? 1 : 0)
  store32(FINGER_MISSES, 0)
}

/**
 * Inserts without a descent when the new key certainly belongs into the finger's leaf: between two of its keys, or
 * behind all of them if it is the last leaf. The range of keys that belong into a leaf shrinks only by a change to that
 * leaf, and every change but those made here renews its stamp.
 */
function putAtFinger(tree: u32): bool {
  const leaf = load32(FINGER)
  if (leaf == 0) return false
  if (stampOf(leaf) != load32(FINGER_STAMP) || treeOf(leaf) != tree || !hasRoom(leaf)) return missFinger()
  const found = search(leaf, load32(NEW_KEY), load32(NEW_KEY_BYTES))
  const position = found >>> 1
  if ((found & 1) != 0 || position == 0) return missFinger()
  if (PLANTED_BUG != 10 && position == countOf(leaf) && load32(FINGER_LAST) == 0) return missFinger()
  if (reserve(0, 0) < 0) return false
  const page = writable(idOf(leaf))
  if (!insertEntry(page, position)) return false
  touch(page)
  store32(FINGER, page)
  store32(FINGER_STAMP, stampOf(page))
  store32(FINGER_MISSES, 0)
  return true
}

/** Whether the key before belonged there, so that the next one probably needs no descent. */
export function isFingerHot(): bool {
  return load32(FINGER) != 0 && load32(FINGER_MISSES) == 0
}

/** Counts a key that did not belong there: while keys come in another order, looking at the finger is wasted. */
function missFinger(): bool {
  const misses = load32(FINGER_MISSES) + 1
  store32(FINGER_MISSES, misses)
  if (misses == MOST_MISSES) store32(FINGER, 0)
  return false
}

/** Puts the entry into the leaf where it belongs; false, and nothing has changed, when more than the leaf is needed. */
function putIntoLeaf(leaf: u32): bool {
  store32(NEW_HASH, 0)
  const found = searchAt(leaf, load32(NEW_KEY), load32(NEW_KEY_BYTES), load32(AHEAD_PLACE))
  touch(leaf)
  if ((found & 1) != 0) return largeAt(leaf, found >>> 1) == 0 && overwrite(leaf, found >>> 1)
  if (!hasRoom(leaf) || reserve(0, 0) < 0) return false
  return insertEntry(writable(idOf(leaf)), found >>> 1)
}

/** Inserts NEW_* at `position` of the leaf on the path; pages without room are split, up to the root. */
function insertUpwards(root: u32, position: u32, height: u32): void {
  let level: u32 = 0
  let at = position
  let top = height
  while (true) {
    let page = level == 0 ? pathFrame(0) : writable(pathId(level))
    if (insertEntry(page, at)) return
    // After a split the finger's leaf may hold a smaller range of keys.
    store32(FINGER, 0)
    if (level == top) {
      page = raiseRoot(root, page, level)
      top++
    }
    const rightId = makePage()
    const separator: u32 = SEPARATOR + ((level & 1) << 11)
    const bytes = split(page, at, frameOf(rightId), rightId, separator)
    store32(NEW_KEY, separator)
    store32(NEW_KEY_BYTES, bytes)
    store32(NEW_WORD, rightId)
    store32(NEW_VALUE, 0)
    store32(NEW_VALUE_BYTES, 0)
    level++
    at = pathIndex(level)
  }
}

/** Moves the root's content into a new page below it, so that the root keeps its id; returns the new page's frame. */
function raiseRoot(root: u32, rootFrame: u32, level: u32): u32 {
  const childId = makePage()
  const child = frameOf(childId)
  movePage(child, rootFrame, childId)
  format(rootFrame, root, BRANCH, level + 1, treeOf(child))
  setFirstChild(rootFrame, childId)
  setPath(level + 1, rootFrame, 0, root)
  return child
}

/** Deletes the key NEW_*; NOT_FOUND when it is not there. */
export function deleteEntry(tree: u32, root: u32): i32 {
  const height = descend(tree, root, 0, BY_KEY, load32(NEW_KEY), load32(NEW_KEY_BYTES))
  if (height < 0) return height
  const found = search(pathFrame(0), load32(NEW_KEY), load32(NEW_KEY_BYTES))
  if ((found & 1) == 0) return NOT_FOUND
  const large = largeAt(pathFrame(0), found >>> 1)
  const segments = countChain(large)
  if (segments < 0) return segments
  // A table without a free id must not keep from deleting.
  const reserved = reserveCopies(height, segments)
  if (reserved < 0) return reserved
  const page = writable(pathId(0))
  freeChain(large)
  removeEntry(page, found >>> 1)
  return OK
}
