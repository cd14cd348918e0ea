// Keys and values on their way into messages. An array buffer of its own costs several times as much as a short text
// itself, so short texts and byte strings share buffers; they are copied into a frame soon.

import { isBytes } from '../encoding/bytes.ts'
import type { ValueEncoding } from '../encoding/encoding.ts'

const slabBytes = 65_536
/** Longer ones get bytes of their own. */
const mostBytes = 1_024
/** A character takes three bytes at most, and some encodings add a few, or escape characters. */
const mostCharacters = 256

export class FieldEncoder {
  #slab = new Uint8Array(slabBytes)
  #used = 0

  /** The encoded bytes, for a message only: their buffer holds other fields. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  encode(encoding: ValueEncoding<unknown>, value: unknown): Uint8Array {
    return isShort(value) && !encoding.callsBack ? this.#encodeShort(encoding, value) : encoding.encode(value)
  }

  #encodeShort(encoding: ValueEncoding<unknown>, value: string | Uint8Array): Uint8Array {
    if (this.#used > slabBytes - mostBytes) {
      this.#slab = new Uint8Array(slabBytes)
      this.#used = 0
    }
    const slab = this.#slab
    const at = this.#used
    const end = at + mostBytes
    // Taken before anything is written: user code (`String.prototype.toJSON`) may come here meanwhile.
    this.#used = end
    const length = encoding.write(value, slab, at, mostBytes)
    if (this.#used === end && this.#slab === slab) this.#used = at + Math.max(0, length)
    return length < 0 ? encoding.encode(value) : new Uint8Array(slab.buffer, at, length)
  }
}

function isShort(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' ? value.length <= mostCharacters : isBytes(value) && value.length <= mostBytes
}
