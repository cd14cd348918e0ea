// The public interface, as types that other implementations can satisfy, too (in a worker, over a network). On an
// engine in this thread they are implemented by keyspace.ts, snapshot.ts and database.ts.
//
// Reads are synchronous. Every method throws, or rejects with, `LightningError`s; all may throw
// `LIGHTNING_INVALID_ARGUMENT` (and then have changed nothing) and, once the database is closed, `LIGHTNING_CLOSED`.

import type { EngineStats, PageMap, Progress, VerifyReport } from '../engine/engine.ts'
import type { EngineEvents } from '../engine/events.ts'
import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import type { RangeOptions } from './range.ts'
import type { Transactional } from './transaction-types.ts'

/** Options of reads. `S` is what `snapshot` takes: `never` in snapshots and transactions, which have a state of their own. */
export interface ReadOptions<
  KE extends KeyEncodingChoice = KeyEncodingChoice,
  VE extends ValueEncodingChoice = ValueEncodingChoice,
  S = SnapshotHandle | undefined
> extends EncodingOptions<KE, VE> {
  /** Reads the state of this snapshot; absent: the newest state. */
  readonly snapshot?: S
}

/** Options of reads of ranges: the range, and the options of reads. */
export type RangeReadOptions<
  K,
  KE extends KeyEncodingChoice,
  VE extends ValueEncodingChoice,
  S = SnapshotHandle | undefined
> = RangeOptions<KeyIn<K, KE>> & ReadOptions<KE, VE, S>

/** Options of `clear`: the range, and the encoding of its bounds. */
export type ClearOptions<K, KE extends KeyEncodingChoice, VE extends ValueEncodingChoice> = RangeOptions<KeyIn<K, KE>> &
  EncodingOptions<KE, VE>

/** What an option `snapshot` takes: a snapshot of the same database. */
export interface SnapshotHandle {
  /** Number of the newest commit that the snapshot sees. */
  readonly sequence: number
  /** Releases what only this snapshot needs. */
  close(): void
}

/** What an option `sublevel` takes: a sublevel of the same database, or the database itself. */
export interface KeyspaceHandle {
  /** Names of the sublevels from the outermost on; empty: the database's own keyspace. */
  readonly path: readonly string[]
}

/**
 * An iterator over a range, which can be used once. It sees the state of its first step, whatever is written meanwhile.
 * It closes itself at the end, after an error, on `break` and on `return()`. `for await` accepts it, too.
 */
export interface RangeIterator<T> extends IterableIterator<T>, Disposable {
  /** Throws `LIGHTNING_CLOSED`, `LIGHTNING_DECODE`, `LIGHTNING_CORRUPT`, `LIGHTNING_IO`. */
  next(): IteratorResult<T, undefined>
  /** Closes the iterator; every later step is at the end. */
  return(): IteratorResult<T, undefined>
  /** Itself, so that `for` takes it. */
  [Symbol.iterator](): RangeIterator<T>
}

/**
 * Reads of one keyspace. Throw `LIGHTNING_CORRUPT` and `LIGHTNING_IO`, and where values come out `LIGHTNING_DECODE`. `S`
 * is what their option `snapshot` takes; `never`: they do not have it.
 */
export interface Reads<K, V, S = SnapshotHandle | undefined> {
  /** The value, or `undefined` when the key is missing. */
  get<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE, S>
  ): ValueIn<V, VE> | undefined
  /** The values of all keys, in their order, `undefined` for those that are missing. */
  getMany<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: ReadOptions<KE, VE, S>
  ): (ValueIn<V, VE> | undefined)[]
  /** Whether the key is there. */
  has<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE, S>
  ): boolean
  /**
   * Shows the stored bytes of a value to `callback` without allocating, and returns its result; `undefined` when the
   * key is missing. The bytes are valid only inside the callback. It may read; a write inside it, or a promise
   * returned from it, is `LIGHTNING_INVALID_ARGUMENT`. What it throws passes unchanged.
   */
  read<R, KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    callback: (bytes: Uint8Array) => R,
    options?: ReadOptions<KE, VE, S>
  ): R | undefined
  /** Number of keys in the range. */
  count<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE, S>
  ): number
  /** Pairs of key and value, in the order of the keys. */
  entries<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE, S>
  ): RangeIterator<[KeyIn<K, KE>, ValueIn<V, VE>]>
  /** Keys in their order. */
  keys<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE, S>
  ): RangeIterator<KeyIn<K, KE>>
  /** Values in the order of their keys. */
  values<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE, S>
  ): RangeIterator<ValueIn<V, VE>>
}

