// Prints: what tells keys with equal heads apart without a look at their cells, each of which can be a wait for memory.
//
// The print of a slot is five bits of its suffix' hash, in the upper bits of its length:
//
//   bit    15     11 10           0
//          | print  | suffix bytes |
//
// Only a get uses them, since they say nothing of the order, and only pages have them where they pay: where gets have
// looked at so many cells in vain that a look at all of them costs no more. They exist in memory only. Whoever builds a
// page or writes its image leaves it without prints, and gets begin to count again.
//
//   looks  35
//          | looks in vain, or 255: the leaf has prints |
import { load8, store16, store8 } from './platform'
import { CELL_BYTES, cellOf, countOf, slotsOf, suffixBytesOf } from './page'
import { hashKey } from './shortcuts'

const HAS_PRINTS: u32 = 255
const MOST_LOOKS: u32 = 32
const LENGTH_BITS: u32 = 11

export function hasPrints(page: u32): bool {
  return load8(page + 35) == HAS_PRINTS
}

/** What the length of a slot with this suffix is when the page has prints. */
export function printedLength(suffix: u32, bytes: u32): u32 {
  return (bytes | ((hashKey(suffix, bytes, 0) >>> 27) << LENGTH_BITS)) >>> 0
}

/** Notes that a get has looked at so many cells of the leaf in vain; gives it prints when there were enough. */
export function noteLooks(page: u32, looks: u32): void {
  const all = load8(page + 35) + looks
  if (all < MOST_LOOKS) {
    store8(page + 35, all)
    return
  }
  let slot = slotsOf(page)
  const end = slot + (countOf(page) << 3)
  while (slot < end) {
    const bytes = suffixBytesOf(slot)
    store16(slot + 6, printedLength(cellOf(page, slot) + CELL_BYTES, bytes))
    slot += 8
  }
  store8(page + 35, HAS_PRINTS)
}

/** Takes the prints out of the slots. */
export function erasePrints(page: u32): void {
  if (hasPrints(page)) {
    let slot = slotsOf(page)
    const end = slot + (countOf(page) << 3)
    while (slot < end) {
      store16(slot + 6, suffixBytesOf(slot))
      slot += 8
    }
  }
  forgetPrints(page)
}

/** Says that no slot of the page has a print, since all of them were written anew. */
export function forgetPrints(page: u32): void {
  store8(page + 35, 0)
}
