// The operations of one commit, encoded but not applied. They are collected outside the kernel's memory: encodings may
// run the caller's code, which may use the database. If encoding fails, nothing has changed.
//
// A commit too long for one log frame is cut into parts between operations.
import { CLEAR, CREATE, DELETE, DROP, OPERATION_HEADER_BYTES, PUT, PUT_LARGE } from '../../assembly/operations.ts'
import { MAX_KEY_BYTES } from '../../assembly/state.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { invalidArgument } from '../encoding/failure.ts'
import { FRAME_HEADER_BYTES } from '../wal/frame.ts'
import { mostFrameBytes } from '../wal/log-reader.ts'
import { descriptionBytes, checkValueBytes } from './large-values.ts'

const partBytes = mostFrameBytes - FRAME_HEADER_BYTES - 8
const smallestPart = 4_096

/** A large value; its segments are written when all operations are encoded. */
export interface StagedValue {
  readonly part: number
  /** Where its description belongs in the part. */
  readonly at: number
  readonly value: Uint8Array
}

export class Staging {
  readonly parts: Uint8Array[] = []
  readonly values: StagedValue[] = []
  readonly #inlineBytes: number
  readonly #spares: Uint8Array[]
  readonly #full: Uint8Array[] = []
  #bytes: Uint8Array
  #length = 0
  /** Operations staged. */
  count = 0

  /** `inlineBytes`: what a key and its value may have together inside a page. `spares`: buffers to write into. */
  constructor(inlineBytes: number, spares: Uint8Array[] = []) {
    this.#inlineBytes = inlineBytes
    this.#spares = spares
    this.#bytes = spares.pop() ?? new Uint8Array(smallestPart)
  }

  /** The buffers that were used, which another commit may have when this one has ended. */
  get buffers(): readonly Uint8Array[] {
    return [...this.#full, this.#bytes]
  }

  /** Ends the last part. From now on all operations are in `parts`. */
  finish(): void {
    if (this.#length > 0) this.parts.push(this.#bytes.subarray(0, this.#length))
    this.#length = 0
  }

  get totalBytes(): number {
    return this.parts.reduce((sum, part) => sum + part.length, this.#length)
  }

  put(
    tree: number,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    if (
      keyEncoding.callsBack ||
      valueEncoding.callsBack ||
      !this.#putInPlace(tree, key, keyEncoding, value, valueEncoding)
    ) {
      this.#putBytes(tree, encodeKey(key, keyEncoding), valueEncoding.encode(value))
    }
  }

  del(tree: number, key: unknown, keyEncoding: KeyEncoding<unknown>): void {
    this.#append(DELETE, 0, tree, encodeKey(key, keyEncoding), none)
  }

  /** Encodes where the operation belongs; false, and nothing is appended, when it does not fit there. */
  #putInPlace(
    tree: number,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): boolean {
    const at = this.#length
    const bytes = this.#bytes
    const start = at + OPERATION_HEADER_BYTES
    const room = bytes.length - start
    if (room <= 0) return false
    const keyBytes = keyEncoding.write(key, bytes, start, Math.min(room, MAX_KEY_BYTES))
    if (keyBytes === 0) checkKeyBytes(0)
    if (keyBytes < 0) return false
    const valueRoom = Math.min(room, this.#inlineBytes) - keyBytes
    const valueBytes = valueRoom < 0 ? -1 : valueEncoding.write(value, bytes, start + keyBytes, valueRoom)
    if (valueBytes < 0) return false
    setHeader(bytes, at, PUT, 0, keyBytes, tree, valueBytes)
    this.count++
    this.#length = start + keyBytes + valueBytes
    return true
  }

  #putBytes(tree: number, key: Uint8Array, value: Uint8Array): void {
    checkValueBytes(value.length)
    if (key.length + value.length <= this.#inlineBytes) {
      this.#append(PUT, 0, tree, key, value)
      return
    }
    const at = this.#append(PUT_LARGE, 0, tree, key, new Uint8Array(descriptionBytes(value.length)))
    // Its segments are written before the call ends, so no copy is needed.
    this.values.push({ part: this.parts.length, at, value })
  }

  /** Stores a large value whose segments have been written already. */
  name(tree: number, key: unknown, keyEncoding: KeyEncoding<unknown>, description: Uint8Array): void {
    this.#append(PUT_LARGE, 0, tree, encodeKey(key, keyEncoding), description)
  }

  /** Deletes a key that is already encoded. */
  delBytes(tree: number, key: Uint8Array): void {
    this.#append(DELETE, 0, tree, key, none)
  }

  /** Deletes the keys in [lower, upper); `upper` undefined: all from `lower` on. */
  clear(tree: number, lower: Uint8Array, upper: Uint8Array | undefined): void {
    this.#append(CLEAR, upper === undefined ? 0 : 1, tree, lower, upper ?? none)
  }

  create(tree: number, path: Uint8Array): void {
    this.#append(CREATE, 0, tree, path, none)
  }

  drop(tree: number, path: Uint8Array): void {
    this.#append(DROP, 0, tree, path, none)
  }

  /** Appends an operation; returns where its value begins in its part. */
  #append(type: number, flags: number, tree: number, key: Uint8Array, value: Uint8Array): number {
    const length = OPERATION_HEADER_BYTES + key.length + value.length
    if (this.#length + length > partBytes) {
      this.finish()
      this.#full.push(this.#bytes)
      this.#bytes = this.#spares.pop() ?? new Uint8Array(smallestPart)
    }
    if (this.#length + length > this.#bytes.length) this.#grow(this.#length + length)
    const at = this.#length
    const bytes = this.#bytes
    setHeader(bytes, at, type, flags, key.length, tree, value.length)
    bytes.set(key, at + OPERATION_HEADER_BYTES)
    bytes.set(value, at + OPERATION_HEADER_BYTES + key.length)
    this.#length = at + length
    this.count++
    return at + OPERATION_HEADER_BYTES + key.length
  }

  #grow(wanted: number): void {
    const larger = new Uint8Array(Math.min(partBytes, Math.max(wanted, this.#bytes.length * 4)))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

const none = new Uint8Array(0)

function setHeader(
  bytes: Uint8Array,
  at: number,
  type: number,
  flags: number,
  keyBytes: number,
  tree: number,
  valueBytes: number
): void {
  setWord(bytes, at, type | (flags << 8) | (keyBytes << 16))
  setWord(bytes, at + 4, tree)
  setWord(bytes, at + 8, valueBytes)
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  // What is stored is the lowest byte.
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** The key's bytes; throws `LIGHTNING_INVALID_ARGUMENT` when there are none or too many. */
export function encodeKey(key: unknown, encoding: KeyEncoding<unknown>): Uint8Array {
  const bytes = encoding.encode(key)
  checkKeyBytes(bytes.length)
  return bytes
}

/** Throws `LIGHTNING_INVALID_ARGUMENT` unless a key may have so many bytes. */
export function checkKeyBytes(bytes: number): void {
  if (bytes >= 1 && bytes <= MAX_KEY_BYTES) return
  throw invalidArgument(
    bytes === 0
      ? `A key must not be empty. Pass a key of 1 to ${MAX_KEY_BYTES} bytes.`
      : `A key may have ${MAX_KEY_BYTES} bytes, this one has ${bytes}. Shorten it, or store a hash of it.`
  )
}
