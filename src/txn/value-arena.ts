// The encoded values that a transaction has written. Small values are stored one after the other in chunks that grow
// with the transaction, since an array for each would cost more than the value. Large values are written to disk at
// once, where nothing names them until the commit, so they need little memory. If the transaction ends without naming
// them, their space is freed; after a crash it is free anyway.
import type { ValueEncoding } from '../encoding/encoding.ts'
import type { Engine } from '../engine/engine.ts'
import { checkValueBytes } from '../engine/large-values.ts'

const firstChunkBytes = 1_024
const largestChunkBytes = 1_048_576
/** Longer values are written to the disk; they would not fit into any page. */
const mostBytesInMemory = 65_536
/**
 * First chunks of transactions that have ended, kept for the next ones: a new array costs more than a small
 * transaction.
 */
const mostSpares = 1_024

/** Bytes of one value; nobody changes them any more. Of one that is on disk they describe where it is. */
export class StoredValue {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly isOnDisk: boolean

  constructor(bytes: Uint8Array, start: number, end: number, isOnDisk = false) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.isOnDisk = isOnDisk
  }

  get length(): number {
    return this.end - this.start
  }
}

/** First chunks for transactions, used again and again. */
export class SpareChunks {
  readonly #chunks: Uint8Array[] = []

  take(): Uint8Array {
    return this.#chunks.pop() ?? new Uint8Array(firstChunkBytes)
  }

  give(chunk: Uint8Array): void {
    if (this.#chunks.length < mostSpares) this.#chunks.push(chunk)
  }
}

export class ValueArena {
  readonly #engine: Engine
  readonly #generation: number
  readonly #spares: SpareChunks
  readonly #first: Uint8Array
  #onDisk: Set<StoredValue> | undefined
  #chunk: Uint8Array
  #used = 0
  #isBusy = false
  #hasEnded = false

  constructor(engine: Engine, spares: SpareChunks) {
    this.#engine = engine
    this.#generation = engine.generation
    this.#spares = spares
    this.#first = spares.take()
    this.#chunk = this.#first
  }

  /** Encodes a value. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  add(value: unknown, encoding: ValueEncoding<unknown>): StoredValue {
    // An encoding may run the caller's code, which may write to the same transaction while the outer call is writing
    // behind the last value.
    if (encoding.callsBack || this.#isBusy) return this.#keep(encoding.encode(value))
    this.#isBusy = true
    try {
      const length = encoding.write(value, this.#chunk, this.#used, this.#chunk.length - this.#used)
      if (length >= 0) return this.#take(length)
    } finally {
      this.#isBusy = false
    }
    return this.#keep(encoding.encode(value))
  }

  /** Whether there are values on disk that no commit names yet. */
  get isOnDisk(): boolean {
    return this.#onDisk !== undefined && this.#onDisk.size > 0
  }

  /** The value was named by a commit. */
  keep(value: StoredValue): void {
    this.#onDisk?.delete(value)
  }

  /** No value is needed any more. */
  end(): void {
    this.#hasEnded = true
    // If the caller's code ends the transaction inside an encoding, that encoding still writes into the chunk.
    if (!this.#isBusy) this.#spares.give(this.#first)
    // After a rollback of the engine, everything that is not named is free already.
    if (this.#onDisk === undefined || this.#generation !== this.#engine.generation) return
    for (const { bytes } of this.#onDisk) this.#engine.discardValue(bytes)
  }

  #take(length: number): StoredValue {
    const start = this.#used
    this.#used += length
    return new StoredValue(this.#chunk, start, this.#used)
  }

  #keep(bytes: Uint8Array): StoredValue {
    const { length } = bytes
    checkValueBytes(length)
    // After the end nothing is stored: the chunk belongs to another transaction, and nobody would free what is on disk.
    if (this.#hasEnded) return new StoredValue(bytes, 0, length)
    if (length > mostBytesInMemory) {
      const description = this.#engine.writeValue(bytes)
      const value = new StoredValue(description, 0, description.length, true)
      this.#onDisk ??= new Set()
      this.#onDisk.add(value)
      return value
    }
    if (this.#isBusy) return new StoredValue(bytes, 0, length)
    if (length > this.#chunk.length - this.#used) {
      this.#chunk = new Uint8Array(Math.max(Math.min(this.#chunk.length * 4, largestChunkBytes), length))
      this.#used = 0
    }
    this.#chunk.set(bytes, this.#used)
    return this.#take(length)
  }
}

/** Values that are encoded already, for the engine. */
export const storedValues: ValueEncoding<StoredValue> = {
  name: 'stored',
  callsBack: false,
  aliasesOwned: true,
  write({ bytes, start, end }, target, at, capacity) {
    const length = end - start
    if (length > capacity || at + length > target.length) return -1
    if (length <= 32) for (let i = 0; i < length; i++) target[at + i] = bytes[start + i] ?? 0
    else target.set(bytes.subarray(start, end), at)
    return length
  },
  encode: ({ bytes, start, end }) => bytes.subarray(start, end),
  read: (source, start, end) => new StoredValue(source.slice(start, end), 0, end - start),
  readOwned: (source, start, end) => new StoredValue(source, start, end)
}
