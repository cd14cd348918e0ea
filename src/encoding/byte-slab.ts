// Allocation is the cost of reading small values: an array buffer of its own takes several times as long as the copy.
// So small copies are views of a shared 64 KiB buffer. The price: one view that is kept keeps its whole slab. Hence
// larger copies get their own buffer, and at least 64 copies share a slab.

import { copyBytes } from './bytes.ts'

/** Size of a slab in bytes. */
export const slabBytes = 65_536

/** Copies up to this many bytes come from a slab. */
export const largestSlabCopy = 1_024

// Above these sizes a native copy beats the loops (measured, docs/encodings.md).
const largestWordCopy = 128
const largestByteCopy = 24

/** Hands out copies of byte ranges. Nothing is handed out twice. */
export class ByteSlab {
  #bytes = new Uint8Array(0)
  #words = new Uint32Array(0)
  #used = 0
  // The words of the array copied from last; the kernel's memory is the same array until it grows.
  #source: Uint8Array = new Uint8Array(0)
  #sourceWords: Uint32Array = new Uint32Array(0)

  /** A copy of the bytes of `source` from `start` to `end`; its `buffer` may be larger and shared with other copies. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start
    if (length > largestSlabCopy) return copyBytes(source, start, end)
    let at = this.#used
    if (at + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(slabBytes)
      this.#words = new Uint32Array(this.#bytes.buffer)
      at = 0
    }
    // Keeps every copy at a multiple of four, so that it can be made word by word.
    this.#used = at + ((length + 3) & ~3)
    if ((start & 3) === 0 && length <= largestWordCopy) this.#copyWords(source, start, at, length)
    else if (length <= largestByteCopy) this.#copyEach(source, start, at, length)
    else this.#bytes.set(source.subarray(start, end), at)
    return new Uint8Array(this.#bytes.buffer, at, length)
  }

  #copyWords(source: Uint8Array, start: number, at: number, length: number): void {
    if (source !== this.#source) this.#attach(source)
    const to = this.#words
    const from = this.#sourceWords
    const whole = length >>> 2
    const toWord = at >>> 2
    const fromWord = start / 4
    if (fromWord + whole > from.length) {
      this.#copyEach(source, start, at, length)
      return
    }
    for (let i = 0; i < whole; i++) to[toWord + i] = from[fromWord + i] ?? 0
    const done = whole << 2
    if (done < length) this.#copyEach(source, start + done, at + done, length - done)
  }

  #copyEach(source: Uint8Array, start: number, at: number, length: number): void {
    const to = this.#bytes
    for (let i = 0; i < length; i++) to[at + i] = source[start + i] ?? 0
  }

  #attach(source: Uint8Array): void {
    this.#source = source
    const aligned = (source.byteOffset & 3) === 0
    this.#sourceWords = aligned
      ? new Uint32Array(source.buffer, source.byteOffset, source.length >>> 2)
      : new Uint32Array(0)
  }
}
