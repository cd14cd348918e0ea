// The public interface of clients, which `connect` returns: the methods of `Database` as promises. Code that always
// writes `await db.get(k)` and `for await (… of db.entries())` runs on both.
//
// Every promise may reject as in `Database`, with `LIGHTNING_INVALID_ARGUMENT` (then no request was sent), and with
// `LIGHTNING_OWNER_LOST` when the owner of the database has ended or does not answer any more.

import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from '../db/encoding-types.ts'
import type { RangeOptions } from '../db/range.ts'
import type {
  BeginOptions,
  ForUpdateOptions,
  Isolation,
  TransactionOptions,
  TransactionSavepoint
} from '../db/transaction-types.ts'
import type { AwaitedWrites, Care, KeyspaceHandle } from '../db/types.ts'
import type { EngineStats, PageMap } from '../engine/engine.ts'

/** What an option `snapshot` of a client takes: a snapshot of the same client. */
export interface ClientSnapshotHandle {
  /** Number of the newest commit that the snapshot sees. */
  readonly sequence: number
  /** Lets go of what only this snapshot needs. */
  close(): Promise<void>
}

/** Options of a client's reads. `S` is what `snapshot` takes: `never` in snapshots and transactions. */
export interface ClientReadOptions<
  KE extends KeyEncodingChoice = KeyEncodingChoice,
  VE extends ValueEncodingChoice = ValueEncodingChoice,
  S = ClientSnapshotHandle | undefined
> extends EncodingOptions<KE, VE> {
  /** Reads the state that this snapshot keeps; absent: the newest. */
  readonly snapshot?: S
}

/** Options of a client's reads on ranges: the range, and those of reads. */
export type ClientRangeReadOptions<
  K,
  KE extends KeyEncodingChoice,
  VE extends ValueEncodingChoice,
  S = ClientSnapshotHandle | undefined
> = RangeOptions<KeyIn<K, KE>> & ClientReadOptions<KE, VE, S>

/** Options of a client's iterators: the range, those of reads, and a signal. */
export type ClientIteratorOptions<
  K,
  KE extends KeyEncodingChoice,
  VE extends ValueEncodingChoice,
  S = ClientSnapshotHandle | undefined
> = ClientRangeReadOptions<K, KE, VE, S> & {
  /** Ends the iterator: its next step rejects with `LIGHTNING_ABORTED`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * An iterator over a range, usable once. It sees the state at its first step, asks for rows ahead of need but never for
 * many, and closes itself at the end, after an error, on `break` and on `return()`. Steps may overlap; they are
 * answered in order.
 */
export interface ClientIterator<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Rejects with `LIGHTNING_CLOSED`, `LIGHTNING_DECODE`, `LIGHTNING_CORRUPT`, `LIGHTNING_IO`, `LIGHTNING_ABORTED`. */
  next(): Promise<IteratorResult<T, undefined>>
  /** Closes it; every later step is the end. */
  return(): Promise<IteratorResult<T, undefined>>
  /** Itself, so that `for await` takes it. */
  [Symbol.asyncIterator](): ClientIterator<T>
}

/** A client's reads of one keyspace. `S` is what their option `snapshot` takes; `never`: they do not have it. */
export interface ClientReads<K, V, S = ClientSnapshotHandle | undefined> {
  /** The value, or `undefined` when the key is missing. */
  get<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ClientReadOptions<KE, VE, S>
  ): Promise<ValueIn<V, VE> | undefined>
  /** The values of all keys, in their order, `undefined` for those that are missing. */
  getMany<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: ClientReadOptions<KE, VE, S>
  ): Promise<(ValueIn<V, VE> | undefined)[]>
  /** Whether the key is there. */
  has<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ClientReadOptions<KE, VE, S>
  ): Promise<boolean>
  /**
   * Shows a copy of the stored bytes of a value to `callback` and gives its result; `undefined` when the key is
   * missing. It may read; a write inside it, or a promise returned from it, is `LIGHTNING_INVALID_ARGUMENT`. What it
   * throws passes unchanged.
   */
  read<R, KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    callback: (bytes: Uint8Array) => R,
    options?: ClientReadOptions<KE, VE, S>
  ): Promise<R | undefined>
  /** Number of keys in the range. */
  count<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientRangeReadOptions<K, KE, VE, S>
  ): Promise<number>
  /** Pairs of key and value, in the order of the keys. */
  entries<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE, S>
  ): ClientIterator<[KeyIn<K, KE>, ValueIn<V, VE>]>
  /** Keys in their order. */
  keys<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE, S>
  ): ClientIterator<KeyIn<K, KE>>
  /** Values in the order of their keys. */
  values<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE, S>
  ): ClientIterator<ValueIn<V, VE>>
}

/** What cannot be had from another thread: throws `LIGHTNING_UNAVAILABLE`. */
export type Unavailable = (...parameters: readonly unknown[]) => never

/**
 * A client's writes to one keyspace. They take effect in call order, awaited or not, and resolve as the client's own
 * option `durability` asks. One whose owner died before it answered rejects with `LIGHTNING_OWNER_LOST`: whether it was
 * made is not known, and it is not repeated.
 */
export type ClientWrites<K, V> = AwaitedWrites<K, V>

