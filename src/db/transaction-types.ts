// The public interface of transactions, as types that other implementations can satisfy, too.

import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import type { BatchOperation, ClearOptions, Reads, Sublevel } from './types.ts'

/**
 * How far transactions are isolated from each other. `'serializable'` (default): the outcome is the same as if they had
 * run one after the other. `'snapshot'`: each sees one state, and of two that write the same key the second to commit
 * fails. `'read-committed'`: every call sees the newest commit; only locks protect.
 */
export type Isolation = 'serializable' | 'snapshot' | 'read-committed'

/** Options of `begin`. */
export interface BeginOptions {
  /** Default `'serializable'`. */
  readonly isolation?: Isolation | undefined
  /** Bound for waits for locks, in milliseconds. 0: no wait; `Infinity`: no bound (default: that of `open`). */
  readonly lockTimeoutMs?: number | undefined
}

/** Options of `transaction`. */
export interface TransactionOptions extends BeginOptions {
  /** How often the body runs again after conflicts and deadlocks (default 10: up to 11 attempts). */
  readonly retries?: number | undefined
  /** Bound for all attempts together, in milliseconds. Beyond it: rolled back, and `LIGHTNING_TIMEOUT`. */
  readonly timeoutMs?: number | undefined
  /** When it fires, the transaction is rolled back and rejects with `LIGHTNING_ABORTED`. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `transactionSync`. */
export interface SyncTransactionOptions {
  /** Default `'serializable'`. */
  readonly isolation?: Isolation | undefined
}

/** Options of `getForUpdate`. */
export interface ForUpdateOptions<
  KE extends KeyEncodingChoice = KeyEncodingChoice,
  VE extends ValueEncodingChoice = ValueEncodingChoice
> extends EncodingOptions<KE, VE> {
  /** Bound for the wait for the lock, in milliseconds. 0: no wait (default: that of the transaction). */
  readonly lockTimeoutMs?: number | undefined
  /** Ends the wait with `LIGHTNING_ABORTED`; the transaction stays open. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One keyspace inside a transaction. Reads see the transaction's own writes and never wait; an iterator sees the writes
 * made before its first step. Nobody else sees the writes until the commit. After the transaction's end every use is
 * `LIGHTNING_CLOSED`. If it was not ended by the caller, the first use says why: `LIGHTNING_CONFLICT` when what it saw
 * was rolled back, `LIGHTNING_TIMEOUT` when it is older than the option `maxSnapshotAgeMs` allows.
 */
export interface TransactionKeyspace<K, V> extends Omit<Reads<K, V, never>, 'read'> {
  /**
   * Takes the key's lock for the transaction, waiting for it if necessary, and resolves to the key's value. Locks are
   * granted in the order in which they were asked for. If this is the first read, the snapshot is taken after the lock
   * is granted; later, a value newer than the snapshot is `LIGHTNING_CONFLICT`. At read-committed the newest value is
   * returned. After `LIGHTNING_DEADLOCK` and `LIGHTNING_CONFLICT` the transaction has been rolled back; after
   * `LIGHTNING_TIMEOUT` and `LIGHTNING_ABORTED` it is still open, without the lock.
   */
  getForUpdate<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
  /** Stores a value. Key and value are copied before the call returns. */
  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** Removes a key. It is no error if there is none. */
  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** Applies all operations, in order, or none. They may span sublevels of the database. */
  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): void
  /** Removes those keys in the range that the transaction sees. */
  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): void
}

/** A point to which the writes of a transaction can be undone by `rollbackTo`. */
export interface TransactionSavepoint {
  /** Counts from 1 within the transaction. */
  readonly number: number
}

/**
 * A transaction over the whole database; its own keys and values are those of the root keyspace. `using` and
 * `await using` roll it back if it is still open at the end of the block; so does the garbage collector if it is
 * dropped.
 */
export interface Transaction<K, V> extends TransactionKeyspace<K, V>, Disposable, AsyncDisposable {
  /** Number of the transaction, which error messages use. Later transactions have greater ones. */
  readonly id: number
  /** Which attempt of `transaction` this is, counting from 1. */
  readonly attempt: number
  /** The level with which it was begun. */
  readonly isolation: Isolation
  /** Whether it can still be used. */
  readonly isOpen: boolean
  /** A sublevel of the same database, inside the transaction. */
  sublevel<SK, SV>(sublevel: Sublevel<SK, SV>): TransactionKeyspace<SK, SV>
  /** Marks the present state of the transaction's writes. */
  savepoint(): TransactionSavepoint
  /** Undoes the writes made since the savepoint. What was read since still counts, and locks stay. */
  rollbackTo(savepoint: TransactionSavepoint): void
  /**
   * Makes the writes visible, all at once, and resolves when they are as durable as the option `durability` asks; in
   * strict mode, so is everything that the transaction could see. Waits for locks that others hold on the keys written.
   * Rejects with `LIGHTNING_CONFLICT`, `LIGHTNING_DEADLOCK`, `LIGHTNING_TIMEOUT`, and as writes do; then it has been
   * rolled back.
   */
  commit(): Promise<void>
  /** `commit` that is done when it returns. Throws `LIGHTNING_CONFLICT` where `commit` would wait for a lock. */
  commitSync(): void
  /** Undoes everything. May be called again. */
  rollback(): void
}

/** The ways to run transactions. */
export interface Transactional<K, V> {
  /**
   * Runs `body` in a transaction and commits it. If the transaction loses, by a conflict or a deadlock, the body runs
   * again in a new transaction after a short pause, whatever it threw or caught. Any other exception of the body rolls
   * back and is passed on. Only calls on `tx` belong to the transaction: `db.put` in the body does not.
   *
   * Rejects with `LIGHTNING_CONFLICT` or `LIGHTNING_DEADLOCK` after the last attempt, `LIGHTNING_TIMEOUT`,
   * `LIGHTNING_ABORTED`, and as `commit` does.
   */
  transaction<R>(body: (tx: Transaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  /**
   * `transaction` for a body that does not wait. It runs once and is committed before the call returns. Returning a
   * promise and calling `getForUpdate` are `LIGHTNING_INVALID_ARGUMENT`.
   */
  transactionSync<R>(body: (tx: Transaction<K, V>) => R, options?: SyncTransactionOptions): R
  /** Begins a transaction that sees the present state. Commit it or roll it back. */
  begin(options?: BeginOptions): Transaction<K, V>
}
