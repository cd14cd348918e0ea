// A client's iterators. Rows are sent only as they are asked for, so a client that stops asking costs nothing but the
// state that its iterator holds.

import type { Cursor } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import type { DeferredReads } from '../txn/transaction-cursor.ts'
import { malformed } from './messages.ts'
import { RowSource } from './rows.ts'
import type { Handler, Session } from './session.ts'
import { failureOf, type HeldTransaction } from './session-handles.ts'
import { type Fields, operation } from './wire.ts'

interface OpenIterator {
  readonly rows: RowSource
  readonly generation: number
  readonly held: HeldTransaction | undefined
  /** Rows are sent ahead: a serializable transaction has read only what its client says it has delivered. */
  readonly reads: DeferredReads | undefined
}

export class SessionIterators {
  readonly handlers: readonly (readonly [number, Handler])[]
  readonly #session: Session
  readonly #open = new Map<number, OpenIterator>()

  constructor(session: Session) {
    this.#session = session
    this.handlers = [
      [operation.iterate, (fields, id) => this.#iterate(fields, id)],
      [operation.nextRows, (fields, id) => this.#next(fields, id)],
      [operation.delivered, fields => this.#delivered(fields)]
    ]
  }

  closeAll(): void {
    for (const { rows } of this.#open.values()) rows.close()
    this.#open.clear()
  }

  #iterate(fields: Fields, id: number): unknown {
    const { handles, owner } = this.#session
    const { snapshot, held } = handles.view(fields.number())
    const tree = owner.tree(fields.bytes())
    const range = fields.range()
    const keysOnly = fields.flag()
    const iterator = fields.number()
    const mostRows = fields.number()
    if (iterator === 0 || this.#open.has(iterator)) throw malformed(`the iterator ${iterator} is in use`)
    const { engine } = owner
    let cursor: Cursor
    let reads: DeferredReads | undefined
    if (held === undefined) cursor = engine.cursor(tree, snapshot, range, keysOnly)
    else {
      try {
        const deferred = held.transaction.view(tree, undefined).deferredCursor(range, keysOnly)
        cursor = deferred
        reads = deferred
      } catch (error) {
        throw failureOf(held, id, error)
      }
    }
    const rows = new RowSource(cursor, keysOnly)
    this.#open.set(iterator, { rows, generation: engine.generation, held, reads })
    return this.#take(iterator, mostRows, id)
  }

  #next(fields: Fields, id: number): unknown {
    const iterator = fields.number()
    return this.#take(iterator, fields.number(), id)
  }

  #take(iterator: number, mostRows: number, id: number): unknown {
    const open = this.#open.get(iterator)
    if (open === undefined) throw new LightningError('LIGHTNING_CLOSED', 'The iterator has ended. Make a new one.')
    try {
      const { engine } = this.#session.owner
      if (open.held === undefined && engine.generation !== open.generation) throw takenBack(engine.rollbackCause)
      const rows = open.rows.take(mostRows)
      // In a transaction it stays open until the client reports that it has come to the end (`#delivered`).
      if (open.rows.isDone && open.reads === undefined) this.#open.delete(iterator)
      return [rows, open.rows.isDone]
    } catch (error) {
      this.#end(iterator)
      throw open.held === undefined ? error : failureOf(open.held, id, error)
    }
  }

  #delivered(fields: Fields): undefined {
    const iterator = fields.number()
    const lastKey = fields.optionalBytes()
    const isExhausted = fields.flag()
    const ends = fields.flag()
    const open = this.#open.get(iterator)
    open?.reads?.noteDelivered(lastKey, isExhausted)
    if (ends) this.#end(iterator)
  }

  #end(iterator: number): void {
    this.#open.get(iterator)?.rows.close()
    this.#open.delete(iterator)
  }
}

function takenBack(cause: unknown): LightningError {
  const message = 'What the iterator saw was taken back because it could not be made durable. Start a new one.'
  return new LightningError('LIGHTNING_CLOSED', message, { cause })
}
