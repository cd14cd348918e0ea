// Operations as the log holds them, and their application to the trees. A commit and its replay run the same code.
//
//   operation   0      1       2           4      8             12
//               | type | flags | key bytes | tree | value bytes | key | value |
//
//   PUT          key, value
//   DELETE       key
//   CLEAR        lower bound in the key's place, upper bound in the value's; flag 1: there is an upper bound
//   PUT_LARGE    key; value: total bytes (4), then per segment sector (4), stored bytes and format (4), checksum (4)
//   CREATE       makes the tree; key: its name in the catalog
//   DROP         frees the tree and takes its name (the key) out of the catalog
//   NOTE         changes nothing
//
// An operation is applied in phases that each either happen or leave everything as it was; after a MISS or NEED_* the
// caller provides what is wanted and `apply` goes on in the phase where it stopped.
import { div, fill, load16, load32, load32u, load8, rem, store32 } from './platform'
import { AHEAD_LENGTH, findAhead, forgetAhead, leafAhead, touchAhead, wantedImage } from './ahead'
import { format } from './build'
import { clearRange, dropRoot, emptyDropStack } from './clear'
import { makeChain, reserveChain } from './large'
import { CELL_LARGE, inlineBytes, LARGE_REFERENCE_BYTES, LEAF } from './page'
import { rebalance } from './rebalance'
import {
  AHEAD_COUNT,
  AHEAD_END,
  AHEAD_NEXT,
  APPLY_AT,
  APPLY_PHASE,
  BAD_OPERATION,
  COMMITS_EACH,
  DROP_COUNT,
  LSN_HIGH,
  LSN_LOW,
  MADE_ROOT,
  MAX_KEY_BYTES,
  NEED_IMAGES,
  NEED_TREE,
  NEW_KEY,
  NEW_KEY_BYTES,
  NEW_VALUE,
  NEW_VALUE_BYTES,
  NEW_WORD,
  NOT_FOUND,
  OK,
  OPERATIONS_END,
  REFERENCE,
  TREES,
  TRIMMED_KEY_BYTES,
  WANTED_TREE
} from './state'
import { frameOf, reserveIds } from './table'
import { reserveFrames } from './frames'
import { makePage, reserveRecords } from './versions'
import { deleteEntry, isFingerHot, putEntry } from './write'

export const OPERATION_HEADER_BYTES: u32 = 12
/** Operations of so few bytes together are one as a rule, and nothing is looked for ahead. */
const ALONE_BYTES: u32 = 1024
export const PUT: u32 = 1
export const DELETE: u32 = 2
export const CLEAR: u32 = 3
export const PUT_LARGE: u32 = 4
export const CREATE: u32 = 5
export const DROP: u32 = 6
export const NOTE: u32 = 7

/** The tree of names, and the database's own keyspace: their roots never move. */
export const CATALOG_TREE: u32 = 0
export const CATALOG_ROOT: u32 = 1
export const MAIN_TREE: u32 = 1
export const MAIN_ROOT: u32 = 2

export const TREE_SLOTS: u32 = 1024

/** Tells the kernel where a tree's root is (0: the tree is gone). */
export function registerTree(tree: u32, root: u32): void {
  const slot = load32(TREES) + ((tree & (TREE_SLOTS - 1)) << 3)
  store32(slot, tree)
  store32(slot + 4, root)
}

export function forgetTrees(): void {
  fill(load32(TREES), 0, TREE_SLOTS << 3)
}

/** Root of the tree, or 0: NEED_TREE. */
function rootOf(tree: u32): u32 {
  const root = rootIfKnown(tree)
  if (root == 0) store32(WANTED_TREE, tree)
  return root
}

/** The same, and nothing is noted. */
export function rootIfKnown(tree: u32): u32 {
  if (tree == CATALOG_TREE) return CATALOG_ROOT
  if (tree == MAIN_TREE) return MAIN_ROOT
  const slot = load32(TREES) + ((tree & (TREE_SLOTS - 1)) << 3)
  return load32(slot) == tree ? load32(slot + 4) : 0
}

