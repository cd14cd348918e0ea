// LZ4 blocks, the compression of page images.
// Source: "LZ4 Block Format Description" of the lz4 project; the search is its fast mode: one table of the last
// position of every hash of four bytes, and steps that grow while nothing is found.
//
// A block is a row of sequences, each some literal bytes, then a copy of bytes already written:
//
//   token │ more literal length │ literals │ offset │ more match length
//   1 byte│ 0 or more bytes     │          │ 2 bytes│ 0 or more bytes
//
// The token's high half is the literal length, its low half the match length less 4; a half of 15 goes on in bytes that
// are added up until one is not 255. The last sequence ends after its literals. The format wants the last 5 bytes as
// literals and no match that starts within the last 12, which lets fast paths move 8 bytes where fewer are meant.
import { copy, div, fill, load8, load16, load32, load32u, mul, store8, store16, store32 } from './platform'
import { copy8, sameBytes8 } from './wide'

const leastMatch: u32 = 4
const lastLiterals: u32 = 5
const lastMatchStart: u32 = 12
const farthest: u32 = 65535
const tableBits: u32 = 12
/** Unsuccessful looks before the search takes larger steps, as a power of two. */
const patienceBits: u32 = 4
/** From this length on a bulk copy is faster than steps of 8 bytes. */
const bulk: u32 = 192

/** Bytes of the table that `lz4Compress` needs; what it holds before and after means nothing. */
export const lz4TableBytes: u32 = 4 << 12

/**
 * Compresses `length` bytes at `from` into at most `capacity` bytes at `to`; the ranges and the table (at a multiple of
 * four) must not overlap and must end below 4 GiB. The same bytes always give the same block.
 *
 * Returns the size of the block, or 0 if it would be larger than `capacity`.
 */
export function lz4Compress(from: u32, length: u32, to: u32, capacity: u32, table: u32): u32 {
  const end: u32 = from + length
  const outEnd: u32 = to + capacity
  let anchor: u32 = from
  let out: u32 = to
  if (length > lastMatchStart) {
    // Positions in the table count from `from`; an empty entry looks like position 0, which the comparison then checks.
    fill(table, 0, lz4TableBytes)
    const searchEnd: u32 = end - lastMatchStart
    const matchEnd: u32 = end - lastLiterals
    let p: u32 = from + 1
    let looks: u32 = 1 << patienceBits
    while (p <= searchEnd) {
      const word: u32 = load32u(p)
      const entry: u32 = table + entryOf(word)
      let match: u32 = from + load32(entry)
      store32(entry, p - from)
      if (p - match > (PLANTED_BUG == 7 ? farthest + 1 : farthest) || load32u(match) != word) {
        p += looks >>> patienceBits
        looks += 1
        continue
      }
      looks = 1 << patienceBits
      while (p > anchor && match > from && load8(p - 1) == load8(match - 1)) {
        p -= 1
        match -= 1
      }
      const literals: u32 = p - anchor
      const matched: u32 = leastMatch + sameBytes(p + leastMatch, match + leastMatch, matchEnd)
      const needed: u32 = 1 + moreBytes(literals) + literals + 2 + moreBytes(matched - leastMatch)
      if (needed + 1 + lastLiterals > outEnd - out) return 0
      const token: u32 = out
      out = putLength(out + 1, literals)
      if (literals < bulk && outEnd - out >= literals + 8) {
        // Up to 7 bytes too many: the input goes on for 12 behind a match's start, the room was just looked at.
        copySteps(out, anchor, literals)
      } else {
        copy(out, anchor, literals)
      }
      out += literals
      store16(out, p - match)
      out = putLength(out + 2, matched - leastMatch)
      store8(token, (half(literals) << 4) | half(matched - leastMatch))
      p += matched
      anchor = p
      // One more entry from inside the match: repeated records line up sooner.
      if (p <= searchEnd) store32(table + entryOf(load32u(p - 2)), p - 2 - from)
    }
  }
  const literals: u32 = end - anchor
  if (1 + moreBytes(literals) + literals > outEnd - out) return 0
  store8(out, half(literals) << 4)
  out = putLength(out + 1, literals)
  copy(out, anchor, literals)
  return out + literals - to
}

/**
 * Decompresses the block of `length` bytes at `from` into at most `capacity` bytes at `to`; the ranges must not overlap
 * and must end below 4 GiB. Whatever the bytes are, it reads and writes nothing outside the two ranges and ends; bytes
 * of the output range behind the result may have been overwritten.
 *
 * Returns the number of bytes, or -1 if the block is malformed or holds more than `capacity`.
 */
