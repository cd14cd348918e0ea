// Changing one page: an entry in, an entry out, a page cut in two. Frames come from `writable`, so nothing here asks
// who else looks at the page.
import { copy, load32, load32u, mul, store16, store32, store32u } from './platform'
import {
  build,
  clearList,
  copyEntryKey,
  copyPage,
  entryWord,
  format,
  listEntries,
  listNew,
  sizeOfEntries,
  sizeOfEntry
} from './build'
import {
  CELL_BYTES,
  CELL_LARGE,
  cellBytesOf,
  cellOf,
  commonBytes,
  copyShort,
  countOf,
  firstChildOf,
  flagsOf,
  freeBytesOf,
  gapOf,
  garbageOf,
  HEADER_BYTES,
  headAt,
  heapStartOf,
  kindOf,
  LEAF,
  levelOf,
  PAGE_HAS_LARGE,
  prefixBytesOf,
  setCount,
  setFirstChild,
  setFlags,
  setGarbage,
  setHeapStart,
  setLastHead,
  SLOT_BYTES,
  slotOf,
  treeOf,
  suffixBytesOf
} from './page'
import { hasPrints, printedLength } from './prints'
import {
  COUNT_SPLITS,
  ENTRY_COUNT,
  JOINED,
  NEW_KEY,
  NEW_KEY_BYTES,
  NEW_VALUE,
  NEW_VALUE_BYTES,
  NEW_WORD,
  PAGE_BYTES,
  WORK
} from './state'

/** Does the new key begin with the page's prefix? */
function sharesPrefix(page: u32): bool {
  const prefix = prefixBytesOf(page)
  return load32(NEW_KEY_BYTES) >= prefix && commonBytes(page + HEADER_BYTES, load32(NEW_KEY), prefix) == prefix
}

/** Is the new entry sure to find room in the page? */
export function hasRoom(page: u32): bool {
  return (
    freeBytesOf(page) >= load32(NEW_KEY_BYTES) + load32(NEW_VALUE_BYTES) + CELL_BYTES + SLOT_BYTES && sharesPrefix(page)
  )
}

function listWithNew(page: u32, position: u32): void {
  clearList()
  listEntries(page, 0, position)
  listNew()
  listEntries(page, position, countOf(page))
}

/** Puts the new entry at `position`; false, and nothing has changed, when the page has no room for it. */
export function insertEntry(page: u32, position: u32): bool {
  const shares = sharesPrefix(page)
  const prefix = prefixBytesOf(page)
  const count = countOf(page)
  const valueBytes = load32(NEW_VALUE_BYTES)
  if (shares && count != 0) {
    const suffix = load32(NEW_KEY_BYTES) - prefix
    const cellBytes = CELL_BYTES + suffix + valueBytes
    if (gapOf(page) >= cellBytes + SLOT_BYTES) {
      const heap = heapStartOf(page) - cellBytes
      const cell = page + heap
      store32u(cell, load32(NEW_WORD))
      copyShort(cell + CELL_BYTES, load32(NEW_KEY) + prefix, suffix)
      copyShort(cell + CELL_BYTES + suffix, load32(NEW_VALUE), valueBytes)
      const slot = slotOf(page, position)
      if (position < count) copy(slot + SLOT_BYTES, slot, (count - position) << 3)
      const head = headAt(cell + CELL_BYTES, suffix)
      store32(slot, head)
      if (position == count) setLastHead(page, head)
      store16(slot + 4, heap)
      store16(slot + 6, hasPrints(page) ? printedLength(cell + CELL_BYTES, suffix) : suffix)
      setCount(page, count + 1)
      setHeapStart(page, heap)
      if (kindOf(page) == LEAF && ((load32(NEW_WORD) >>> 24) & CELL_LARGE) != 0)
        setFlags(page, flagsOf(page) | PAGE_HAS_LARGE)
      store32(page + 60, position + 1)
      return true
    }
    if (freeBytesOf(page) < cellBytes + SLOT_BYTES) return false
  }
  copyPage(load32(WORK), page)
  listWithNew(load32(WORK), position)
  if (sizeOfEntries(0, count + 1, kindOf(page)) > load32(PAGE_BYTES)) return false
  build(page, 0, count + 1)
  store32(page + 60, position + 1)
  return true
}

/** Takes the entries [from, to) out; their cells become garbage. */
export function removeEntries(page: u32, from: u32, to: u32): void {
  const count = countOf(page)
  if (to - from == count) {
    const first = load32(page + 20)
    format(page, load32(page), kindOf(page), levelOf(page), treeOf(page))
    setFirstChild(page, first)
    return
  }
  let garbage = garbageOf(page)
  let i = from
  while (i < to) {
    garbage += cellBytesOf(page, slotOf(page, i))
    i++
  }
  setGarbage(page, garbage)
  if (to < count) copy(slotOf(page, from), slotOf(page, to), (count - to) << 3)
  setCount(page, count - (to - from))
  store32(page + 60, 0)
}

