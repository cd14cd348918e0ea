// What the workloads ask of an engine. Each driver uses the fastest idiomatic calls of its engine; what is synchronous
// there stays synchronous here, so that nobody pays for another's promises.
import type { Key, KeyKind } from '../data.ts'

/** A key in the form that an engine takes fastest. */
export type NativeKey = string | number | Uint8Array | (string | number)[]

/** A promise where the engine has no synchronous call. */
export type MaybePromise<T> = T | Promise<T>

/**
 * `strict`: a write is done when it is on stable storage. `relaxed`: when the engine has it; the newest writes may be
 * lost in a crash. Peers do not sync at all then (Lightning DB does every 100 ms).
 */
export type Durability = 'strict' | 'relaxed'

export interface DriverOptions {
  readonly directory: string
  readonly kind: KeyKind
  readonly durability: Durability
  /** Memory for pages, the same for all who take such an option. */
  readonly cacheBytes: number
  /** Entries of a cache of decoded values, where the engine has one. */
  readonly valueCache?: number
}

export interface Driver {
  /** The key as this engine likes it best. */
  native(key: Key): NativeKey
  get(key: NativeKey): Uint8Array | undefined
  /** Reads every entry, key and value; returns how many. */
  scanAll(): MaybePromise<number>
  /** Reads up to `limit` entries from `key` on; returns how many. */
  scan(key: NativeKey, limit: number): MaybePromise<number>
  /** One write, done when this returns, or when the promise resolves. */
  put(key: NativeKey, value: Uint8Array): MaybePromise<unknown>
  /** One of many writes under way at once. */
  putConcurrently(key: NativeKey, value: Uint8Array): MaybePromise<unknown>
  deleteConcurrently(key: NativeKey): MaybePromise<unknown>
  /** One atomic write of many entries. */
  putBatch(keys: readonly NativeKey[], values: readonly Uint8Array[]): MaybePromise<unknown>
  close(): MaybePromise<unknown>
}

export interface Engine {
  readonly name: string
  readonly version: string
  /** What its durability modes are in its own words. */
  readonly modes: Readonly<Record<Durability, string>>
  /** Loads the engine's package, which is no part of what is measured; `open` does it otherwise. */
  load(): Promise<unknown>
  open(options: DriverOptions): Promise<Driver>
}

/** Eight bytes, big-endian: the order of the bytes is that of the numbers. */
export function integerBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(value / 0x1_0000_0000))
  view.setUint32(4, value >>> 0)
  return bytes
}
