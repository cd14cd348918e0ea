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
  // Kept beside its views, because the property `buffer` of a view takes as long as a short copy.
  #buffer = new ArrayBuffer(0)
  #bytes = new Uint8Array(0)
  #words = new Int32Array(0)
  #used = 0
  // The source of the last copy, viewed as words: the kernel's memory stays the same array until it grows.
  #source: Uint8Array = new Uint8Array(0)
  #sourceWords: Int32Array = new Int32Array(0)

  /** A copy of the bytes of `source` from `start` to `end`; its `buffer` may be larger and shared with other copies. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start
    // No bytes, no slab: the only one there is may have been handed over by then, and no view of it can be made.
    if (length > largestSlabCopy || length === 0) return copyBytes(source, start, end)
    let at = this.#used
    if (at + length > this.#bytes.length) {
      this.#renew()
      at = 0
    }
    // Every copy begins at a multiple of four, so that it can be made word by word.
    this.#used = at + ((length + 3) & ~3)
    if ((start & 3) === 0 && length <= largestWordCopy) this.#copyWords(source, start, at, length)
    else if (length <= largestByteCopy) this.#copyEach(source, start, at, length)
    else this.#bytes.set(source.subarray(start, end), at)
    return new Uint8Array(this.#buffer, at, length)
  }

  /** Copies whole words. The last one may bring along bytes behind the range; they end up in padding that nobody reads. */
  #copyWords(source: Uint8Array, start: number, at: number, length: number): void {
    if (source !== this.#source) this.#attach(source)
    const to = this.#words
    const from = this.#sourceWords
    const count = (length + 3) >>> 2
    const toWord = at >>> 2
    const fromWord = start / 4
    // If the array's length is no multiple of four, its last bytes are in no word.
    if (fromWord + count > from.length) this.#copyEach(source, start, at, length)
    else for (let i = 0; i < count; i++) to[toWord + i] = from[fromWord + i] ?? 0
  }

  #copyEach(source: Uint8Array, start: number, at: number, length: number): void {
    const to = this.#bytes
    for (let i = 0; i < length; i++) to[at + i] = source[start + i] ?? 0
  }

  #renew(): void {
    this.#buffer = new ArrayBuffer(slabBytes)
    this.#bytes = new Uint8Array(this.#buffer)
    this.#words = new Int32Array(this.#buffer)
  }

  #attach(source: Uint8Array): void {
    this.#source = source
    const words = (source.byteOffset & 3) === 0 ? source.length >>> 2 : 0
    this.#sourceWords = words === 0 ? new Int32Array(0) : new Int32Array(source.buffer, source.byteOffset, words)
  }
}
