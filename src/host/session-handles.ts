// A client's open snapshots and transactions, by handle: a number that the client chose.

import type { Snapshot } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import type { Transaction } from '../txn/transaction.ts'
import { malformed } from './messages.ts'
import type { Owner } from './owner.ts'

/** A transaction of a client. */
export interface HeldTransaction {
  readonly transaction: Transaction
  /** Whether another attempt may follow, which takes its age from this one. */
  readonly isRepeatable: boolean
  /** Requests that wait for a lock, by id. */
  readonly waiting: Map<number, Promise<unknown>>
  /** Errors of requests, by id: a commit fails with the first that nobody has handled. */
  readonly failures: Map<number, unknown>
  hasWritten: boolean
}

/** What a read sees. */
export interface View {
  readonly snapshot: Snapshot | undefined
  readonly held: HeldTransaction | undefined
}

const newest: View = { snapshot: undefined, held: undefined }

export class SessionHandles {
  readonly #owner: Owner
  readonly #snapshots = new Map<number, Snapshot>()
  readonly #transactions = new Map<number, HeldTransaction>()
  /** Transactions that are being committed; the commit may still wait for locks. */
  readonly #committing = new Map<number, HeldTransaction>()
  /** Transactions that have ended and may be followed by another attempt. */
  readonly #ended = new Map<number, Transaction>()
  /** End waits of transactions that have not begun yet. */
  readonly #stops = new Set<() => void>()
  #isReleased = false

  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Takes a snapshot; gives its sequence number. */
  takeSnapshot(handle: number): number {
    this.checkNew(handle)
    const snapshot = this.#owner.engine.snapshot()
    this.#snapshots.set(handle, snapshot)
    return snapshot.sequence
  }

  closeSnapshot(handle: number): void {
    this.#snapshots.get(handle)?.close()
    this.#snapshots.delete(handle)
  }

  /**
   * Throws `LIGHTNING_CLOSED` when the client has left meanwhile, and `LIGHTNING_INVALID_ARGUMENT` when it has given the
   * handle to something else; the transaction is rolled back.
   */
  addTransaction(handle: number, held: HeldTransaction): void {
    try {
      if (this.#isReleased) throw ended()
      this.checkNew(handle)
    } catch (error) {
      held.transaction.rollback()
      throw error
    }
    this.#transactions.set(handle, held)
  }

  /** Calls `stop`, which ends a wait, if the client leaves. Call the result when the wait has ended. */
  stopAtRelease(stop: () => void): () => void {
    this.#stops.add(stop)
    return () => void this.#stops.delete(stop)
  }

  /** Throws `LIGHTNING_INVALID_ARGUMENT` for a handle that is in use. */
  checkNew(handle: number): void {
    if (handle === 0 || this.#snapshots.has(handle) || this.find(handle) !== undefined) {
      throw malformed(`the handle ${handle} is in use`)
    }
  }

  /** What the field `at` of a request names; throws `LIGHTNING_CLOSED` when that has ended. */
  view(at: number): View {
    if (at === 0) return newest
    const held = this.#transactions.get(at)
    if (held !== undefined) return { snapshot: undefined, held }
    const snapshot = this.#snapshots.get(at)
    if (snapshot === undefined) throw ended()
    return { snapshot, held: undefined }
  }

  /** A transaction that can still be rolled back: open, or being committed. */
  find(handle: number): HeldTransaction | undefined {
    return this.#transactions.get(handle) ?? this.#committing.get(handle)
  }

  /** Throws `LIGHTNING_CLOSED`. */
  transaction(handle: number): HeldTransaction {
    const held = this.#transactions.get(handle)
    if (held === undefined) throw ended()
    return held
  }

  /** Its commit was asked for. From here on only a rollback is allowed. */
  beginCommit(handle: number): void {
    const held = this.#transactions.get(handle)
    this.endTransaction(handle)
    if (held !== undefined) this.#committing.set(handle, held)
  }

  /** The commit has been made, or has failed. */
  endCommit(handle: number): void {
    this.#committing.delete(handle)
  }

  /** The transaction was committed or rolled back. */
  endTransaction(handle: number): void {
    const held = this.#transactions.get(handle)
    if (held === undefined) return
    this.#transactions.delete(handle)
    if (held.isRepeatable) this.#ended.set(handle, held.transaction)
  }

  /** The attempt before the one that begins, which is forgotten; undefined for 0. */
  takePrevious(handle: number): Transaction | undefined {
    const previous = this.#ended.get(handle)
    this.#ended.delete(handle)
    return previous
  }

  releaseAll(): void {
    this.#isReleased = true
    for (const stop of this.#stops) stop()
    for (const { transaction } of this.#transactions.values()) transaction.rollback()
    for (const { transaction } of this.#committing.values()) transaction.rollback()
    for (const snapshot of this.#snapshots.values()) snapshot.close()
    this.#transactions.clear()
    this.#committing.clear()
    this.#snapshots.clear()
    this.#ended.clear()
  }
}

function ended(): LightningError {
  return new LightningError('LIGHTNING_CLOSED', 'The snapshot or transaction has ended. Take a new one.')
}

/** The error of a request of a transaction, and whether the transaction can still be used. */
export class TransactionFailure {
  readonly error: unknown
  readonly isOpen: boolean

  constructor(error: unknown, isOpen: boolean) {
    this.error = error
    this.isOpen = isOpen
  }
}

/** Runs a request of a transaction. An error is thrown as `TransactionFailure`, and noted for the commit. */
export function guarded<R>(held: HeldTransaction, id: number, run: () => R): R {
  try {
    return run()
  } catch (error) {
    throw failureOf(held, id, error)
  }
}

/** Errors of a transaction that are kept: a client that asks for a lock in a loop could make any number. */
const mostFailures = 10_000

/** Notes the error of a request. */
export function failureOf(held: HeldTransaction, id: number, error: unknown): TransactionFailure {
  const { failures } = held
  failures.set(id, error)
  const [oldest] = failures.size > mostFailures ? failures.keys() : []
  if (oldest !== undefined) failures.delete(oldest)
  return new TransactionFailure(error, held.transaction.isOpen)
}