/** A keyspace of a client; `DK` and `DV` are the keys and values of its database itself. */
export interface ClientKeyspace<K, V, DK = unknown, DV = unknown>
  extends ClientReads<K, V>,
    ClientWrites<K, V>,
    KeyspaceHandle {
  /** Use `put`. */
  readonly putSync: Unavailable
  /** Use `del`. */
  readonly delSync: Unavailable
  /** Use `batch`. */
  readonly batchSync: Unavailable
  /** Use `clear`. */
  readonly clearSync: Unavailable
  /** Use `dropSublevel`. */
  readonly dropSublevelSync: Unavailable
  /** As in `Database`. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  sublevel<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    name: string,
    options?: EncodingOptions<KE, VE>
  ): ClientSublevel<KeyIn<DK, KE>, ValueIn<DV, VE>, DK, DV>
  /** The same, the types of its keys and values being given. */
  sublevel<SK, SV = unknown>(name: string, options?: EncodingOptions): ClientSublevel<SK, SV, DK, DV>
  /** Names of the sublevels directly below, in the order of their bytes. */
  sublevels(options?: { readonly snapshot?: ClientSnapshotHandle | undefined }): Promise<string[]>
  /** Removes the sublevel `name` and those inside it as one write. Open snapshots still see it. */
  dropSublevel(name: string): Promise<void>
}

/** A keyspace below the root of a client's database. */
export interface ClientSublevel<K, V, DK = unknown, DV = unknown> extends ClientKeyspace<K, V, DK, DV> {
  /** The last of `path`. */
  readonly name: string
}

/** The state of the whole database at one commit. When the owner dies every use is `LIGHTNING_OWNER_LOST`. */
export interface ClientSnapshot<K, V> extends ClientReads<K, V, never>, ClientSnapshotHandle, AsyncDisposable {
  /** The same state of a sublevel of the same client. */
  sublevel<SK, SV>(sublevel: ClientSublevel<SK, SV>): ClientReads<SK, SV, never>
  /** May be called again; every use afterwards is `LIGHTNING_CLOSED`. */
  close(): Promise<void>
}

/**
 * One keyspace inside a client's transaction. A call whose promise nobody has handled when `commit` is called fails the
 * commit if it fails, and is never an unhandled rejection.
 */
export interface ClientTransactionKeyspace<K, V> extends Omit<ClientReads<K, V, never>, 'read'>, ClientWrites<K, V> {
  /** Takes the key's lock for the transaction, waiting for it if need be, and gives its value. */
  getForUpdate<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
}

/** A transaction of a client. When the owner dies it has ended in `LIGHTNING_CONFLICT`. */
export interface ClientTransaction<K, V> extends ClientTransactionKeyspace<K, V>, AsyncDisposable {
  /** Number of the transaction, which messages use; the later begun, the greater. */
  readonly id: number
  /** Which attempt of `transaction` this is, counting from 1. */
  readonly attempt: number
  /** As it was begun with. */
  readonly isolation: Isolation
  /** Whether it can still be used, as far as the client has been told. */
  readonly isOpen: boolean
  /** A sublevel of the same client inside the transaction. Throws `LIGHTNING_CLOSED`. */
  sublevel<SK, SV>(sublevel: ClientSublevel<SK, SV>): ClientTransactionKeyspace<SK, SV>
  /** Marks the writes made until now. Throws `LIGHTNING_CLOSED`. */
  savepoint(): TransactionSavepoint
  /** Takes back the writes made since. What was read still counts, and locks stay. */
  rollbackTo(savepoint: TransactionSavepoint): Promise<void>
  /**
   * Waits for the transaction's earlier calls, rolls back and rejects with the first error among them that nobody has
   * handled, and otherwise commits. Rejects with `LIGHTNING_OWNER_LOST` when the owner died before it answered.
   */
  commit(): Promise<void>
  /** Use `commit`. */
  readonly commitSync: Unavailable
  /** Undoes everything. May be called again. */
  rollback(): Promise<void>
}

/** A client of a database whose engine runs in another thread, process or tab. */
export interface Client<K, V> extends ClientKeyspace<K, V, K, V>, Care, AsyncDisposable {
  /** Keeps the state of now for reading, until it is closed. */
  snapshot(): Promise<ClientSnapshot<K, V>>
  /** Runs `body` in a transaction and commits; see `Database`. The body runs here. */
  transaction<R>(body: (tx: ClientTransaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  /** Use `transaction`. */
  readonly transactionSync: Unavailable
  /** Begins a transaction at the state of now. Commit it or roll it back. */
  begin(options?: BeginOptions): Promise<ClientTransaction<K, V>>
  /** Number of the newest commit; counts from 1, 0 for none yet. */
  sequence(): Promise<number>
  /** Use `flush`. */
  readonly flushSync: Unavailable
  /** Counters and sizes, as plain numbers: those of the owner, so of all clients together. */
  stats(): Promise<EngineStats>
  /** What every page is doing, page by page; takes longer the more there are. */
  pageMap(): Promise<PageMap>
  /**
   * Waits until everything is durable and ends what this client has open. The last client's `close` resolves when the
   * files and the lock are released. May be called again.
   */
  close(): Promise<void>
}
