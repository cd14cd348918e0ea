// Building a page anew from a list of entries: for splits, merges, redistribution, compaction and a changed prefix.
//
// The list names entries where they stand (page, slot); page 0 means the entry being inserted (NEW_* in state.ts).
// A page that is built must not be one of those named: callers copy it to a work area first.
import { copy, fill, load16, load32, load32u, store16, store32, store32u } from './platform'
import {
  CELL_BYTES,
  CELL_LARGE,
  cellOf,
  commonBytes,
  copyKey,
  copyShort,
  countOf,
  HEADER_BYTES,
  headAt,
  heapStartOf,
  kindOf,
  LEAF,
  PAGE_HAS_LARGE,
  prefixBytesOf,
  setCount,
  setFlags,
  setGarbage,
  setHeapStart,
  setLastHead,
  SLOT_BYTES,
  slotOf,
  slotsEnd,
  slotsOf,
  suffixBytesOf,
  USE_CURRENT,
  useOf
} from './page'
import { forgetPrints } from './prints'
import {
  ENTRY_COUNT,
  ENTRY_LIST,
  JOINED,
  MAX_KEY_BYTES,
  NEW_KEY,
  NEW_KEY_BYTES,
  NEW_VALUE,
  NEW_WORD,
  PAGE_BYTES
} from './state'

export function clearList(): void {
  store32(ENTRY_COUNT, 0)
}

function append(page: u32, index: u32): void {
  const count = load32(ENTRY_COUNT)
  const at = load32(ENTRY_LIST) + (count << 3)
  store32(at, page)
  store32(at + 4, index)
  store32(ENTRY_COUNT, count + 1)
}

/** Adds the page's entries [from, to) to the list. */
export function listEntries(page: u32, from: u32, to: u32): void {
  while (from < to) {
    append(page, from)
    from++
  }
}

/** Adds the entry being inserted. */
export function listNew(): void {
  append(0, 0)
}

function pageOfEntry(index: u32): u32 {
  return load32(load32(ENTRY_LIST) + (index << 3))
}
function slotOfEntry(index: u32): u32 {
  const at = load32(ENTRY_LIST) + (index << 3)
  return slotOf(load32(at), load32(at + 4))
}

export function entryKeyBytes(index: u32): u32 {
  const page = pageOfEntry(index)
  return page == 0 ? load32(NEW_KEY_BYTES) : prefixBytesOf(page) + suffixBytesOf(slotOfEntry(index))
}

/** Copies the entry's key to `to`; returns its length. */
export function copyEntryKey(index: u32, to: u32): u32 {
  const page = pageOfEntry(index)
  if (page != 0) return copyKey(page, load32(load32(ENTRY_LIST) + (index << 3) + 4), to)
  copyShort(to, load32(NEW_KEY), load32(NEW_KEY_BYTES))
  return load32(NEW_KEY_BYTES)
}

/** The entry's cell header: value length and flags, or the child's page id. */
export function entryWord(index: u32): u32 {
  const page = pageOfEntry(index)
  return page == 0 ? load32(NEW_WORD) : load32u(cellOf(page, slotOfEntry(index)))
}

function entryValueBytes(index: u32, kind: u32): u32 {
  return kind == LEAF ? entryWord(index) & 0xffffff : 0
}

/** Bytes the entry takes beside its key. */
function entryFixedBytes(index: u32, kind: u32): u32 {
  return SLOT_BYTES + CELL_BYTES + entryValueBytes(index, kind)
}

/** Bytes that all keys of the entries [from, to) begin with. */
export function prefixOfEntries(from: u32, to: u32): u32 {
  if (from == to) return 0
  const first = copyEntryKey(from, JOINED)
  if (to - from == 1) return first
  const last = copyEntryKey(to - 1, JOINED + MAX_KEY_BYTES)
  return commonBytes(JOINED, JOINED + MAX_KEY_BYTES, first < last ? first : last)
}

/** Bytes a page of the entries [from, to) takes, header included. */
export function sizeOfEntries(from: u32, to: u32, kind: u32): u32 {
  const prefix = prefixOfEntries(from, to)
  let size: u32 = ((HEADER_BYTES + prefix + 3) & ~3) >>> 0
  while (from < to) {
    size += entryFixedBytes(from, kind) + entryKeyBytes(from) - prefix
    from++
  }
  return size
}

