// Reading a range, forwards or backwards, in batches: rows are written to the OUT area, whole keys and values, so that
// the caller copies one piece of memory for many rows. A batch ends at the limit, when the area is full, or at a page
// that is not in memory; the caller goes on behind the last key.
//
//   row   0           4              7        8                             padded to 4 bytes
//         | key bytes | value bytes  | flags  | key | value |
import { load32, load32u, store32 } from './platform'
import {
  CELL_BYTES,
  cellOf,
  childAt,
  copyKey,
  copyShort,
  countOf,
  HEADER_BYTES,
  prefixBytesOf,
  slotOf,
  suffixBytesOf
} from './page'
import {
  belongs,
  BY_KEY,
  corrupt,
  descend,
  LEFTMOST,
  pathFrame,
  pathIndex,
  resolve,
  RIGHTMOST,
  setPath,
  setPathIndex
} from './descent'
import { search } from './search'
import { KEY, KEY2, MISS, OK, OUT, OUT_BYTES, OUT_CAPACITY, OUT_MORE } from './state'
import { isId } from './table'

export const SCAN_REVERSE: u32 = 1
export const SCAN_KEYS: u32 = 2
export const SCAN_LOWER: u32 = 4
export const SCAN_UPPER: u32 = 8
/** The lower bound itself is left out. */
export const SCAN_LOWER_OPEN: u32 = 16
/** The upper bound itself is taken in. */
export const SCAN_UPPER_CLOSED: u32 = 32
/** Rows are only counted; where the count had to stop, the last key counted is left as the only row. */
export const SCAN_COUNT: u32 = 64

const END: i32 = 1

/** First position in the leaf that lies in the range. */
function beginIn(page: u32, options: u32, lowerBytes: u32): u32 {
  if ((options & SCAN_LOWER) == 0) return 0
  const found = search(page, KEY, lowerBytes)
  return (found >>> 1) + ((options & SCAN_LOWER_OPEN) != 0 ? found & 1 : 0)
}

/** Position behind the last one in the leaf that lies in the range. */
function endIn(page: u32, options: u32, upperBytes: u32): u32 {
  if ((options & SCAN_UPPER) == 0) return countOf(page)
  const found = search(page, KEY2, upperBytes)
  return (found >>> 1) + ((options & SCAN_UPPER_CLOSED) != 0 ? found & 1 : 0)
}

/** Moves the path to the neighbouring leaf; END when there is none, MISS with the path unharmed but unusable. */
function step(tree: u32, snapshot: u32, height: u32, reverse: bool): i32 {
  let level: u32 = 1
  if (reverse) {
    while (level <= height && pathIndex(level) == 0) level++
  } else {
    while (level <= height && pathIndex(level) >= countOf(pathFrame(level))) level++
  }
  if (level > height) return END
  setPathIndex(level, reverse ? pathIndex(level) - 1 : pathIndex(level) + 1)
  while (level > 0) {
    const id = childAt(pathFrame(level), pathIndex(level))
    if (!isId(id)) return corrupt(id)
    const page = resolve(id, snapshot)
    if (page == 0) return MISS
    level--
    if (!belongs(page, tree, level)) return corrupt(id)
    setPath(level, page, reverse && level > 0 ? countOf(page) : 0, id)
  }
  return OK
}

/** Writes one row at `at`; returns the address behind it, or 0 when it does not fit before `end`. */
function writeRow(page: u32, index: u32, at: u32, end: u32, keysOnly: bool): u32 {
  const slot = slotOf(page, index)
  const cell = cellOf(page, slot)
  const prefix = prefixBytesOf(page)
  const suffix = suffixBytesOf(slot)
  const word: u32 = keysOnly ? 0 : load32u(cell)
  const valueBytes: u32 = word & 0xffffff
  const behind: u32 = ((at + 8 + prefix + suffix + valueBytes + 3) & ~3) >>> 0
  if (behind > end) return 0
  store32(at, prefix + suffix)
  store32(at + 4, word)
  copyShort(at + 8, page + HEADER_BYTES, prefix)
  copyShort(at + 8 + prefix, cell + CELL_BYTES, suffix + valueBytes)
  return behind
}

/**
 * Reads rows between the bounds in KEY (lower) and KEY2 (upper); returns how many, or a status. OUT_BYTES says how many
 * bytes of OUT they take, OUT_MORE whether there may be more.
 */
export function scan(
  tree: u32,
  root: u32,
  snapshot: u32,
  options: u32,
  lowerBytes: u32,
  upperBytes: u32,
  limit: u32
): i32 {
  const reverse: bool = (options & SCAN_REVERSE) != 0
  const keysOnly: bool = (options & SCAN_KEYS) != 0
  const countOnly: bool = (options & SCAN_COUNT) != 0
  store32(OUT_BYTES, 0)
  store32(OUT_MORE, 0)
  let height: i32
  if (reverse)
    height = descend(tree, root, snapshot, (options & SCAN_UPPER) != 0 ? BY_KEY : RIGHTMOST, KEY2, upperBytes)
  else height = descend(tree, root, snapshot, (options & SCAN_LOWER) != 0 ? BY_KEY : LEFTMOST, KEY, lowerBytes)
  if (height < 0) return height
  const start = load32(OUT)
  const stop = start + load32(OUT_CAPACITY)
  let at = start
  let rows: u32 = 0
  let counted: u32 = 0
  let countedLast: u32 = 0
  while (true) {
    const page = pathFrame(0)
    const begin = beginIn(page, options, lowerBytes)
    const end = endIn(page, options, upperBytes)
    const isLast: bool = reverse ? begin > 0 : end < countOf(page)
    if (begin < end) {
      if (countOnly) {
        rows += end - begin
        counted = page
        countedLast = end - 1
      } else {
        let index = reverse ? end - 1 : begin
        let left = end - begin
        while (left > 0) {
          const behind: u32 = rows == limit ? 0 : writeRow(page, index, at, stop, keysOnly)
          if (behind == 0) {
            store32(OUT_BYTES, at - start)
            store32(OUT_MORE, 1)
            return rows as i32
          }
          at = behind
          rows++
          left--
          if (left > 0) index = reverse ? index - 1 : index + 1
        }
      }
    }
    if (isLast) break
    const moved = step(tree, snapshot, height as u32, reverse)
    if (moved == END) break
    if (moved < 0) {
      if (rows == 0 || moved != MISS) return moved
      store32(OUT_MORE, 1)
      if (countOnly) {
        store32(start, copyKey(counted, countedLast, start + 8))
        store32(start + 4, 0)
        at = ((start + 8 + load32(start) + 3) & ~3) >>> 0
      }
      break
    }
  }
  store32(OUT_BYTES, at - start)
  return rows as i32
}
