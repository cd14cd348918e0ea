import { describe, invalidArgument } from '../encoding/failure.ts'
import { Savepoint } from '../txn/savepoint.ts'
import type { Transaction as OpenTransaction } from '../txn/transaction.ts'
import { asyncDispose, dispose } from './disposal.ts'
import type { Place } from './session.ts'
import { LocalTransactionKeyspace } from './transaction-keyspace.ts'
import type { Isolation, Transaction, TransactionKeyspace, TransactionSavepoint } from './transaction-types.ts'
import type { Sublevel } from './types.ts'

/** A transaction on an engine in this thread. One that is simply dropped is rolled back by the garbage collector. */
export class LocalTransaction<K, V> extends LocalTransactionKeyspace<K, V> implements Transaction<K, V> {
  /** Managed by `YoungHandles`. */
  youngPlace = 0
  #isWatched = false

  constructor(place: Place, transaction: OpenTransaction) {
    super(place, transaction, undefined)
    // One whose body cannot wait ends with the call.
    if (!transaction.isSynchronous) place.session.young.add(this)
  }

  get id(): number {
    return this.open.id
  }

  get attempt(): number {
    return this.open.attempt
  }

  get isolation(): Isolation {
    return this.open.isolation
  }

  get isOpen(): boolean {
    return this.open.isOpen
  }

  /** Has the garbage collector roll it back when nobody has a way to it any more. */
  watch(): void {
    this.#isWatched = true
    this.place.session.watch(this, this.open)
  }

  sublevel<SK, SV>(sublevel: Sublevel<SK, SV>): TransactionKeyspace<SK, SV>
  sublevel(sublevel: unknown): TransactionKeyspace<unknown, unknown> {
    const place = this.place.session.placeOf(sublevel, "the transaction's sublevel()")
    this.open.checkUse()
    return new LocalTransactionKeyspace<unknown, unknown>(place, this.open, this)
  }

  savepoint(): TransactionSavepoint {
    return this.open.savepoint()
  }

  rollbackTo(savepoint: TransactionSavepoint): void
  rollbackTo(savepoint: unknown): void {
    if (!(savepoint instanceof Savepoint)) {
      throw invalidArgument(`rollbackTo: pass a savepoint() of this transaction; got ${describe(savepoint)}.`)
    }
    this.open.rollbackTo(savepoint)
  }

  commit(): Promise<void> {
    this.unwatch()
    return this.open.commit()
  }

  commitSync(): void {
    this.unwatch()
    this.open.commitSync()
  }

  rollback(): void {
    this.unwatch()
    this.open.rollback()
  }

  [dispose](): void {
    this.rollback()
  }

  async [asyncDispose](): Promise<void> {
    this.rollback()
  }

  /** Its end is seen to, whatever becomes of the handle. */
  unwatch(): void {
    const { session } = this.place
    if (!this.#isWatched) {
      session.young.remove(this)
      return
    }
    this.#isWatched = false
    session.unwatch(this)
  }
}
