// Requests about transactions: they begin and end, lock keys, take savepoints.

import { viewEncoding } from '../encoding/bytes-encoding.ts'
import { LightningError } from '../errors.ts'
import type { Savepoint } from '../txn/savepoint.ts'
import type { Transaction } from '../txn/transaction.ts'
import type { Isolation } from '../txn/validation.ts'
import { malformed } from './messages.ts'
import type { Handler, Session } from './session.ts'
import { failureOf, guarded, type HeldTransaction, TransactionFailure } from './session-handles.ts'
import { type Fields, operation } from './wire.ts'

const isolations: readonly Isolation[] = ['serializable', 'snapshot', 'read-committed']

export class SessionTransactions {
  readonly handlers: readonly (readonly [number, Handler])[]
  readonly #session: Session
  readonly #bytes = viewEncoding()
  readonly #savepoints = new WeakMap<HeldTransaction, Map<number, Savepoint>>()

  constructor(session: Session) {
    this.#session = session
    this.handlers = [
      [operation.begin, fields => this.#begin(fields)],
      [operation.getForUpdate, (fields, id) => this.#getForUpdate(fields, id)],
      [operation.savepoint, (fields, id) => this.#savepoint(fields, id)],
      [operation.rollbackTo, (fields, id) => this.#rollbackTo(fields, id)],
      [operation.commit, fields => this.#commit(fields)],
      [operation.rollback, fields => this.#rollback(fields)],
      [operation.forget, fields => void session.handles.takePrevious(fields.number())]
    ]
  }

  #begin(fields: Fields): unknown {
    const { handles, owner } = this.#session
    const handle = fields.number()
    handles.checkNew(handle)
    const name = fields.text()
    const isolation = isolations.find(each => each === name)
    if (isolation === undefined) throw malformed('there is no such isolation')
    const lockTimeoutMs = fields.optionalTimeout()
    const attempt = fields.number()
    const previous = handles.takePrevious(fields.number())
    const isRepeatable = fields.flag()
    const begun = (transaction: Transaction): number => {
      const held = { transaction, isRepeatable, waiting: new Map(), failures: new Map(), hasWritten: false }
      handles.addTransaction(handle, held)
      return transaction.id
    }
    const options = { isolation, lockTimeoutMs, attempt, previous }
    let stop = (): void => undefined
    const transaction = owner.transactions.beginInTurn(options, stopWait => {
      stop = stopWait
    })
    if (!(transaction instanceof Promise)) return begun(transaction)
    return transaction.then(begun).finally(handles.stopAtRelease(() => stop()))
  }

  #getForUpdate(fields: Fields, id: number): unknown {
    const handle = fields.number()
    const tree = this.#session.owner.tree(fields.bytes())
    const key = fields.bytes()
    const timeoutMs = fields.optionalTimeout()
    const held = this.#session.handles.transaction(handle)
    const bytes = this.#bytes
    const view = held.transaction.view(tree, undefined)
    const signal = this.#session.signalFor(id)
    const waiting = held.transaction.getForUpdate(view, key, bytes, bytes, { timeoutMs, signal })
    const done = waiting
      .catch(error => {
        throw failureOf(held, id, error)
      })
      .finally(() => {
        held.waiting.delete(id)
        this.#session.signalDone(id)
      })
    held.waiting.set(id, done)
    return done
  }

  #savepoint(fields: Fields, id: number): unknown {
    const held = this.#session.handles.transaction(fields.number())
    const number = fields.number()
    return guarded(held, id, () => {
      const savepoint = held.transaction.savepoint()
      if (savepoint.number !== number) throw malformed('a savepoint has another number')
      let all = this.#savepoints.get(held)
      if (all === undefined) {
        all = new Map()
        this.#savepoints.set(held, all)
      }
      all.set(number, savepoint)
    })
  }

  #rollbackTo(fields: Fields, id: number): unknown {
    const held = this.#session.handles.transaction(fields.number())
    const number = fields.number()
    return guarded(held, id, () => {
      held.transaction.checkUse()
      const all = this.#savepoints.get(held)
      const savepoint = all?.get(number)
      if (all === undefined || savepoint === undefined) throw goneSavepoint()
      held.transaction.rollbackTo(savepoint)
      for (const later of all.keys()) if (later > number) all.delete(later)
    })
  }

  async #commit(fields: Fields): Promise<void> {
    const handle = fields.number()
    const unhandled = new Set(fields.numbers())
    const { handles } = this.#session
    const held = handles.transaction(handle)
    handles.beginCommit(handle)
    try {
      // Without waiting unless it must: the client's next requests may expect to see the commit.
      if (held.waiting.size > 0) await Promise.allSettled(held.waiting.values())
      await this.#commitNow(held, unhandled)
    } finally {
      handles.endCommit(handle)
    }
  }

  #commitNow(held: HeldTransaction, unhandled: ReadonlySet<number>): Promise<void> {
    for (const [id, error] of held.failures) {
      if (!unhandled.has(id)) continue
      held.transaction.rollback()
      throw new TransactionFailure(error, false)
    }
    return this.#durably(held, held.transaction.commit())
  }

  async #durably(held: HeldTransaction, committing: Promise<void>): Promise<void> {
    const { engine } = this.#session.owner
    const seen = engine.isClosed ? 0 : engine.sequence
    try {
      await committing
      if (!this.#session.isStrict) {
        if (held.hasWritten) this.#session.owner.syncSoon()
        return
      }
      // What it wrote must be durable, or, if it wrote nothing, everything that it can have seen.
      await engine.durable(held.hasWritten ? undefined : seen)
    } catch (error) {
      if (held.hasWritten || !held.transaction.isApplied) throw new TransactionFailure(error, false)
      const message =
        'What the transaction saw was taken back because it could not be made durable. Run it again, or let ' +
        'db.transaction() do so.'
      throw new TransactionFailure(new LightningError('LIGHTNING_CONFLICT', message, { cause: error }), false)
    }
  }

  #rollback(fields: Fields): unknown {
    const handle = fields.number()
    const { handles } = this.#session
    handles.find(handle)?.transaction.rollback()
    handles.endTransaction(handle)
    return undefined
  }
}

function goneSavepoint(): LightningError {
  return new LightningError(
    'LIGHTNING_INVALID_ARGUMENT',
    'rollbackTo: pass a savepoint of this transaction that was not undone itself.'
  )
}