/** Takes the entry at `position` out. */
export function removeEntry(page: u32, position: u32): void {
  removeEntries(page, position, position + 1)
}

/** Copies a page's content into another page with an id of its own. */
export function movePage(to: u32, from: u32, toId: u32): void {
  const work = load32(WORK)
  copyPage(work, from)
  clearList()
  listEntries(work, 0, countOf(work))
  format(to, toId, kindOf(work), levelOf(work), treeOf(work))
  setFirstChild(to, firstChildOf(work))
  build(to, 0, countOf(work))
}

/** Overwrites the value at `position` where it stands; false when the new one has another length. */
export function replaceValue(page: u32, position: u32): bool {
  const slot = slotOf(page, position)
  const cell = cellOf(page, slot)
  if ((load32u(cell) & 0xffffff) != load32(NEW_VALUE_BYTES)) return false
  store32u(cell, load32(NEW_WORD))
  copyShort(cell + CELL_BYTES + suffixBytesOf(slot), load32(NEW_VALUE), load32(NEW_VALUE_BYTES))
  if (((load32(NEW_WORD) >>> 24) & CELL_LARGE) != 0) setFlags(page, flagsOf(page) | PAGE_HAS_LARGE)
  return true
}

/** Where to cut a list of `total` entries so that both sides fit: at the new key if keys come in order, else halfway. */
function cutPoint(page: u32, position: u32, total: u32, kind: u32): u32 {
  const last = load32(page + 60)
  const limit = load32(PAGE_BYTES)
  // Keys come in order: the page stays full, and the new entry begins the next one.
  if (position == total - 1 && last == position) return total - 1
  if (position == 0 && last == 1) return 1
  const prefix: u32 = sharesPrefix(page) ? prefixBytesOf(page) : 0
  let all: u32 = 0
  let i: u32 = 0
  while (i < total) {
    all += sizeOfEntry(i, kind, prefix)
    i++
  }
  let left: u32 = 0
  let cut: u32 = 0
  while (cut < total - 1) {
    const size = sizeOfEntry(cut, kind, prefix)
    if (cut > 0 && left + (size >>> 1) > all >>> 1) break
    left += size
    cut++
  }
  if (cut == 0) cut = 1
  if (fits(cut, total, kind, limit)) return cut
  // The new key does not share the prefix, so the sides need more space: the nearest cut that fits, or it stands alone.
  let distance: u32 = 1
  while (distance < total) {
    if (cut > distance && fits(cut - distance, total, kind, limit)) return cut - distance
    if (cut + distance < total && fits(cut + distance, total, kind, limit)) return cut + distance
    distance++
  }
  return position == 0 ? 1 : total - 1
}

function fits(cut: u32, total: u32, kind: u32, limit: u32): bool {
  return sizeOfEntries(0, cut, kind) <= limit && sizeOfEntries(cut, total, kind) <= limit
}

/**
 * Cuts the page in two with the new entry in its place. The lower part stays, the upper goes to `right` (a fresh frame
 * with id `rightId`); the separator is left at `separator`, its length is returned.
 */
export function split(page: u32, position: u32, right: u32, rightId: u32, separator: u32): u32 {
  const kind = kindOf(page)
  const work = load32(WORK)
  copyPage(work, page)
  listWithNew(work, position)
  const total = load32(ENTRY_COUNT)
  let cut = cutPoint(page, position, total, kind)
  format(right, rightId, kind, levelOf(page), treeOf(page))
  store32(COUNT_SPLITS, (load32(COUNT_SPLITS) + 1) >>> 0)
  let bytes: u32
  if (kind == LEAF) {
    const before = copyEntryKey(cut - 1, JOINED)
    const after = copyEntryKey(cut, separator)
    bytes = commonBytes(JOINED, separator, before < after ? before : after) + 1
    build(right, PLANTED_BUG == 1 ? cut + 1 : cut, total)
  } else {
    // The entry at the cut moves up: its key becomes the separator, its child the right page's first.
    if (cut == total - 1 && position != total - 1) cut--
    bytes = copyEntryKey(cut, separator)
    setFirstChild(right, entryWord(cut))
    build(right, cut + 1, total)
  }
  // If only the new entry went to the right, the page stays as it is.
  if (cut == total - 1 && position == cut) store32(page + 60, 0)
  else build(page, 0, cut)
  // If keys are being appended, they go on being appended to the right page.
  if (position + 1 == total && cut == position) store32(right + 60, countOf(right))
  return bytes
}

/** Is the page so empty that it should join a sibling? */
export function isUnderfull(page: u32): bool {
  const capacity = load32(PAGE_BYTES) - HEADER_BYTES
  return mul(capacity - freeBytesOf(page), 3) < capacity
}