/** Bytes of the entry when `prefix` bytes of its key stand in the page's prefix. */
export function sizeOfEntry(index: u32, kind: u32, prefix: u32): u32 {
  return entryFixedBytes(index, kind) + entryKeyBytes(index) - prefix
}

/** Fills `page` (whose id, kind, level and tree stand) with the entries [from, to); they must fit. */
export function build(page: u32, from: u32, to: u32): void {
  const kind = kindOf(page)
  const prefix = prefixOfEntries(from, to)
  store16(page + 8, prefix)
  copyShort(page + HEADER_BYTES, JOINED, prefix)
  setCount(page, to - from)
  setGarbage(page, 0)
  setFlags(page, 0)
  let heap = load32(PAGE_BYTES)
  let slot = slotsOf(page)
  let flags: u32 = 0
  while (from < to) {
    const source = pageOfEntry(from)
    const word = entryWord(from)
    const valueBytes: u32 = kind == LEAF ? word & 0xffffff : 0
    const suffix = entryKeyBytes(from) - prefix
    heap -= CELL_BYTES + suffix + valueBytes
    const cell = page + heap
    store32u(cell, word)
    if (source == 0) {
      copyShort(cell + CELL_BYTES, load32(NEW_KEY) + prefix, suffix)
      copyShort(cell + CELL_BYTES + suffix, load32(NEW_VALUE), valueBytes)
    } else {
      const sourceSlot = slotOfEntry(from)
      const sourceCell = cellOf(source, sourceSlot)
      const sourcePrefix = prefixBytesOf(source)
      const sourceSuffix = suffixBytesOf(sourceSlot)
      if (sourcePrefix > prefix) {
        const moved = sourcePrefix - prefix
        copyShort(cell + CELL_BYTES, source + HEADER_BYTES + prefix, moved)
        copyShort(cell + CELL_BYTES + moved, sourceCell + CELL_BYTES, sourceSuffix)
      } else {
        copyShort(cell + CELL_BYTES, sourceCell + CELL_BYTES + (prefix - sourcePrefix), suffix)
      }
      copyShort(cell + CELL_BYTES + suffix, sourceCell + CELL_BYTES + sourceSuffix, valueBytes)
    }
    if (kind == LEAF && ((word >>> 24) & CELL_LARGE) != 0) flags = PAGE_HAS_LARGE
    store32(slot, headAt(cell + CELL_BYTES, suffix))
    store16(slot + 4, heap)
    store16(slot + 6, suffix)
    slot += SLOT_BYTES
    from++
  }
  setHeapStart(page, heap)
  setFlags(page, flags)
  store32(page + 60, 0)
  forgetPrints(page)
  if (useOf(page) == USE_CURRENT && countOf(page) != 0) setLastHead(page, load32(slot - SLOT_BYTES))
}

/** An empty page. */
export function format(page: u32, id: u32, kind: u32, level: u32, tree: u32): void {
  store32(page, id)
  store32(page + 4, (kind | (level << 8)) >>> 0)
  store32(page + 8, 0)
  setHeapStart(page, load32(PAGE_BYTES))
  setGarbage(page, 0)
  store32(page + 20, 0)
  store32(page + 24, tree)
  store32(page + 28, 0)
  store32(page + 60, 0)
  forgetPrints(page)
}

/**
 * Copies the page, memory part included, to a work area or another frame. The gap is left out: in a new page it is
 * memory that was never touched, and reading it first makes the system map every piece of it twice.
 */
export function copyPage(to: u32, page: u32): void {
  const heap = heapStartOf(page)
  copy(to, page, slotsEnd(page))
  copy(to + heap, page + heap, load32(PAGE_BYTES) - heap)
}

/** Zeroes what holds nothing, so that images compress well and depend on content alone. */
export function clearGap(page: u32): void {
  const end = slotsOf(page) + (load16(page + 6) << 3)
  fill(end, 0, page + load32(page + 12) - end)
}
