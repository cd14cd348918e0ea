// Point reads. A lookup at the newest state first tries a shortcut, then goes down the tree.
import { load32, load32u, load8, store32, store8 } from './platform'
import { CELL_BYTES, cellFlagsOf, cellOf, slotOf, suffixBytesOf, touch, valueBytesOf } from './page'
import { isAbsenceLikely, isAbsent, noteAbsence, notePresence } from './absence'
import { BY_KEY, descendAbove, enterLeaf, pathFrame, pathId } from './descent'
import { find } from './search'
import {
  hashKey,
  noteShortcut,
  shortcutAt,
  shortcutCell,
  shortcutPage,
  shortcutsRest,
  shortcutSuffix
} from './shortcuts'
import { KEY, READ_SCORE, SMALL_VALUE, SMALL_VALUE_BYTES, VALUE_BYTES, VALUE_FLAGS } from './state'

function found(page: u32, cell: u32, suffix: u32): u32 {
  store32(VALUE_BYTES, valueBytesOf(cell))
  store32(VALUE_FLAGS, cellFlagsOf(cell))
  touch(page)
  const value = cell + CELL_BYTES + suffix
  const bytes = load32(VALUE_BYTES)
  if ((value & 3) == 0 || bytes > SMALL_VALUE_BYTES) return value
  // TypeScript copies small values word by word, which takes an address that is a multiple of four.
  let i: u32 = 0
  while (i + 4 <= bytes) {
    store32(SMALL_VALUE + i, load32u(value + i))
    i += 4
  }
  while (i < bytes) {
    store8(SMALL_VALUE + i, load8(value + i))
    i++
  }
  return SMALL_VALUE
}

/**
 * Looks up the key in KEY; returns the address of its value (length in VALUE_BYTES, cell flags in VALUE_FLAGS), or a
 * status' low 32 bits. Addresses below 4,096 are never returned, statuses are above 0xfffffff0.
 */
export function get(tree: u32, root: u32, snapshot: u32, keyBytes: u32): u32 {
  if (snapshot != 0) return seek(tree, root, snapshot, keyBytes, 0, 0)
  if (shortcutsRest(READ_SCORE)) return seek(tree, root, 0, keyBytes, 0, 0)
  const hash = hashKey(KEY, keyBytes, tree)
  const shortcut = shortcutAt(hash)
  const cell = shortcutCell(shortcut, hash, tree, KEY, keyBytes, READ_SCORE)
  if (cell != 0) return found(shortcutPage(shortcut), cell, shortcutSuffix(shortcut))
  return seek(tree, root, 0, keyBytes, shortcut, hash)
}

function seek(tree: u32, root: u32, snapshot: u32, keyBytes: u32, shortcut: u32, hash: u32): u32 {
  const height = descendAbove(tree, root, snapshot, BY_KEY, KEY, keyBytes)
  if (height < 0) return (height as u32) >>> 0
  if (snapshot == 0 && isAbsenceLikely() && isAbsent(pathId(0), tree, KEY, keyBytes)) return 0xffffffff
  const status = enterLeaf(tree, snapshot, height)
  if (status < 0) return (status as u32) >>> 0
  const page = pathFrame(0)
  const position = find(page, KEY, keyBytes)
  if ((position & 1) == 0) {
    if (snapshot == 0) noteAbsence(page)
    return 0xffffffff
  }
  notePresence()
  const slot = slotOf(page, position >>> 1)
  const suffix = suffixBytesOf(slot)
  if (shortcut != 0) noteShortcut(shortcut, hash, page, slot)
  return found(page, cellOf(page, slot), suffix)
}
