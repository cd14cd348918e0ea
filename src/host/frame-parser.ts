// Frames in a stream of bytes: little-endian u32 length of the head, u32 number of parts, u32 length of each part, then
// the head and the parts themselves.

import { copyBytes } from '../encoding/bytes.ts'
import type { Frame } from './channel.ts'

/** More is no frame of ours. */
const mostHeadBytes = 1 << 29
const mostParts = 1 << 20
/** The largest value, and as a row of an iterator, with its key, behind the other rows of its batch. */
const mostPartBytes = (1 << 30) + (1 << 20)
const mostFrameBytes = 0x80000000

/** Whether the other end will take a frame with a head of so many bytes and these parts. */
export function isAcceptable(headBytes: number, parts: readonly Uint8Array[]): boolean {
  if (headBytes > mostHeadBytes || parts.length > mostParts) return false
  let total = headBytes
  for (const part of parts) {
    if (part.length > mostPartBytes) return false
    total += part.length
  }
  return total <= mostFrameBytes
}

/** The bytes that stand before a frame's own. */
export function frameHeader({ head, parts }: Frame): Uint8Array {
  const header = new Uint8Array(8 + 4 * parts.length)
  const view = new DataView(header.buffer)
  view.setUint32(0, head.length, true)
  view.setUint32(4, parts.length, true)
  for (const [i, part] of parts.entries()) view.setUint32(8 + 4 * i, part.length, true)
  return header
}

/** Takes bytes as they come and gives whole frames. Nothing is allocated for a length that was only announced. */
export class FrameParser {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  /** Lengths of the head and the parts of the frame that is being read, when they are known. */
  #lengths: readonly number[] | undefined
  /** Their sum. */
  #frameBytes = 0
  #partCount: number | undefined
  #headBytes = 0

  /** Bytes that have come and belong to no frame that was given. */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** Adds bytes, which must not change any more; they are not copied when a frame lies within them. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /** The next frame, if all of it is there. Throws for bytes that are not a frame; nothing can be read after that. */
  next(): Frame | undefined {
    if (this.#partCount === undefined) {
      const header = this.#take(8)
      if (header === undefined) return undefined
      this.#headBytes = wordAt(header, 0)
      this.#partCount = wordAt(header, 4)
      if (this.#headBytes > mostHeadBytes || this.#partCount > mostParts) throw new Error('it sent no frame.')
    }
    if (this.#lengths === undefined) {
      const lengths = this.#take(4 * this.#partCount)
      if (lengths === undefined) return undefined
      const all = [this.#headBytes]
      for (let i = 0; i < this.#partCount; i++) all.push(wordAt(lengths, 4 * i))
      this.#frameBytes = all.reduce((sum, length) => sum + length, 0)
      if (all.some(length => length > mostPartBytes) || this.#frameBytes > mostFrameBytes) {
        throw new Error('it sent no frame.')
      }
      this.#lengths = all
    }
    if (this.#bytes < this.#frameBytes) return undefined
    const lengths = this.#lengths
    this.#lengths = undefined
    this.#partCount = undefined
    const [head = nothing, ...parts] = lengths.map(length => this.#take(length) ?? nothing)
    // Parts end up with callers, who may hand over a buffer of theirs: it must not hold what is still to be read here.
    return { head, parts: parts.map(ownBytes) }
  }

  #take(length: number): Uint8Array | undefined {
    if (this.#bytes < length) return undefined
    if (length === 0) return nothing
    this.#bytes -= length
    const first = this.#chunks[0] ?? nothing
    if (first.length > length) {
      this.#chunks[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    if (first.length === length) {
      this.#chunks.shift()
      return first
    }
    return this.#gather(length)
  }

  #gather(length: number): Uint8Array {
    const gathered = new Uint8Array(length)
    let at = 0
    let used = 0
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(0, length - at)
      gathered.set(part, at)
      at += part.length
      if (part.length < chunk.length) {
        this.#chunks[used] = chunk.subarray(part.length)
        break
      }
      used++
      if (at === length) break
    }
    this.#chunks.splice(0, used)
    return gathered
  }
}

const nothing = new Uint8Array(0)

function ownBytes(part: Uint8Array): Uint8Array {
  return part.length === part.buffer.byteLength ? part : copyBytes(part, 0, part.length)
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
}
