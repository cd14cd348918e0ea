import { copyBytes } from './bytes.ts'
import { encodeText, writeText } from './text.ts'

const smallest = 1_024
// A writer keeps its array between calls; after a large value it starts again with a small one, to free the memory.
const largestKept = 65_536

// More than the largest value, and such lengths fit in 32 bits everywhere.
const largest = 0x7fffffff

/** A byte array that grows as it is written. All numbers are big-endian, as MessagePack and key order want them. */
export class GrowingBytes {
  /** The bytes; those from `length` on mean nothing. Replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(smallest)
  /** How many bytes have been written. */
  length = 0
  #view = new DataView(this.bytes.buffer)

  /** Forgets everything written. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > largestKept) this.#replace(new Uint8Array(smallest))
  }

  /** Makes room for `count` more bytes. Throws RangeError when there is no memory for them. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    if (needed > largest) throw new RangeError(`More than ${largest} bytes were to be encoded`)
    const larger = new Uint8Array(Math.min(largest, Math.max(needed, this.bytes.length * 2)))
    larger.set(this.bytes.subarray(0, this.length))
    this.#replace(larger)
  }

  byte(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = byte
  }

  uint16(value: number): void {
    this.reserve(2)
    this.bytes[this.length] = value >>> 8
    this.bytes[this.length + 1] = value
    this.length += 2
  }

  uint32(value: number): void {
    this.reserve(4)
    this.setUint32(this.length, value)
    this.length += 4
  }

  /** Overwrites four bytes that were written before. */
  setUint32(at: number, value: number): void {
    this.#view.setUint32(at, value)
  }

  int64(value: bigint): void {
    this.reserve(8)
    this.#view.setBigInt64(this.length, value)
    this.length += 8
  }

  float32(value: number): void {
    this.reserve(4)
    this.#view.setFloat32(this.length, value)
    this.length += 4
  }

  float64(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.length, value)
    this.length += 8
  }

  /** A number in eight bytes that sort like the numbers. */
  orderedFloat(value: number): void {
    this.float64(value)
    const { bytes } = this
    const at = this.length - 8
    const first = bytes[at] ?? 0
    if (first < 0x80) bytes[at] = first | 0x80
    else if (PLANTED_BUG === 25) bytes[at] = first & 0x7f
    else for (let i = at; i < at + 8; i++) bytes[i] = ~(bytes[i] ?? 0)
  }

  /** The bytes as they are. */
  copy(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** `text` as UTF-8; returns the number of bytes. Throws `LIGHTNING_INVALID_ARGUMENT` for a lone surrogate. */
  text(text: string): number {
    this.reserve(text.length)
    const written = writeText(text, this.bytes, this.length, this.bytes.length - this.length)
    if (written >= 0) {
      this.length += written
      return written
    }
    const bytes = encodeText(text)
    this.copy(bytes)
    return bytes.length
  }

  /** Moves everything from `at` on `count` bytes further. */
  insert(at: number, count: number): void {
    this.reserve(count)
    this.bytes.copyWithin(at + count, at, this.length)
    this.length += count
  }

  /** What has been written, as bytes that nobody else has; it is then empty. */
  take(): Uint8Array {
    const { bytes, length } = this
    this.clear()
    // Large arrays have just been replaced, so they can be given away instead of copied.
    return bytes === this.bytes ? copyBytes(bytes, 0, length) : bytes.subarray(0, length)
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