/** One operation of a batch. If it names a sublevel or encodings, its key and value have other types. */
export type BatchOperation<K, V> = PutOperation<K, V> | DelOperation<K> | ForeignPutOperation | ForeignDelOperation

/** Stores a value. */
export interface PutOperation<K, V> {
  /** Tells the operations apart. */
  readonly type: 'put'
  /** Of the keyspace that `batch` is called on. */
  readonly key: K
  /** Copied before the call returns. */
  readonly value: V
  /** With one it is a `ForeignPutOperation`. */
  readonly sublevel?: undefined
  /** With one it is a `ForeignPutOperation`. */
  readonly keyEncoding?: undefined
  /** With one it is a `ForeignPutOperation`. */
  readonly valueEncoding?: undefined
}

/** Removes a key. */
export interface DelOperation<K> {
  /** Tells the operations apart. */
  readonly type: 'del'
  /** Of the keyspace that `batch` is called on. */
  readonly key: K
  /** With one it is a `ForeignDelOperation`. */
  readonly sublevel?: undefined
  /** With one it is a `ForeignDelOperation`. */
  readonly keyEncoding?: undefined
  /** With one it is a `ForeignDelOperation`. */
  readonly valueEncoding?: undefined
}

/** Where an operation applies that is not for the keyspace, or not in the encodings, of its batch. */
export interface ForeignKeyspace extends EncodingOptions {
  /** The keyspace, if it is not the one that `batch` is called on. Then the encodings of this keyspace count. */
  readonly sublevel?: KeyspaceHandle | undefined
}

/** Stores a value in another sublevel, or with other encodings. */
export type ForeignPutOperation = ForeignKeyspace & {
  /** Tells the operations apart. */
  readonly type: 'put'
  /** As the encoding that counts takes it. */
  readonly key: unknown
  /** As the encoding that counts takes it; copied before the call returns. */
  readonly value: unknown
} & Foreign

/** Removes a key from another sublevel, or with other encodings. */
export type ForeignDelOperation = ForeignKeyspace & {
  /** Tells the operations apart. */
  readonly type: 'del'
  /** As the encoding that counts takes it. */
  readonly key: unknown
} & Foreign

type Foreign =
  | { readonly sublevel: KeyspaceHandle }
  | { readonly keyEncoding: NonNullable<KeyEncodingChoice> }
  | { readonly valueEncoding: NonNullable<ValueEncodingChoice> }

/** The writes of one keyspace that return promises. Clients have only these. */
export interface AwaitedWrites<K, V> {
  /** Stores a value. Key and value are copied before the call returns. */
  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  /** Removes a key. It is no error if there is none. */
  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  /** Applies all operations, in order, or none. They may span sublevels of the database. */
  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): Promise<void>
  /** Removes all keys in the range, as one write. Sublevels are left alone. */
  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): Promise<void>
}

/**
 * Writes of one keyspace. A write is visible to reads as soon as the call returns. Its promise resolves, and its
 * `…Sync` form returns, when it is as durable as the option `durability` asks. If it cannot be made durable, it rejects
 * and the write is gone from reads again. They reject with `LIGHTNING_READ_ONLY`, `LIGHTNING_DISK_FULL`,
 * `LIGHTNING_FAILED`, `LIGHTNING_IO`, `LIGHTNING_CORRUPT` and `LIGHTNING_OUT_OF_MEMORY`.
 */
export interface Writes<K, V> extends AwaitedWrites<K, V> {
  /** `put` that is durable when it returns. */
  putSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** `del` that is durable when it returns. */
  delSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** `batch` that is durable when it returns. */
  batchSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): void
  /** `clear` that is durable when it returns. */
  clearSync<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): void
}

/**
 * An ordered set of keys with their values, and the sublevels below it. `DK` and `DV` are the keys and values of the
 * database itself.
 */
