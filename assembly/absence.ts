// Absence: a small filter for a leaf in memory tells that a key is not in it without a look at the leaf itself, which in
// a tree much larger than the processor's cache is a wait for memory or three.
//
//   line     0    3      4              6       8
//            | id | tree | prefix bytes | looks | bits ... |
//
// There are at least as many lines as frames have been made; the low bits of a page's id name its line. Of each key of the
// leaf three bits are set, which its suffix' hash names. A filter is made only for leaves where gets have looked in vain
// several times; until then its line counts them. Whatever changes a page's keys or takes its frame renews the frame's
// stamp, and the line is forgotten with it. So gets of the newest state may trust it. Whether the leaf is one of the tree
// that is asked is checked where its filter answers, too: by the last byte of the tree's number.
//
// Where most keys are found a filter costs more than it saves, so gets keep a score of what they find, too.
import { fill, load16, load32, load8, mul, store16, store32, store8 } from './platform'
import { take } from './arena'
import { CELL_BYTES, cellOf, countOf, idOf, prefixBytesOf, slotsOf, suffixBytesOf, treeOf } from './page'
import { ABSENCE_LINES, ABSENCE_LINE_BYTES, ABSENCE_MASK, ABSENCE_SCORE, ABSENCE_USED, PAGE_BYTES } from './state'
import { hashKey } from './shortcuts'

const LINE_HEADER_BYTES: u32 = 8
const MOST_LINE_BYTES: u32 = 128
/** What the line has in place of a count when the filter is made, and when it has answered. */
const MADE: u32 = 0xfffe
const ANSWERED: u32 = 0xffff
/** Making a filter costs about as much as so many looks at the leaf. */
const LOOKS_FIRST: u32 = 6
const MOST_SCORE: u32 = 64
const LEAST_SCORE: u32 = 16

/** There are so many frames now: makes more lines when there are fewer. What the old ones held is forgotten. */
export function growAbsence(frames: u32): void {
  let lines: u32 = load32(ABSENCE_LINES) == 0 ? 64 : load32(ABSENCE_MASK) + 1
  if (lines >= frames && load32(ABSENCE_LINES) != 0) return
  while (lines < frames) lines <<= 1
  const pageShare = load32(PAGE_BYTES) >>> 7
  const lineBytes: u32 = pageShare < MOST_LINE_BYTES ? pageShare : MOST_LINE_BYTES
  const at = take(lines * lineBytes)
  // Without memory for more, pages share the lines that there are.
  if (at == 0) return
  store32(ABSENCE_LINES, at)
  store32(ABSENCE_MASK, lines - 1)
  store32(ABSENCE_LINE_BYTES, lineBytes)
}

function lineOf(id: u32): u32 {
  return load32(ABSENCE_LINES) + mul(id & load32(ABSENCE_MASK), load32(ABSENCE_LINE_BYTES))
}

/** What a line begins with: the id, which has three bytes (`DIRECTORY_LENGTH` in table.ts), and one of the tree. */
function nameOf(id: u32, tree: u32): u32 {
  return (id | (tree << 24)) >>> 0
}

/** The number of the bit that ten bits of a hash name. */
function bitOf(part: u32): u32 {
  return mul(part & 1023, (load32(ABSENCE_LINE_BYTES) - LINE_HEADER_BYTES) << 3) >>> 10
}

function hasBit(line: u32, bit: u32): bool {
  return (load8(line + LINE_HEADER_BYTES + (bit >>> 3)) & (1 << (bit & 7))) != 0
}

function setBit(line: u32, bit: u32): void {
  const at = line + LINE_HEADER_BYTES + (bit >>> 3)
  store8(at, load8(at) | (1 << (bit & 7)))
}

/** Whether gets have found so little lately that filters are worth a look. */
export function isAbsenceLikely(): bool {
  return load32(ABSENCE_SCORE) >= LEAST_SCORE
}

/** A get has found its key by way of the leaf. */
export function notePresence(): void {
  const score = load32(ABSENCE_SCORE)
  if (score != 0) store32(ABSENCE_SCORE, score - 1)
}

/** Whether it is certain that the key is not in the tree's leaf with this id, which may not even be in memory. */
export function isAbsent(id: u32, tree: u32, key: u32, keyBytes: u32): bool {
  const line = lineOf(id)
  if (load32(line) != nameOf(id, tree) || load16(line + 6) < MADE) return false
  const prefix: u32 = load16(line + 4)
  if (keyBytes < prefix) return false
  const hash = hashKey(key + prefix, keyBytes - prefix, 0)
  if (hasBit(line, bitOf(hash)) && hasBit(line, bitOf(hash >>> 10)) && hasBit(line, bitOf(hash >>> 20))) return false
  store16(line + 6, ANSWERED)
  return true
}

/** Has the filter of the page in this frame answered since this was asked last? */
export function hasAnswered(frame: u32): bool {
  if (load32(ABSENCE_USED) == 0) return false
  const id = load32(frame)
  const line = lineOf(id)
  if ((load32(line) & 0xffffff) != id || load16(line + 6) != ANSWERED) return false
  store16(line + 6, MADE)
  return true
}

/** A get has not found its key in the leaf: counts that, and makes the leaf's filter when it happens often. */
export function noteAbsence(leaf: u32): void {
  if (load32(ABSENCE_LINES) == 0) return
  const score = load32(ABSENCE_SCORE)
  if (score < MOST_SCORE) store32(ABSENCE_SCORE, score + 2)
  if (score < LEAST_SCORE) return
  const name = nameOf(idOf(leaf), treeOf(leaf))
  const line = lineOf(idOf(leaf))
  if (load32(line) != name) {
    store32(ABSENCE_USED, 1)
    store32(line, name)
    store32(line + 4, 0)
  }
  const looks: u32 = load16(line + 6)
  if (looks < LOOKS_FIRST) store16(line + 6, looks + 1)
  else if (looks < MADE && mul(countOf(leaf), 3) <= (load32(ABSENCE_LINE_BYTES) - LINE_HEADER_BYTES) << 3)
    make(line, leaf)
}

function make(line: u32, leaf: u32): void {
  fill(line + LINE_HEADER_BYTES, 0, load32(ABSENCE_LINE_BYTES) - LINE_HEADER_BYTES)
  let slot = slotsOf(leaf)
  const end = slot + (countOf(leaf) << 3)
  while (slot < end) {
    const hash = hashKey(cellOf(leaf, slot) + CELL_BYTES, suffixBytesOf(slot), 0)
    setBit(line, bitOf(hash))
    setBit(line, bitOf(hash >>> 10))
    setBit(line, bitOf(hash >>> 20))
    slot += 8
  }
  store16(line + 4, prefixBytesOf(leaf))
  store16(line + 6, MADE)
}

/** The keys of the page in this frame are going to change, or the frame to hold another page. */
export function forgetAbsence(frame: u32): void {
  if (PLANTED_BUG == 39 || load32(ABSENCE_USED) == 0) return
  const id = load32(frame)
  const line = lineOf(id)
  if ((load32(line) & 0xffffff) == id) store32(line + 4, 0)
}
