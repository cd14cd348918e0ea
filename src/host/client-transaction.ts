// A client's transaction. One that is simply dropped is rolled back by the garbage collector.

import { asyncDispose } from '../db/disposal.ts'
import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from '../db/encoding-types.ts'
import { checkForUpdate } from '../db/transaction-options.ts'
import type { ForUpdateOptions, Isolation, TransactionSavepoint } from '../db/transaction-types.ts'
import { abortError, describe, invalidArgument } from '../encoding/failure.ts'
import { nothing, RemoteWrites, unavailable } from './client-keyspace.ts'
import type { ClientPlace } from './client-session.ts'
import { cancellable } from './cancellation.ts'
import { ask, Asked } from './scope.ts'
import type { TransactionScope } from './transaction-scope.ts'
import type { ClientSublevel, ClientTransaction, ClientTransactionKeyspace } from './types.ts'
import { operation } from './wire.ts'

/** One keyspace in a client's transaction. */
class RemoteTransactionKeyspace<K, V> extends RemoteWrites<K, V> implements ClientTransactionKeyspace<K, V> {
  protected readonly open: TransactionScope

  constructor(place: ClientPlace, open: TransactionScope, owner: unknown) {
    super(place, open, owner)
    this.open = open
  }

  getForUpdate<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
  getForUpdate(key: unknown, options?: unknown): Promise<unknown> {
    return this.open.promise<unknown>((resolve, reject) => {
      const { keyEncoding, valueEncoding, timeoutMs, signal } = checkForUpdate(this.place, options)
      const encoded = this.place.session.fields.encode(keyEncoding, key)
      this.open.check()
      if (signal?.aborted === true) throw abortError(signal, 'getForUpdate: the signal has fired.')
      const asked = new Asked('conflict', resolve, reject, value => this.decode(value, valueEncoding))
      const fields = [this.open.at, this.place.tree.path, encoded, timeoutMs]
      this.open.send(operation.getForUpdate, fields, cancellable(signal, asked))
    })
  }

  protected override checkWritable(): void {
    super.checkWritable()
    this.open.hasWritten = true
  }
}

/** Where a transaction's writes can be taken back to. */
class RemoteSavepoint implements TransactionSavepoint {
  readonly number: number
  readonly scope: TransactionScope

  constructor(number: number, scope: TransactionScope) {
    this.number = number
    this.scope = scope
  }
}

export class RemoteTransaction<K, V> extends RemoteTransactionKeyspace<K, V> implements ClientTransaction<K, V> {
  readonly commitSync = unavailable('commit')

  constructor(place: ClientPlace, open: TransactionScope) {
    super(place, open, undefined)
    place.session.watch(this, { close: () => open.rollback() })
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

  sublevel<SK, SV>(sublevel: ClientSublevel<SK, SV>): ClientTransactionKeyspace<SK, SV>
  sublevel(sublevel: unknown): ClientTransactionKeyspace<unknown, unknown> {
    const place = this.place.session.placeOf(sublevel, "the transaction's sublevel()")
    this.open.check()
    return new RemoteTransactionKeyspace<unknown, unknown>(place, this.open, this)
  }

  savepoint(): TransactionSavepoint {
    return new RemoteSavepoint(this.open.savepoint(), this.open)
  }

  rollbackTo(savepoint: TransactionSavepoint): Promise<void>
  rollbackTo(savepoint: unknown): Promise<void> {
    const prepare = () => {
      this.open.check()
      if (savepoint instanceof RemoteSavepoint && savepoint.scope === this.open) {
        return [this.open.at, savepoint.number]
      }
      throw invalidArgument(`rollbackTo: pass a savepoint() of this transaction; got ${describe(savepoint)}.`)
    }
    return ask(this.open, operation.rollbackTo, 'conflict', prepare, nothing)
  }

  commit(): Promise<void> {
    this.unwatch()
    return this.open.commit(this.place.session.loan)
  }

  rollback(): Promise<void> {
    this.unwatch()
    return this.open.end()
  }

  /** Its end is seen to, whatever becomes of the handle. */
  unwatch(): void {
    this.place.session.unwatch(this)
  }

  [asyncDispose](): Promise<void> {
    return this.rollback()
  }
}
