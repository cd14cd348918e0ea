// Point reads. A lookup at the newest state first tries a shortcut: a small table from the key's hash to the cell where
// it was last found, good as long as the frame's stamp is the one noted (every change, move or eviction renews it).
//
//   shortcut   0      4       8       12       14
//              | hash | frame | stamp | offset | suffix bytes |
import { load16, load32, load32u, load8, mul, rotateLeft, store16, store32, store8 } from './platform'
import {
  CELL_BYTES,
  cellFlagsOf,
  cellOf,
  commonBytes,
  HEADER_BYTES,
  prefixBytesOf,
  slotOf,
  suffixBytesOf,
  touch,
  treeOf,
  valueBytesOf
} from './page'
import { BY_KEY, descend, pathFrame } from './descent'
import { search } from './search'
import {
  COUNT_SHORTCUT_HITS,
  KEY,
  SHORTCUT_COUNT,
  SHORTCUT_PAUSE,
  SHORTCUT_SCORE,
  SHORTCUTS,
  SMALL_VALUE,
  SMALL_VALUE_BYTES,
  VALUE_BYTES,
  VALUE_FLAGS
} from './state'

// A shortcut that fails costs a miss of its own. When fewer than one lookup in five finds one, they rest for a while.
const MOST_SCORE: u32 = 8192
const TRIAL_SCORE: u32 = 512
const PAUSE_LOOKUPS: u32 = 4096

function hashKey(key: u32, bytes: u32, tree: u32): u32 {
  let hash: u32 = mul(tree + bytes + 1, 0x9e3779b1)
  let i: u32 = 0
  while (i + 4 <= bytes) {
    hash = mul(rotateLeft((hash ^ load32u(key + i)) >>> 0, 15), 0x85ebca6b)
    i += 4
  }
  if (i < bytes) {
    // The last bytes, with what stands behind them cut off.
    hash = mul(rotateLeft((hash ^ (load32u(key + i) << ((4 - (bytes - i)) << 3))) >>> 0, 15), 0xc2b2ae35)
  }
  hash = (hash ^ (hash >>> 15)) >>> 0
  hash = mul(hash, 0x27d4eb2f)
  return (hash ^ (hash >>> 13)) >>> 0
}

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
  const pause = load32(SHORTCUT_PAUSE)
  if (pause != 0) {
    store32(SHORTCUT_PAUSE, pause - 1)
    return seek(tree, root, 0, keyBytes, 0, 0)
  }
  const hash = hashKey(KEY, keyBytes, tree)
  const shortcut = load32(SHORTCUTS) + ((hash & (SHORTCUT_COUNT - 1)) << 4)
  const page = load32(shortcut + 4)
  if (load32(shortcut) == hash && page != 0 && load32(page + 48) == load32(shortcut + 8) && treeOf(page) == tree) {
    const prefix = prefixBytesOf(page)
    const suffix: u32 = load16(shortcut + 14)
    if (prefix + suffix == keyBytes) {
      const cell = page + load16(shortcut + 12)
      if (
        commonBytes(page + HEADER_BYTES, KEY, prefix) == prefix &&
        commonBytes(cell + CELL_BYTES, KEY + prefix, suffix) == suffix
      ) {
        store32(COUNT_SHORTCUT_HITS, (load32(COUNT_SHORTCUT_HITS) + 1) >>> 0)
        const score = load32(SHORTCUT_SCORE)
        if (score < MOST_SCORE) store32(SHORTCUT_SCORE, score + 4)
        return found(page, cell, suffix)
      }
    }
  }
  const score = load32(SHORTCUT_SCORE)
  if (score != 0) store32(SHORTCUT_SCORE, score - 1)
  else {
    store32(SHORTCUT_SCORE, TRIAL_SCORE)
    store32(SHORTCUT_PAUSE, PAUSE_LOOKUPS)
  }
  return seek(tree, root, 0, keyBytes, shortcut, hash)
}

function seek(tree: u32, root: u32, snapshot: u32, keyBytes: u32, shortcut: u32, hash: u32): u32 {
  const status = descend(tree, root, snapshot, BY_KEY, KEY, keyBytes)
  if (status < 0) return (status as u32) >>> 0
  const page = pathFrame(0)
  const position = search(page, KEY, keyBytes)
  if ((position & 1) == 0) return 0xffffffff
  const slot = slotOf(page, position >>> 1)
  const suffix = suffixBytesOf(slot)
  if (shortcut != 0) {
    store32(shortcut, hash)
    store32(shortcut + 4, page)
    store32(shortcut + 8, load32(page + 48))
    store16(shortcut + 12, load16(slot + 4))
    store16(shortcut + 14, suffix)
  }
  return found(page, cellOf(page, slot), suffix)
}