export function lz4Decompress(from: u32, length: u32, to: u32, capacity: u32): i32 {
  const end: u32 = from + length
  const outEnd: u32 = to + capacity
  let p: u32 = from
  let out: u32 = to
  while (p < end) {
    const token: u32 = load8(p)
    p += 1
    let literals: u32 = token >>> 4
    if (literals < 15 && end - p >= 18 && outEnd - out >= 34) {
      copy8(out, p)
      copy8(out + 8, p + 8)
      p += literals
      out += literals
    } else {
      if (literals == 15) {
        let more: u32 = 255
        while (more == 255) {
          if (p >= end || literals > capacity) return -1
          more = load8(p)
          p += 1
          literals += more
        }
      }
      if (literals > end - p || literals > outEnd - out) return -1
      if (literals < bulk && end - p >= literals + 8 && outEnd - out >= literals + 8) copySteps(out, p, literals)
      else copy(out, p, literals)
      p += literals
      out += literals
      if (p == end) return (out - to) as i32
    }

    if (end - p < 2) return -1
    const offset: u32 = load16(p)
    p += 2
    if (offset == 0 || offset > out - to) return -1
    let matched: u32 = token & 15
    if (matched < 15 && offset >= 8 && outEnd - out >= 24) {
      const match: u32 = out - offset
      copy8(out, match)
      copy8(out + 8, match + 8)
      store16(out + 16, load16(match + 16))
      out += matched + leastMatch
      continue
    }
    if (matched == 15) {
      let more: u32 = 255
      while (more == 255) {
        if (p >= end || matched > capacity) return -1
        more = load8(p)
        p += 1
        matched += more
      }
    }
    matched += leastMatch
    if (matched > outEnd - out) return -1
    repeat(out, offset, matched, outEnd)
    out += matched
  }
  return -1
}

/** Writes `length` bytes at `out`, each the one `offset` before it; may write up to 7 more if they lie before `outEnd`. */
function repeat(out: u32, offset: u32, length: u32, outEnd: u32): void {
  if (offset >= length && length >= bulk) {
    copy(out, out - offset, length)
    return
  }
  let distance: u32 = offset
  let done: u32 = 0
  if (offset < 8) {
    // The first 8 bytes one by one; then a multiple of the offset that is 8 or more repeats the same bytes.
    done = length < 8 ? length : 8
    copyBytes(out, out - offset, done)
    distance = offset * div(7 + offset, offset)
  }
  if (outEnd - out < length + 8) {
    const steps: u32 = ((length - done) & 0xfffffff8) >>> 0
    copySteps(out + done, out + done - distance, steps)
    done += steps
    copyBytes(out + done, out + done - distance, length - done)
  } else {
    copySteps(out + done, out + done - distance, length - done)
  }
}

function copyBytes(to: u32, from: u32, length: u32): void {
  for (let i: u32 = 0; i < length; i++) store8(to + i, load8(from + i))
}

/** Copies `length` bytes and up to 7 more, from lower to higher addresses. */
function copySteps(to: u32, from: u32, length: u32): void {
  for (let i: u32 = 0; i < length; i += 8) copy8(to + i, from + i)
}

/** How many bytes at `a` and at `b`, which is before it, are the same, up to `end`. */
function sameBytes(a: u32, b: u32, end: u32): u32 {
  let p: u32 = a
  let q: u32 = b
  while (end - p >= 8) {
    const same: u32 = sameBytes8(p, q)
    p += same
    q += same
    if (same < 8) return p - a
  }
  while (p < end && load8(p) == load8(q)) {
    p += 1
    q += 1
  }
  return p - a
}

/** Place of the table entry for four bytes. */
function entryOf(word: u32): u32 {
  return (mul(word, 0x9e3779b1) >>> (32 - tableBits)) << 2
}

/** The half of a token for this length. */
function half(length: u32): u32 {
  return length < 15 ? length : 15
}

/** Bytes that this length takes beyond its half of the token. */
function moreBytes(length: u32): u32 {
  return length < 15 ? 0 : 1 + div(length - 15, 255)
}

/** Writes what a length has beyond its half of the token; returns where it ended. */
function putLength(out: u32, length: u32): u32 {
  if (length < 15) return out
  let p: u32 = out
  let rest: u32 = length - 15
  while (rest >= 255) {
    store8(p, 255)
    p += 1
    rest -= 255
  }
  store8(p, rest)
  return p + 1
}