/** The commits so far are done: the next one has the next number. */
export function nextLsn(): void {
  const low: u32 = (load32(LSN_LOW) + 1) >>> 0
  store32(LSN_LOW, low)
  if (low == 0) store32(LSN_HIGH, load32(LSN_HIGH) + 1)
}

/** Begins with the operations in [from, to), each a commit of its own: with each the LSN goes up. For replay. */
export function beginApplyEach(from: u32, to: u32): void {
  beginApply(from, to)
  store32(COMMITS_EACH, 1)
}

/** Begins with the operations in [from, to); `apply` does the work. */
export function beginApply(from: u32, to: u32): void {
  begin(from, to)
  forgetAhead(to - from > ALONE_BYTES ? from : to)
}

/** As `beginApplyEach`, for puts whose leaves have all been found ahead. */
export function beginApplyFound(from: u32, to: u32): void {
  begin(from, to)
  store32(COMMITS_EACH, 1)
  store32(AHEAD_NEXT, 0)
  store32(AHEAD_END, to)
}

function begin(from: u32, to: u32): void {
  store32(COMMITS_EACH, 0)
  store32(APPLY_AT, from)
  store32(OPERATIONS_END, to)
  store32(APPLY_PHASE, 0)
  store32(TRIMMED_KEY_BYTES, 0)
  store32(DROP_COUNT, 0)
}

/** Finds the leaves for the operations from `from` on, as many as can be kept. */
function lookAhead(from: u32, end: u32): void {
  let at = from
  forgetAhead(end)
  while (end - at >= OPERATION_HEADER_BYTES && load32(AHEAD_COUNT) < AHEAD_LENGTH) {
    const keyBytes: u32 = load16(at + 2)
    const valueBytes = load32u(at + 8)
    const room = end - at - OPERATION_HEADER_BYTES
    // What is wrong with it is found when it is applied.
    if (keyBytes > room || valueBytes > room - keyBytes) break
    const tree = load32u(at + 4)
    if (load8(at) == PUT) findAhead(at, tree, rootIfKnown(tree), at + OPERATION_HEADER_BYTES, keyBytes)
    at += OPERATION_HEADER_BYTES + keyBytes + valueBytes
    store32(AHEAD_END, at)
  }
  touchAhead(OPERATION_HEADER_BYTES)
}

/** Applies operations until all are done: OK, or what must be provided first. */
export function apply(): i32 {
  const end = load32(OPERATIONS_END)
  while (load32(APPLY_AT) < end) {
    const at = load32(APPLY_AT)
    if (end - at < OPERATION_HEADER_BYTES) return BAD_OPERATION
    const keyBytes: u32 = load16(at + 2)
    const valueBytes = load32u(at + 8)
    const room = end - at - OPERATION_HEADER_BYTES
    if (keyBytes > MAX_KEY_BYTES + 1 || keyBytes > room || valueBytes > room - keyBytes) return BAD_OPERATION
    if (at >= load32(AHEAD_END) && !isFingerHot()) {
      lookAhead(at, end)
      // If the first one is wanted, most of them are as a rule, and they are enough to be written together.
      if (load32(AHEAD_COUNT) == AHEAD_LENGTH && wantedImage(0) != 0) return NEED_IMAGES
    }
    const status = applyOne(at, keyBytes, valueBytes)
    if (status < 0 && status != NOT_FOUND) return status
    store32(APPLY_PHASE, 0)
    store32(APPLY_AT, at + OPERATION_HEADER_BYTES + keyBytes + valueBytes)
    if (load32(COMMITS_EACH) != 0) nextLsn()
  }
  return OK
}

