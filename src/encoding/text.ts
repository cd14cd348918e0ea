// Strict UTF-8 between strings and ranges of bytes. The platforms' own functions are lenient (they put U+FFFD where
// something is wrong), so each call is followed by the cheapest check that finds that out.

import { characterText, mostCharacters } from './character-text.ts'
import { invalidArgument, undecodable } from './failure.ts'
import { nodeText } from './node-text.ts'

// Below these lengths a loop over the characters beats a call into the platform (measured, docs/encodings.md).
const shortText = 24
const shortBytes = nodeText === undefined ? mostCharacters : 20

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Writes `text` as UTF-8 and returns the number of bytes, or -1 when they are more than `capacity`.
 * Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate.
 */
export function writeText(text: string, target: Uint8Array, at: number, capacity: number): number {
  const length = text.length
  // UTF-8 never takes fewer bytes than UTF-16 has units.
  if (length > capacity) return -1
  if (length >= shortText) return writeLongText(text, target, at, capacity)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) {
      // A unit takes three bytes at most.
      if (length * 3 > capacity || at + length * 3 > target.length) return writeLongText(text, target, at, capacity)
      return writeUnits(text, i, target, at + i) - at
    }
    target[at + i] = unit
  }
  return length
}

/**
 * Writes the UTF-16 units of `text` from number `from` on as UTF-8 at `at` and returns where they end. There must be
 * room for three bytes for each. Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate.
 */
export function writeUnits(text: string, from: number, target: Uint8Array, at: number): number {
  const { length } = text
  let end = at
  for (let i = from; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) target[end++] = unit
    else if (unit < 0x800) {
      target[end] = 0xc0 | (unit >>> 6)
      target[end + 1] = 0x80 | (unit & 0x3f)
      end += 2
    } else if (isSurrogate(unit)) {
      if (!isPair(text, i)) throw loneSurrogate()
      const point = 0x1_0000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
      target[end] = 0xf0 | (point >>> 18)
      target[end + 1] = 0x80 | ((point >>> 12) & 0x3f)
      target[end + 2] = 0x80 | ((point >>> 6) & 0x3f)
      target[end + 3] = 0x80 | (point & 0x3f)
      end += 4
    } else {
      target[end] = 0xe0 | (unit >>> 12)
      target[end + 1] = 0x80 | ((unit >>> 6) & 0x3f)
      target[end + 2] = 0x80 | (unit & 0x3f)
      end += 3
    }
  }
  return end
}

/** The UTF-8 bytes of `text`, as an array of their own. Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate. */
export function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  if (bytes.length !== text.length) refuseLoneSurrogates(text)
  return bytes
}

/** The text of the bytes from `start` to `end`. Throws `LIGHTNING_DECODE` when they are not well-formed UTF-8. */
export function readText(source: Uint8Array, start: number, end: number): string {
  if (end - start <= shortBytes) {
    const short = characterText(source, start, end, 0x7f)
    if (short !== undefined) return short
  }
  if (nodeText === undefined) return decodeStrictly(source, start, end)
  const text = nodeText.read(source, start, end)
  // A replacement character was either stored or stands for an error: the strict decoder tells which.
  return text.indexOf('\ufffd') < 0 ? text : decodeStrictly(source, start, end)
}

function writeLongText(text: string, target: Uint8Array, at: number, capacity: number): number {
  const { length } = text
  let written: number
  // Node's function must have enough room: it does not tell whether it ran out.
  if (nodeText !== undefined && length * 3 <= capacity) written = nodeText.write(text, target, at, capacity)
  else {
    const result = encoder.encodeInto(text, target.subarray(at, at + capacity))
    if (result.read !== length) return -1
    written = result.written
  }
  // Equal counts mean that every character was ASCII.
  if (written !== length) refuseLoneSurrogates(text)
  return written
}

// A loop, since /\p{Surrogate}/u takes twice as long.
function refuseLoneSurrogates(text: string): void {
  const { length } = text
  for (let i = 0; i < length; i++) {
    if (!isSurrogate(text.charCodeAt(i))) continue
    if (!isPair(text, i)) throw loneSurrogate()
    i++
  }
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

/** Do a high and a low surrogate stand at `at`? */
function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
}

function loneSurrogate(): Error {
  return invalidArgument('The text holds a lone surrogate, which has no UTF-8 form. Repair it, or store it as bytes.')
}

function decodeStrictly(source: Uint8Array, start: number, end: number): string {
  try {
    return decoder.decode(source.subarray(start, end))
  } catch (cause) {
    throw undecodable(
      'The stored bytes are not well-formed UTF-8. Read them with the encoding they were written with.',
      {
        cause
      }
    )
  }
}
