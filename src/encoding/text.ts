// Strict UTF-8 between strings and ranges of bytes. The platform's own functions are lenient (`encodeInto` and Node's
// `utf8Slice` put U+FFFD where something is wrong), so each is followed by the cheapest question that tells.

import { invalidArgument, undecodable } from './failure.ts'
import { nodeSlices } from './node-buffer.ts'

// Below these lengths a loop over the characters beats the call into the platform (measured, docs/encodings.md).
const shortText = 24
const shortBytes = 24

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const loneSurrogate = /\p{Surrogate}/u

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
    if (unit > 0x7f) return writeLongText(text, target, at, capacity)
    target[at + i] = unit
  }
  return length
}

/** The UTF-8 bytes of `text`, as an array of their own. Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate. */
export function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  if (bytes.length !== text.length) refuseLoneSurrogates(text)
  return bytes
}

/** The text of the bytes from `start` to `end`. Throws `LIGHTNING_DECODE` when they are not well-formed UTF-8. */
export function readText(source: Uint8Array, start: number, end: number): string {
  if (nodeSlices === undefined) return decodeStrictly(source, start, end)
  if (end - start < shortBytes) {
    let all = 0
    for (let i = start; i < end; i++) all |= source[i] ?? 0
    if (all < 0x80) return nodeSlices.latin1(source, start, end)
    return decodeStrictly(source, start, end)
  }
  const text = nodeSlices.utf8(source, start, end)
  // A replacement character is either stored text or the trace of an error: only the strict decoder tells which.
  return text.indexOf('\ufffd') < 0 ? text : decodeStrictly(source, start, end)
}

/** Throws `LIGHTNING_INVALID_ARGUMENT` when `text` is not well-formed. */
export function refuseLoneSurrogates(text: string): void {
  if (!loneSurrogate.test(text)) return
  throw invalidArgument('The text holds a lone surrogate, which has no UTF-8 form. Repair it, or store it as bytes.')
}

function writeLongText(text: string, target: Uint8Array, at: number, capacity: number): number {
  const { read, written } = encoder.encodeInto(text, target.subarray(at, at + capacity))
  if (read !== text.length) return -1
  // Equal counts mean that every character was ASCII.
  if (written !== read) refuseLoneSurrogates(text)
  return written
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
