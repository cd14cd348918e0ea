// The way from a root to a leaf. Every page on it is checked against what its parent says of it (tree, level, kind);
// a page that is not in memory stops the descent with MISS before anything has changed.
//
//   PATH, per level   0       4             8         12
//                     | frame | child index | page id | unused |
import { load32, store32 } from './platform'
import { BRANCH, childAt, compareBytes, copyKey, countOf, kindOf, LEAF, levelOf, touch, treeOf } from './page'
import { childIndex } from './search'
import { CORRUPT, JOINED, MAX_KEY_BYTES, MAX_LEVEL, MISS, PATH, WANTED_PAGE, WANTED_RECORD } from './state'
import { chainOf, frameOf, isId } from './table'
import { versionAt } from './versions'

export function pathFrame(level: u32): u32 {
  return load32(PATH + (level << 4))
}
export function pathIndex(level: u32): u32 {
  return load32(PATH + (level << 4) + 4)
}
export function pathId(level: u32): u32 {
  return load32(PATH + (level << 4) + 8)
}
export function setPath(level: u32, frame: u32, index: u32, id: u32): void {
  const at = PATH + (level << 4)
  store32(at, frame)
  store32(at + 4, index)
  store32(at + 8, id)
}
export function setPathFrame(level: u32, frame: u32): void {
  store32(PATH + (level << 4), frame)
}
export function setPathIndex(level: u32, index: u32): void {
  store32(PATH + (level << 4) + 4, index)
}

/** The frame that holds the page as the snapshot (0: now) sees it, or 0: MISS, the wanted page being noted. */
export function resolve(id: u32, snapshot: u32): u32 {
  let frame: u32
  if (snapshot != 0 && chainOf(id) != 0) {
    const record = versionAt(id, snapshot)
    frame = record == 0 ? frameOf(id) : load32(record + 16)
    if (frame == 0) {
      store32(WANTED_PAGE, id)
      store32(WANTED_RECORD, record)
      return 0
    }
  } else {
    frame = frameOf(id)
    if (frame == 0) {
      store32(WANTED_PAGE, id)
      store32(WANTED_RECORD, 0)
      return 0
    }
  }
  touch(frame)
  return frame
}

export function corrupt(id: u32): i32 {
  store32(WANTED_PAGE, id)
  store32(WANTED_RECORD, 0)
  return CORRUPT
}

/** Does the page fit where its parent says it stands? */
export function belongs(page: u32, tree: u32, level: u32): bool {
  return treeOf(page) == tree && levelOf(page) == level && kindOf(page) == (level == 0 ? LEAF : BRANCH)
}

/**
 * Do the page's keys lie between the keys that bound child `index` of its parent? What is built from pages of which
 * this is not known could be out of order, and a page out of order has no prefix. Reading does not depend on it.
 */
export function isWithin(page: u32, parent: u32, index: u32): bool {
  if (countOf(page) == 0) return true
  if (index > 0 && !isFrom(page, parent, index - 1)) return false
  return index == countOf(parent) || isBelow(page, parent, index)
}

/** Does no key of the page lie before key `index` of the page above? In a branch none is equal to it either. */
function isFrom(page: u32, above: u32, index: u32): bool {
  const bound: u32 = JOINED + MAX_KEY_BYTES
  const first = copyKey(page, 0, JOINED)
  const order = compareBytes(JOINED, first, bound, copyKey(above, index, bound))
  return order > 0 || (order == 0 && kindOf(page) == LEAF)
}

/** Do all keys of the page lie before key `index` of the page above? */
function isBelow(page: u32, above: u32, index: u32): bool {
  const bound: u32 = JOINED + MAX_KEY_BYTES
  const last = copyKey(page, countOf(page) - 1, JOINED)
  return compareBytes(JOINED, last, bound, copyKey(above, index, bound)) < 0
}

/**
 * The first page on a path of this height that is not within its bounds, or 0. A first or last child is bounded by what
 * stands further up, and cutting it may bring its keys there.
 */
export function misplacedOnPath(height: u32): u32 {
  let level: u32 = 0
  while (level < height) {
    const page = pathFrame(level)
    if (countOf(page) != 0) {
      let above = level + 1
      while (above <= height && pathIndex(above) == 0) above++
      if (above <= height && !isFrom(page, pathFrame(above), pathIndex(above) - 1)) return pathId(level)
      above = level + 1
      while (above <= height && pathIndex(above) == countOf(pathFrame(above))) above++
      if (above <= height && !isBelow(page, pathFrame(above), pathIndex(above))) return pathId(level)
    }
    level++
  }
  return 0
}

export const LEFTMOST: u32 = 0
export const BY_KEY: u32 = 1
export const RIGHTMOST: u32 = 2

/** Walks from the root to a leaf and records the path; returns the root's level, or a status. */
export function descend(tree: u32, root: u32, snapshot: u32, way: u32, key: u32, keyBytes: u32): i32 {
  const height = descendAbove(tree, root, snapshot, way, key, keyBytes)
  return height < 0 ? height : enterLeaf(tree, snapshot, height)
}

/** The same without the last step: the leaf's id is noted in the path, but the leaf is not looked at. */
export function descendAbove(tree: u32, root: u32, snapshot: u32, way: u32, key: u32, keyBytes: u32): i32 {
  if (!isId(root)) return corrupt(root)
  let id = root
  let page = resolve(id, snapshot)
  if (page == 0) return MISS
  let level = levelOf(page)
  if (level > MAX_LEVEL || !belongs(page, tree, level)) return corrupt(id)
  const height = level
  while (level > 0) {
    let index: u32 = 0
    if (way == BY_KEY) index = childIndex(page, key, keyBytes)
    else if (way == RIGHTMOST) index = load32(page + 4) >>> 16
    setPath(level, page, index, id)
    id = childAt(page, index)
    if (!isId(id)) return corrupt(id)
    level--
    if (level == 0) break
    page = resolve(id, snapshot)
    if (page == 0) return MISS
    if (!belongs(page, tree, level)) return corrupt(id)
  }
  setPath(0, 0, 0, id)
  return height
}

/** The last step of a descent from a root of this level. */
export function enterLeaf(tree: u32, snapshot: u32, height: u32): i32 {
  const page = resolve(pathId(0), snapshot)
  if (page == 0) return MISS
  if (!belongs(page, tree, 0)) return corrupt(pathId(0))
  setPathFrame(0, page)
  return height
}
