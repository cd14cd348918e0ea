// Transactions, as types that an implementation elsewhere can satisfy too.

import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import type { BatchOperation, ClearOptions, Reads, Sublevel } from './types.ts'

/**
 * What a transaction is protected from. `'serializable'` (the default): the outcome is one that transactions running one
 * after the other could have. `'snapshot'`: it sees one state, and of two that write a key the second one fails.
 * `'read-committed'`: every call sees the newest commit, and only locks protect.
 */
export type Isolation = 'serializable' | 'snapshot' | 'read-committed'

/** Options of `begin`. */
export interface BeginOptions {
  /** Default `'serializable'`. */
  readonly isolation?: Isolation | undefined
  /** Bounds the waits for locks, in milliseconds: 0 does not wait, `Infinity` waits on (default: option of `open`). */
  readonly lockTimeoutMs?: number | undefined
}

/** Options of `transaction`. */
export interface TransactionOptions extends BeginOptions {
  /** How often the body runs again after conflicts and deadlocks (default 10: up to 11 attempts). */
  readonly retries?: number | undefined
  /** Bounds all attempts together, in milliseconds: `LIGHTNING_TIMEOUT`, and the body's transaction is rolled back. */
  readonly timeoutMs?: number | undefined
  /** Rolls the transaction back: `LIGHTNING_ABORTED`. */
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
  /** Bounds the wait for the lock, in milliseconds: 0 does not wait (default: that of the transaction). */
  readonly lockTimeoutMs?: number | undefined
  /** Ends the wait with `LIGHTNING_ABORTED`; the transaction stays open. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One keyspace inside a transaction. Reads see the transaction's own writes and never wait; an iterator sees those made
 * before its first step. Writes are seen by nobody else until the commit. After the end every use is `LIGHTNING_CLOSED`;
 * the first use of a transaction that was ended from outside says why: `LIGHTNING_CONFLICT` when what it saw was taken
 * back, `LIGHTNING_TIMEOUT` when it is older than the option `maxSnapshotAgeMs` allows.
 */
export interface TransactionKeyspace<K, V> extends Omit<Reads<K, V>, 'read'> {
  /**
   * Takes the key's lock for the transaction, waiting for it if need be, and gives its value. Locks are given in the order
   * in which they were asked for. As the first read it takes the snapshot after the lock; later, a version newer than the
   * snapshot is `LIGHTNING_CONFLICT`. At read-committed it gives the newest value. `LIGHTNING_DEADLOCK` and
   * `LIGHTNING_CONFLICT` have rolled back; `LIGHTNING_TIMEOUT` and `LIGHTNING_ABORTED` leave the transaction open.
   */
  getForUpdate<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
  /** Stores a value. What is passed is copied before the call returns. */
  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** Removes a key; that it is missing is no error. */
  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): void
  /** All operations, in their order, or none; they may span the sublevels of the database. */
  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): void
  /** Removes the keys in the range that the transaction sees. */
  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): void
}

/** Where the writes of a transaction can be taken back to: `rollbackTo`. */
export interface TransactionSavepoint {
  /** Counts from 1 within the transaction. */
  readonly number: number
}

/**
 * A transaction over the whole database; its own keys and values are those of the root keyspace. `using` and
 * `await using` roll back what is still open, and so does the garbage collector.
 */
export interface Transaction<K, V> extends TransactionKeyspace<K, V>, Disposable, AsyncDisposable {
  /** Number of the transaction, which messages use; the later begun, the greater. */
  readonly id: number
  /** Which attempt of `transaction` this is, counting from 1. */
  readonly attempt: number
  /** As it was begun with. */
  readonly isolation: Isolation
  /** Whether it can still be used. */
  readonly isOpen: boolean
  /** A sublevel of the same database inside the transaction. */
  sublevel<SK, SV>(sublevel: Sublevel<SK, SV>): TransactionKeyspace<SK, SV>
  /** Marks the writes made until now. */
  savepoint(): TransactionSavepoint
  /** Takes back the writes made since. What was read still counts, and locks stay. */
  rollbackTo(savepoint: TransactionSavepoint): void
  /**
   * Makes the writes visible, all at once, and resolves when they, and in strict mode everything that the transaction
   * could see, are durable. Waits for the locks that others hold of the keys written. Rejects with `LIGHTNING_CONFLICT`,
   * `LIGHTNING_DEADLOCK`, `LIGHTNING_TIMEOUT` and as writes do; then it has rolled back.
   */
  commit(): Promise<void>
  /** `commit` that has been done when it returns; `LIGHTNING_CONFLICT` where that would wait for a lock. */
  commitSync(): void
  /** Undoes everything. May be called again. */
  rollback(): void
}

/** What runs transactions. */
export interface Transactional<K, V> {
  /**
   * Runs `body` in a transaction and commits. When the transaction loses, by conflict or deadlock, the body runs again in
   * a new one after a short pause, whatever it threw or swallowed. Anything else that it throws rolls back and passes
   * through. Nothing but calls on the transaction it is given belongs to it: `db.put` inside acts outside.
   *
   * Rejects with `LIGHTNING_CONFLICT` or `LIGHTNING_DEADLOCK` after the last attempt, `LIGHTNING_TIMEOUT`,
   * `LIGHTNING_ABORTED`, and as `commit` does.
   */
  transaction<R>(body: (tx: Transaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  /**
   * `transaction` for a body that does not wait: it is committed, once, before the call returns. A promise as its result
   * and `getForUpdate` inside are `LIGHTNING_INVALID_ARGUMENT`.
   */
  transactionSync<R>(body: (tx: Transaction<K, V>) => R, options?: SyncTransactionOptions): R
  /** Begins a transaction at the state of now. Commit it or roll it back. */
  begin(options?: BeginOptions): Transaction<K, V>
}
