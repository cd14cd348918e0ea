// Keys inside transactions are binary strings: one character from U+0000 to U+00FF for each byte. Their order is the
// order of the bytes, JavaScript compares and hashes them natively, and text keys of ASCII characters, by far the most
// common, are their own binary strings already. Plain byte arrays would need a comparison, a hash and a hundred bytes of
// header each.
import { MAX_KEY_BYTES } from '../../assembly/state.ts'
import { characterText, mostCharacters } from '../encoding/character-text.ts'
import type { KeyEncoding } from '../encoding/encoding.ts'
import { latin1Slice } from '../encoding/node-latin1.ts'
import { Utf8Encoding } from '../encoding/utf8-encoding.ts'
import { checkKeyBytes, encodeKey } from '../engine/staging.ts'

/** The binary string of the bytes from `start` to `end`. */
export function toBinary(bytes: Uint8Array, start: number, end: number): string {
  if (latin1Slice !== undefined) return latin1Slice.call(bytes, start, end)
  let text = ''
  for (let at = start; at < end; at += mostCharacters) {
    text += characterText(bytes, at, Math.min(end, at + mostCharacters), 0xff) ?? ''
  }
  return text
}

/** The bytes of a binary string. */
export function toBytes(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/** The least key behind `key`. */
export function keyBehind(key: string): string {
  return `${key}\0`
}

/** Turns the keys of callers into binary strings. */
export class KeyReader {
  readonly #scratch = new Uint8Array(MAX_KEY_BYTES)

  /** Throws `LIGHTNING_INVALID_ARGUMENT` as the engine does. */
  read(key: unknown, encoding: KeyEncoding<unknown>): string {
    if (typeof key === 'string' && encoding instanceof Utf8Encoding && isAscii(key)) {
      if (key.length === 0 || key.length > MAX_KEY_BYTES) checkKeyBytes(key.length)
      return key
    }
    if (!encoding.callsBack) {
      const length = encoding.write(key, this.#scratch, 0, MAX_KEY_BYTES)
      if (length > 0) return toBinary(this.#scratch, 0, length)
    }
    const bytes = encodeKey(key, encoding)
    return toBinary(bytes, 0, bytes.length)
  }
}

/** Keys that are binary strings already, for the engine. */
export const binaryKeys: KeyEncoding<string> = {
  name: 'binary',
  callsBack: false,
  aliasesOwned: false,
  write(key, target, at, capacity) {
    const { length } = key
    if (length > capacity || at + length > target.length) return -1
    for (let i = 0; i < length; i++) target[at + i] = key.charCodeAt(i)
    return length
  },
  encode: toBytes,
  encodePrefix: toBytes,
  read: toBinary,
  readOwned: toBinary
}

/** A key in a message: as text where it is some, else in hexadecimal digits. */
export function showKey(key: string): string {
  const bytes = toBytes(key)
  const shown = bytes.length > 60 ? bytes.subarray(0, 60) : bytes
  const rest = shown === bytes ? '' : '…'
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(shown, { stream: rest !== '' })
    if (!/\p{Cc}/u.test(text)) return `${JSON.stringify(text)}${rest}`
  } catch {
    // The bytes are not UTF-8.
  }
  return `0x${Array.from(shown, byte => byte.toString(16).padStart(2, '0')).join('')}${rest}`
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
