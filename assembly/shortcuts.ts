// Shortcuts: a small table from a key's hash to the cell where the key was last found, good as long as the frame's stamp
// is the one noted. Whatever moves a cell, evicts the page or keeps it for a snapshot renews the stamp; a value that is
// overwritten by one of the same length does not.
//
//   shortcut   0      4       8       12       14
//              | hash | frame | stamp | offset | suffix bytes |
//
// A shortcut that fails costs a miss of its own. So reads and writes each keep a score, and when fewer than one in five
// finds a shortcut they leave them alone for a while.
//
//   score      0       4
//              | score | calls that are still to come without shortcuts |
import { load16, load32, load32u, mul, rotateLeft, store16, store32 } from './platform'
import { CELL_BYTES, commonBytes, HEADER_BYTES, prefixBytesOf, stampOf, suffixBytesOf, treeOf } from './page'
import { COUNT_SHORTCUT_HITS, SHORTCUT_COUNT, SHORTCUTS } from './state'

const MOST_SCORE: u32 = 8192
const TRIAL_SCORE: u32 = 512
const PAUSE_CALLS: u32 = 4096

export function hashKey(key: u32, bytes: u32, tree: u32): u32 {
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

/** Whether this call should leave shortcuts alone, since they have failed too often lately; counts it. */
export function shortcutsRest(score: u32): bool {
  const pause = load32(score + 4)
  if (pause == 0) return false
  store32(score + 4, pause - 1)
  return true
}

/** Address of the shortcut for a hash. */
export function shortcutAt(hash: u32): u32 {
  return load32(SHORTCUTS) + ((hash & (SHORTCUT_COUNT - 1)) << 4)
}

/** The page that the shortcut leads to; valid only after `shortcutCell` has found the key there. */
export function shortcutPage(shortcut: u32): u32 {
  return load32(shortcut + 4)
}

/** How many bytes of the key are in the cell: its suffix. */
export function shortcutSuffix(shortcut: u32): u32 {
  return load16(shortcut + 14)
}

/** The cell of the key in the newest version of its page, or 0 when the shortcut does not lead there. */
export function shortcutCell(shortcut: u32, hash: u32, tree: u32, key: u32, keyBytes: u32, score: u32): u32 {
  const page = load32(shortcut + 4)
  if (load32(shortcut) == hash && page != 0 && stampOf(page) == load32(shortcut + 8) && treeOf(page) == tree) {
    const prefix = prefixBytesOf(page)
    const suffix = shortcutSuffix(shortcut)
    const cell = page + load16(shortcut + 12)
    if (
      prefix + suffix == keyBytes &&
      commonBytes(page + HEADER_BYTES, key, prefix) == prefix &&
      commonBytes(cell + CELL_BYTES, key + prefix, suffix) == suffix
    ) {
      store32(COUNT_SHORTCUT_HITS, (load32(COUNT_SHORTCUT_HITS) + 1) >>> 0)
      const now = load32(score)
      if (now < MOST_SCORE) store32(score, now + 4)
      return cell
    }
  }
  const now = load32(score)
  if (now != 0) store32(score, now - 1)
  else {
    store32(score, TRIAL_SCORE)
    store32(score + 4, PAUSE_CALLS)
  }
  return 0
}

/** Notes that the key with this hash was found behind `slot` of the page. */
export function noteShortcut(shortcut: u32, hash: u32, page: u32, slot: u32): void {
  store32(shortcut, hash)
  store32(shortcut + 4, page)
  store32(shortcut + 8, stampOf(page))
  store16(shortcut + 12, load16(slot + 4))
  store16(shortcut + 14, suffixBytesOf(slot))
}
