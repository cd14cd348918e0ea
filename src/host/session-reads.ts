// Requests that read single keys and count ranges.

import { viewEncoding } from '../encoding/bytes-encoding.ts'
import type { ByteRange } from '../engine/bounds.ts'
import type { Snapshot, Tree } from '../engine/engine.ts'
import { countInSlices } from './session-count.ts'
import { malformed } from './messages.ts'
import type { Handler, Session } from './session.ts'
import { guarded } from './session-handles.ts'
import { type Fields, operation } from './wire.ts'

export class SessionReads {
  readonly handlers: readonly (readonly [number, Handler])[]
  readonly #session: Session
  readonly #bytes = viewEncoding()

  constructor(session: Session) {
    this.#session = session
    this.handlers = [
      [operation.get, (fields, id) => this.#get(fields, id)],
      [operation.getMany, (fields, id) => this.#getMany(fields, id)],
      [operation.has, (fields, id) => this.#has(fields, id)],
      [operation.count, (fields, id) => this.#count(fields, id)],
      [operation.names, fields => this.#names(fields)],
      [operation.snapshot, fields => session.handles.takeSnapshot(fields.number())],
      [operation.closeSnapshot, fields => session.handles.closeSnapshot(fields.number())],
      [operation.sequence, () => session.owner.engine.sequence]
    ]
  }

  #get(fields: Fields, id: number): unknown {
    const at = fields.number()
    const path = fields.bytes()
    return this.#read(at, path, fields.bytes(), id)
  }

  #getMany(fields: Fields, id: number): unknown {
    const at = fields.number()
    const path = fields.bytes()
    const keys = fields.list().map(key => {
      if (!(key instanceof Uint8Array)) throw malformed('a key is not a byte string')
      return key
    })
    const { held } = this.#session.handles.view(at)
    if (keys.length === 0) held?.transaction.checkUse()
    return keys.map(key => this.#read(at, path, key, id))
  }

  #read(at: number, path: Uint8Array, key: Uint8Array, id: number): unknown {
    const { handles, owner } = this.#session
    const { snapshot, held } = handles.view(at)
    const tree = owner.tree(path)
    if (held === undefined) return owner.engine.get(tree, snapshot, key, this.#bytes, this.#bytes)
    return guarded(held, id, () => held.transaction.view(tree, undefined).get(key, this.#bytes, this.#bytes))
  }

  #has(fields: Fields, id: number): unknown {
    const { handles, owner } = this.#session
    const { snapshot, held } = handles.view(fields.number())
    const tree = owner.tree(fields.bytes())
    const key = fields.bytes()
    if (held === undefined) return owner.engine.has(tree, snapshot, key, this.#bytes)
    return guarded(held, id, () => held.transaction.view(tree, undefined).has(key, this.#bytes))
  }

  #count(fields: Fields, id: number): unknown {
    const { handles, owner } = this.#session
    const { snapshot, held } = handles.view(fields.number())
    const tree = owner.tree(fields.bytes())
    const range = fields.range()
    if (held === undefined) return this.#countInSlices(tree, snapshot, range, id)
    return guarded(held, id, () => held.transaction.view(tree, undefined).count(range))
  }

  /** Counting many entries on disk takes long: others are served in between, and it ends when the client leaves. */
  #countInSlices(tree: Tree, snapshot: Snapshot | undefined, range: ByteRange, id: number): unknown {
    const session = this.#session
    const signal = session.signalFor(id)
    let counted: number | Promise<number> | undefined
    try {
      counted = countInSlices(session.owner.engine, tree, snapshot, range, { signal })
    } finally {
      if (!(counted instanceof Promise)) session.signalDone(id)
    }
    return counted instanceof Promise ? counted.finally(() => session.signalDone(id)) : counted
  }

  #names(fields: Fields): unknown {
    const { handles, owner } = this.#session
    const { snapshot } = handles.view(fields.number())
    return owner.engine.names(fields.bytes(), snapshot)
  }
}
