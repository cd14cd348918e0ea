import { MAIN_ROOT, MAIN_TREE, OPERATION_HEADER_BYTES } from '../assembly/operations.ts'
import { SCAN_LOWER } from '../assembly/scan.ts'
import { FRAME_COUNT, IMAGE, IMAGE_CHECKSUM, IMAGE_FORMAT, KEY, TABLE_LIMIT } from '../assembly/state.ts'
import type { KernelExports } from '../src/kernel/exports.ts'
import { KernelMemory } from '../src/kernel/kernel-memory.ts'
import type { Kernel } from '../src/kernel/load.ts'

export const pageBytes = 16_384
export const keyBytes = 16
export const valueBytes = 100

const keyWords = keyBytes >>> 2
const valueWords = valueBytes >>> 2
/** More than any benchmark needs; they are made as they are used. */
const frameLimit = 1 << 16
/** What `get` answers for a key that is not there. */
const missing = 0xffffffff

/** A page as it stands on disk. */
export interface PlainImage {
  readonly id: number
  readonly bytes: Uint8Array
}

/**
 * One kernel with a tree of numbered keys and 100-byte values, and just enough around it to call the kernel's functions
 * as the engine does. Keys and values go in by words, which costs both builds the same.
 */
export class KernelTree {
  readonly exports: KernelExports
  readonly memory: KernelMemory
  readonly #keys: Uint32Array
  readonly #value = new Uint32Array(valueWords)

  /** `keys` present keys with even numbers; the odd ones between them are missing. */
  constructor(kernel: Kernel, keys: number) {
    this.exports = kernel.exports
    this.memory = new KernelMemory(kernel)
    this.#keys = keyTable(keys * 2)
    for (let i = 0; i < valueWords; i++) this.#value[i] = i < valueWords / 2 ? Math.imul(i, 0x9e3779b1) : 0x20202020
  }

  /** Begins anew with an empty tree. */
  clear(): void {
    check(this.exports.setUp(pageBytes, frameLimit))
    check(this.exports.makeTrees())
  }

  /** One commit of one put, and its log frame, which the next one throws away. */
  put(number: number): void {
    const { words } = this.memory
    this.exports.clearLog()
    const operation = this.exports.nextOperation() >>> 0
    let to = (operation + OPERATION_HEADER_BYTES) >>> 2
    let from = number * keyWords
    for (let i = 0; i < keyWords; i++) words[to++] = this.#keys[from++] ?? 0
    words[to] = number
    for (let i = 1; i < valueWords; i++) words[to + i] = this.#value[i] ?? 0
    check(this.exports.commitPut(MAIN_TREE, keyBytes, valueBytes))
    this.exports.closeFrame()
  }

  /** Address of the value, 0 when there is none. */
  get(number: number): number {
    this.#setKey(number)
    const address = this.exports.get(MAIN_TREE, MAIN_ROOT, 0, keyBytes) >>> 0
    return address === missing ? 0 : address
  }

  /** Reads up to `limit` rows from the key on; returns how many. */
  scan(number: number, limit: number): number {
    this.#setKey(number)
    return check(this.exports.scan(MAIN_TREE, MAIN_ROOT, 0, SCAN_LOWER, keyBytes, 0, limit))
  }

  /** Ids of the pages in memory, up to `most`. */
  pages(most: number): number[] {
    const ids: number[] = []
    for (let id = 1; id < this.memory.word(TABLE_LIMIT) && ids.length < most; id++) {
      if (this.exports.frameOf(id) !== 0) ids.push(id)
    }
    return ids
  }

  /** Writes the page's image to the image area; returns its length. */
  pack(id: number): number {
    return this.exports.packImage(this.exports.frameOf(id) >>> 0, this.memory.word(IMAGE), 1) >>> 0
  }

  /** Notes an image of every page, so that all frames are clean and `evictAll` can free them. */
  packAll(): PlainImage[] {
    return this.pages(frameLimit).map((id, i) => {
      const length = this.pack(id)
      const from = this.memory.word(IMAGE)
      const bytes = this.memory.bytes.slice(from, from + length)
      const frame = this.exports.frameOf(id) >>> 0
      const format = this.memory.word(IMAGE_FORMAT)
      check(this.exports.setImage(frame, 1 + i * 32, length, format, this.memory.word(IMAGE_CHECKSUM)))
      return { id, bytes }
    })
  }

  evictAll(): void {
    this.exports.evict(this.memory.word(FRAME_COUNT))
  }

  unpack({ id, bytes }: PlainImage): void {
    const to = this.memory.word(IMAGE)
    this.memory.bytes.set(bytes, to)
    check(this.exports.unpackImage(id, 0, to))
  }

  #setKey(number: number): void {
    const { words } = this.memory
    let to = KEY >>> 2
    let from = number * keyWords
    for (let i = 0; i < keyWords; i++) words[to++] = this.#keys[from++] ?? 0
  }
}

/** The keys `user:00000000000` and on, one behind the other. */
function keyTable(count: number): Uint32Array {
  const words = new Uint32Array(count * keyWords)
  const bytes = Buffer.from(words.buffer)
  for (let i = 0; i < count; i++) bytes.write(`user:${String(i).padStart(11, '0')}`, i * keyBytes, 'latin1')
  return words
}

/** A status below zero has no place in a benchmark: everything is in memory and there are frames enough. */
function check(status: number): number {
  if (status < 0) throw new Error(`the kernel answered ${status}`)
  return status
}
