import { GrowingBytes } from './growing-bytes.ts'
import { extension } from './msgpack-format.ts'

// Shorter strings are written character by character; their head is one byte.
const shortText = 24

/** Writes the parts of MessagePack (see msgpack-format.ts) that hold nothing else. */
export class MsgpackOutput extends GrowingBytes {
  number(value: number): void {
    // -0 is no integer here: it would lose its sign.
    if ((value | 0) === value && !(value === 0 && 1 / value < 0)) {
      if (value >= 0) this.#unsigned(value)
      else this.#negative(value)
    } else if (value > 0x7fffffff && value <= 0xffffffff && Number.isInteger(value)) this.#unsigned(value)
    else if (Math.fround(value) === value) {
      this.byte(0xca)
      this.float32(value)
    } else {
      this.byte(0xcb)
      this.float64(value)
    }
  }

  /** Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate. */
  string(text: string): void {
    const { length } = text
    if (length >= shortText) {
      this.#longString(text)
      return
    }
    this.reserve(shortText)
    const { bytes } = this
    const start = this.length + 1
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.#longString(text)
        return
      }
      bytes[start + i] = unit
    }
    bytes[start - 1] = 0xa0 | length
    this.length = start + length
  }

  binary(bytes: Uint8Array): void {
    const { length } = bytes
    if (length < 0x100) {
      this.byte(0xc4)
      this.byte(length)
    } else if (length < 0x10000) {
      this.byte(0xc5)
      this.uint16(length)
    } else {
      this.byte(0xc6)
      this.uint32(length)
    }
    this.copy(bytes)
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.extensionHead(extension.bigint, 8)
      this.int64(value)
      return
    }
    // By way of hexadecimal digits, the only conversion that takes linear time.
    const magnitude = value < 0n ? -value : value
    const words = Math.floor(magnitude.toString(16).length / 16) + 1
    const digits = BigInt.asUintN(words * 64, value)
      .toString(16)
      .padStart(words * 16, '0')
    this.extensionHead(extension.bigint, words * 8)
    for (let i = 0; i < digits.length; i += 8) this.uint32(Number.parseInt(digits.slice(i, i + 8), 16))
  }

  /** `ms` as `Date` has it: a whole number, or NaN for an invalid date. */
  date(ms: number): void {
    if (Number.isNaN(ms)) {
      this.extensionHead(extension.invalidDate, 0)
      return
    }
    const seconds = Math.floor(ms / 1_000)
    const nanoseconds = (ms - seconds * 1_000) * 1_000_000
    if (seconds >= 0 && seconds <= 0xffffffff && nanoseconds === 0) {
      this.extensionHead(extension.timestamp, 4)
      this.uint32(seconds)
    } else if (seconds >= 0 && seconds < 2 ** 34) {
      this.extensionHead(extension.timestamp, 8)
      this.uint32(nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
      this.uint32(seconds % 2 ** 32)
    } else {
      this.extensionHead(extension.timestamp, 12)
      this.uint32(nanoseconds)
      this.int64(BigInt(seconds))
    }
  }

  arrayHead(count: number): void {
    this.#head(count, 0x90, 0xdc)
  }

  membersHead(count: number): void {
    this.#head(count, 0x80, 0xde)
  }

  extensionHead(type: number, length: number): void {
    if (length === 1 || length === 2 || length === 4 || length === 8 || length === 16) {
      this.byte(0xd4 + (31 - Math.clz32(length)))
    } else if (length < 0x100) {
      this.byte(0xc7)
      this.byte(length)
    } else if (length < 0x10000) {
      this.byte(0xc8)
      this.uint16(length)
    } else {
      this.byte(0xc9)
      this.uint32(length)
    }
    this.byte(type & 0xff)
  }

  /** Begins an extension whose length is not known yet; returns what `closeExtension` wants. */
  openExtension(type: number): number {
    this.byte(0xc9)
    this.uint32(0)
    this.byte(type)
    return this.length
  }

  /** Ends the extension that `openExtension` began. */
  closeExtension(start: number): void {
    this.setUint32(start - 5, this.length - start)
  }

  #unsigned(value: number): void {
    if (value < 0x80) this.byte(value)
    else if (value < 0x100) {
      this.byte(0xcc)
      this.byte(value)
    } else if (value < 0x10000) {
      this.byte(0xcd)
      this.uint16(value)
    } else {
      this.byte(0xce)
      this.uint32(value)
    }
  }

  #negative(value: number): void {
    if (value >= -0x20) this.byte(value & 0xff)
    else if (value >= -0x80) {
      this.byte(0xd0)
      this.byte(value & 0xff)
    } else if (value >= -0x8000) {
      this.byte(0xd1)
      this.uint16(value & 0xffff)
    } else {
      this.byte(0xd2)
      this.uint32(value)
    }
  }

  #longString(text: string): void {
    const start = this.length
    const expected = headBytes(text.length)
    this.reserve(expected)
    this.length += expected
    const length = this.text(text)
    // Text that is not ASCII has more bytes than characters, and may need a longer head than was reserved.
    const head = headBytes(length)
    if (head !== expected) this.insert(start + expected, head - expected)
    const { bytes } = this
    if (head === 1) bytes[start] = 0xa0 | length
    else if (head === 2) {
      bytes[start] = 0xd9
      bytes[start + 1] = length
    } else if (head === 3) {
      bytes[start] = 0xda
      bytes[start + 1] = length >>> 8
      bytes[start + 2] = length
    } else {
      bytes[start] = 0xdb
      this.setUint32(start + 1, length)
    }
  }

  /** The head of a collection: `fixed` up to 15 elements, `wide` with 16 bits, `wide + 1` with 32 bits. */
  #head(count: number, fixed: number, wide: number): void {
    if (count < 16) this.byte(fixed | count)
    else if (count < 0x10000) {
      this.byte(wide)
      this.uint16(count)
    } else {
      this.byte(wide + 1)
      this.uint32(count)
    }
  }
}

/** Bytes before a string of `length` bytes. */
function headBytes(length: number): number {
  if (length < 0x20) return 1
  if (length < 0x100) return 2
  return length < 0x10000 ? 3 : 5
}