export interface Keyspace<K, V, DK = unknown, DV = unknown> extends Reads<K, V>, Writes<K, V>, KeyspaceHandle {
  /**
   * The keyspace `name` below this one. The handle is only a name: the sublevel exists from its first write on.
   * Encodings that are not given are those of the database, not those of this keyspace.
   */
  sublevel<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    name: string,
    options?: EncodingOptions<KE, VE>
  ): Sublevel<KeyIn<DK, KE>, ValueIn<DV, VE>, DK, DV>
  /** The same, with the types of keys and values given. */
  sublevel<SK, SV = unknown>(name: string, options?: EncodingOptions): Sublevel<SK, SV, DK, DV>
  /** Names of the sublevels directly below, in the order of their bytes. */
  sublevels(options?: { readonly snapshot?: SnapshotHandle | undefined }): string[]
  /** Removes the sublevel `name` and those inside it as one write. Open snapshots still see it. */
  dropSublevel(name: string): Promise<void>
  /** `dropSublevel` that is durable when it returns. */
  dropSublevelSync(name: string): void
}

/**
 * A keyspace below the root of a database. `DK` and `DV` are the keys and values of the database itself, which
 * sublevels inside this one have if they name no encodings. They may be left out where there are no such sublevels.
 */
export interface Sublevel<K, V, DK = unknown, DV = unknown> extends Keyspace<K, V, DK, DV> {
  /** The last name of `path`. */
  readonly name: string
}

/**
 * The state of the whole database after one commit. While it is open, it keeps the space of old pages in use, so close
 * it. If a rollback takes away what it could see, every use is `LIGHTNING_CLOSED` with the cause.
 */
export interface Snapshot<K, V> extends Reads<K, V, never>, SnapshotHandle, Disposable {
  /** The same state of a sublevel of the same database. */
  sublevel<SK, SV>(sublevel: Sublevel<SK, SV>): Reads<SK, SV, never>
  /** Ends the snapshot; every later use is `LIGHTNING_CLOSED`. May be called again. */
  close(): void
}

/** Options of the long operations. */
export interface CareOptions {
  /** Ends the operation with `LIGHTNING_ABORTED`. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `verify` and `compact`. */
export interface ProgressOptions extends CareOptions {
  /** Is called now and then with the progress. What it throws ends the operation and is passed on unchanged. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Events of a database, and what their listeners get. */
export type DatabaseEvents = EngineEvents

/** Calls that concern a database as a whole, here or through a client. */
export interface Care {
  /** Absolute path of the directory, or `:memory:`. */
  readonly location: string
  /** Resolves when everything written before is on stable storage, whatever `durability` says. */
  flush(): Promise<void>
  /** Folds the log into the pages. */
  checkpoint(options?: CareOptions): Promise<void>
  /** Reads every page and checks structure, order and checksums. Damage is reported in `problems`, not thrown. */
  verify(options?: ProgressOptions): Promise<VerifyReport>
  /** Gives space back to the file system while reads and writes go on. */
  compact(options?: ProgressOptions): Promise<void>
  /** Writes a copy of the present state into the directory `destination`, while reads and writes go on. */
  backup(destination: string, options?: CareOptions): Promise<void>
  /**
   * Calls `listener` at every such event, until the returned function is called. The listener may read and write: it is
   * called between commits, and before the promise concerned settles. What it throws goes to the logger. For a client,
   * `'closing'` is its own `close`.
   */
  on<E extends keyof DatabaseEvents>(event: E, listener: (detail: DatabaseEvents[E]) => void): () => void
}

/** An open database; its own keys and values are those of the root keyspace. */
export interface Database<K, V> extends Keyspace<K, V, K, V>, Transactional<K, V>, Care, AsyncDisposable {
  /** Keeps the present state for reading, until the snapshot is closed. */
  snapshot(): Snapshot<K, V>
  /** Number of the newest commit, counting from 1; 0: there is none yet. */
  sequence(): number
  /** `flush` that is done when it returns. */
  flushSync(): void
  /** Counters and sizes, as plain numbers. */
  stats(): EngineStats
  /** The state of every page. Takes time in proportion to their number. */
  pageMap(): PageMap
  /**
   * Waits until everything is durable, rolls open transactions back, ends snapshots and iterators, and releases the
   * files and the lock, even if it rejects. May be called again.
   */
  close(): Promise<void>
}
