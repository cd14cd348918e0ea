// Requests that write, directly or inside a transaction. Direct writes are answered together with all others that share
// a sync.

import { viewEncoding } from '../encoding/bytes-encoding.ts'
import { inOperation } from '../encoding/failure.ts'
import type { KeyOperation } from '../engine/engine.ts'
import { malformed } from './messages.ts'
import { answersLater, type Handler, type Session } from './session.ts'
import { guarded, type HeldTransaction } from './session-handles.ts'
import { Fields, operation } from './wire.ts'

/** Requests that are answered together, when the same sync is done. */
interface Group {
  readonly promise: Promise<void>
  readonly ids: number[]
}

export class SessionWrites {
  readonly handlers: readonly (readonly [number, Handler])[]
  readonly #session: Session
  readonly #bytes = viewEncoding()
  #group: Group | undefined

  constructor(session: Session) {
    this.#session = session
    this.handlers = [
      [operation.put, (fields, id) => this.#put(fields, id)],
      [operation.del, (fields, id) => this.#del(fields, id)],
      [operation.batch, (fields, id) => this.#batch(fields, id)],
      [operation.clear, (fields, id) => this.#clear(fields, id)],
      [operation.drop, (fields, id) => this.#drop(fields, id)]
    ]
  }

  #put(fields: Fields, id: number): unknown {
    const at = fields.number()
    const { engine } = this.#session.owner
    const tree = this.#session.owner.tree(fields.bytes())
    const key = fields.bytes()
    const value = fields.bytes()
    const bytes = this.#bytes
    const { isStrict } = this.#session
    return this.#write(
      at,
      id,
      // A client that is answered at once must be told of a failure at once.
      () =>
        isStrict ? engine.putTogether(tree, key, bytes, value, bytes) : engine.put(tree, key, bytes, value, bytes),
      held => held.transaction.view(tree, undefined).put(key, bytes, value, bytes)
    )
  }

  #del(fields: Fields, id: number): unknown {
    const at = fields.number()
    const { engine } = this.#session.owner
    const tree = this.#session.owner.tree(fields.bytes())
    const key = fields.bytes()
    return this.#write(
      at,
      id,
      () => engine.del(tree, key, this.#bytes),
      held => held.transaction.view(tree, undefined).del(key, this.#bytes)
    )
  }

  #batch(fields: Fields, id: number): unknown {
    const at = fields.number()
    const operations = fields.list().map(field => this.#operation(field))
    const { engine } = this.#session.owner
    return this.#write(
      at,
      id,
      () => engine.batch(operations),
      held => applyBatch(held, operations)
    )
  }

  #clear(fields: Fields, id: number): unknown {
    const at = fields.number()
    const { engine } = this.#session.owner
    const tree = this.#session.owner.tree(fields.bytes())
    const range = fields.range()
    return this.#write(
      at,
      id,
      () => engine.clear(tree, range),
      held => held.transaction.view(tree, undefined).clear(range)
    )
  }

  #drop(fields: Fields, id: number): unknown {
    const path = fields.bytes()
    if (path.length === 0) throw malformed('there is no such sublevel')
    this.#session.checkWritable()
    this.#session.owner.engine.drop(path)
    return this.#settle(id)
  }

  #write(at: number, id: number, direct: () => void, inside: (held: HeldTransaction) => void): unknown {
    if (at === 0) {
      this.#session.checkWritable()
      direct()
      return this.#settle(id)
    }
    const held = this.#session.handles.transaction(at)
    return guarded(held, id, () => {
      held.transaction.checkUse()
      this.#session.checkWritable()
      inside(held)
      held.hasWritten = true
    })
  }

  /** Answers when what was written is as durable as the client asks. */
  #settle(id: number): unknown {
    const { owner, isStrict } = this.#session
    if (!isStrict) {
      owner.syncSoon()
      return undefined
    }
    const promise = owner.engine.durable()
    if (this.#group?.promise === promise) {
      this.#group.ids.push(id)
      return answersLater
    }
    const group: Group = { promise, ids: [id] }
    this.#group = group
    this.#session.trackAnswer(
      promise.then(
        () => {
          this.#end(group)
          this.#session.answerAll(group.ids)
        },
        error => {
          this.#end(group)
          for (const each of group.ids) this.#session.answerError(each, error)
        }
      )
    )
    return answersLater
  }

  #end(group: Group): void {
    if (this.#group === group) this.#group = undefined
  }

  #operation(field: unknown): KeyOperation {
    if (!Array.isArray(field)) throw malformed('an operation is not a list')
    const fields = new Fields(field, 0)
    const tree = this.#session.owner.tree(fields.bytes())
    const key = fields.bytes()
    const value = fields.optionalBytes()
    const bytes = this.#bytes
    if (value === undefined) return { type: 'del', tree, key, keyEncoding: bytes }
    return { type: 'put', tree, key, keyEncoding: bytes, value, valueEncoding: bytes }
  }
}

/** All operations or none. */
function applyBatch({ transaction }: HeldTransaction, operations: readonly KeyOperation[]): void {
  transaction.checkWritable()
  const prepared = operations.map((each, i) => {
    const view = transaction.view(each.tree, undefined)
    try {
      return each.type === 'put'
        ? view.preparePut(each.key, each.keyEncoding, each.value, each.valueEncoding)
        : view.prepareDel(each.key, each.keyEncoding)
    } catch (error) {
      throw inOperation(error, i)
    }
  })
  for (const write of prepared) write.view.apply(write)
}