function applyOne(at: u32, keyBytes: u32, valueBytes: u32): i32 {
  const type: u32 = load8(at)
  const tree = load32u(at + 4)
  const key = at + OPERATION_HEADER_BYTES
  const value = key + keyBytes
  if (type == NOTE) return OK
  if (type == CREATE) return create(tree, key, keyBytes)
  const root = rootOf(tree)
  if (root == 0) return NEED_TREE
  if (type == PUT) {
    if (keyBytes > MAX_KEY_BYTES || valueBytes > 0xffff || keyBytes + valueBytes > inlineBytes()) return BAD_OPERATION
    setNew(key, keyBytes, valueBytes, value, valueBytes)
    return putEntry(tree, root, leafAhead(at, tree))
  }
  if (type == DELETE) return remove(tree, root, key, keyBytes)
  if (type == CLEAR) {
    return clearRange(tree, root, key, keyBytes, (load8(at + 1) & 1) != 0 ? value : 0, valueBytes)
  }
  if (type == PUT_LARGE) return putLarge(tree, root, key, keyBytes, value, valueBytes)
  if (type == DROP) return drop(tree, root, key, keyBytes)
  return BAD_OPERATION
}

function setNew(key: u32, keyBytes: u32, word: u32, value: u32, valueBytes: u32): void {
  store32(NEW_KEY, key)
  store32(NEW_KEY_BYTES, keyBytes)
  store32(NEW_WORD, word)
  store32(NEW_VALUE, value)
  store32(NEW_VALUE_BYTES, valueBytes)
}

function remove(tree: u32, root: u32, key: u32, keyBytes: u32): i32 {
  if (load32(APPLY_PHASE) == 0) {
    setNew(key, keyBytes, 0, 0, 0)
    const status = deleteEntry(tree, root)
    if (status < 0) return status
    store32(APPLY_PHASE, 1)
  }
  return rebalance(tree, root, key, keyBytes)
}

function putLarge(tree: u32, root: u32, key: u32, keyBytes: u32, value: u32, valueBytes: u32): i32 {
  if (keyBytes > MAX_KEY_BYTES || valueBytes < 16 || rem(valueBytes - 4, 12) != 0) return BAD_OPERATION
  if (load32(APPLY_PHASE) == 0) {
    const segments = div(valueBytes - 4, 12)
    const reserved = reserveChain(segments)
    if (reserved < 0) return reserved
    store32(REFERENCE, makeChain(value + 4, segments))
    store32(REFERENCE + 4, load32u(value))
    store32(APPLY_PHASE, 1)
  }
  setNew(key, keyBytes, (LARGE_REFERENCE_BYTES | (CELL_LARGE << 24)) >>> 0, REFERENCE, LARGE_REFERENCE_BYTES)
  return putEntry(tree, root, 0)
}

function create(tree: u32, key: u32, keyBytes: u32): i32 {
  if (keyBytes > MAX_KEY_BYTES) return BAD_OPERATION
  if (load32(APPLY_PHASE) == 0) {
    const frames = reserveFrames(2)
    if (frames < 0) return frames
    const records = reserveRecords(2)
    if (records < 0) return records
    const ids = reserveIds(1)
    if (ids < 0) return ids
    const root = makePage()
    format(frameOf(root), root, LEAF, 0, tree)
    store32(MADE_ROOT, root)
    registerTree(tree, root)
    store32(APPLY_PHASE, 1)
  }
  store32(REFERENCE, tree)
  store32(REFERENCE + 4, load32(MADE_ROOT))
  setNew(key, keyBytes, 8, REFERENCE, 8)
  return putEntry(CATALOG_TREE, CATALOG_ROOT, 0)
}

function drop(tree: u32, root: u32, key: u32, keyBytes: u32): i32 {
  if (load32(APPLY_PHASE) == 0) {
    const status = dropRoot(tree, root)
    if (status < 0) return status
    store32(APPLY_PHASE, 1)
  }
  if (load32(APPLY_PHASE) == 1) {
    const status = emptyDropStack(tree)
    if (status < 0) return status
    store32(APPLY_PHASE, 2)
  }
  if (load32(APPLY_PHASE) == 2) {
    setNew(key, keyBytes, 0, 0, 0)
    const status = deleteEntry(CATALOG_TREE, CATALOG_ROOT)
    if (status < 0 && status != NOT_FOUND) return status
    store32(APPLY_PHASE, 3)
  }
  const status = rebalance(CATALOG_TREE, CATALOG_ROOT, key, keyBytes)
  if (status < 0) return status
  registerTree(tree, 0)
  return OK
}
