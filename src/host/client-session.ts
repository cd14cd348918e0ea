// What all handles of one client share. It knows which handles are its own.

import type { Encodings } from '../db/call-options.ts'
import type { Logger } from '../db/options.ts'
import { freeze } from '../db/cacheable.ts'
import { isObject } from '../encoding/arguments.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { EncodingTable } from '../encoding/encodings.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import { calm } from '../engine/calm-logger.ts'
import { Loan } from '../engine/loan.ts'
import type { Tree } from '../engine/tree.ts'
import { LightningError } from '../errors.ts'
import type { Connection, ConnectionEvents } from './connection.ts'
import { FieldEncoder } from './field-encoder.ts'
import { malformed } from './messages.ts'
import { NewestScope, type SnapshotScope } from './scope.ts'
import { errorOf } from './wire-error.ts'

/** One keyspace as a client's handle knows it. */
export interface ClientPlace {
  readonly session: ClientSession
  readonly path: readonly string[]
  readonly tree: Tree
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
  /** The database's own encodings, which sublevels have that name no others. */
  readonly defaults: Encodings
  readonly cached: undefined
}

/** What is the client's own of its options. */
export interface ClientSettings {
  readonly encodings: EncodingTable
  readonly logger: Logger | undefined
  readonly readOnly: boolean
  /** Values come back frozen, as with a cache of them. */
  readonly freezes: boolean
}

const levels = ['debug', 'info', 'warn', 'error'] as const

interface Closable {
  close(): void
}

export class ClientSession implements ConnectionEvents {
  readonly connection: Connection
  readonly encodings: EncodingTable
  readonly logger: Logger | undefined
  readonly newest: NewestScope
  /** For keys and values of requests. */
  readonly fields = new FieldEncoder()
  /** What callbacks of `read` are being shown. */
  readonly loan = new Loan()
  readonly #readOnly: boolean
  readonly #freezes: boolean
  /** Counts rollbacks of the engine, and the cause of the last. */
  #generation = 0
  #rollbackCause: unknown
  readonly #listeners = new Map<string, Set<(detail: unknown) => void>>()
  readonly #abandoned = new FinalizationRegistry<Closable>(closable => closable.close())
  readonly #snapshots = new WeakMap<object, SnapshotScope>()
  readonly #places = new WeakMap<object, ClientPlace>()

  constructor(connection: Connection, { encodings, logger, readOnly, freezes }: ClientSettings) {
    this.connection = connection
    this.encodings = encodings
    // What it throws would end the connection.
    this.logger = logger === undefined ? undefined : calm(logger)
    this.newest = new NewestScope(connection)
    this.#readOnly = readOnly
    this.#freezes = freezes
    connection.listen(this)
  }

  get generation(): number {
    return this.#generation
  }

  /** Throws `LIGHTNING_CLOSED` when what was seen then has been taken back. */
  checkGeneration(generation: number): void {
    if (generation === this.#generation) return
    const message = 'What the iterator saw was taken back because it could not be made durable. Start a new one.'
    throw new LightningError('LIGHTNING_CLOSED', message, { cause: this.#rollbackCause })
  }

  /** Throws unless this client may write something now. */
  checkWritable(): void {
    this.connection.checkOpen()
    if (this.#readOnly) {
      throw new LightningError(
        'LIGHTNING_READ_ONLY',
        `The database at ${this.connection.location} is open for reading only here. Connect without readOnly to write.`
      )
    }
    this.loan.check()
  }

  /** A value on its way to the caller. */
  share(value: unknown): unknown {
    if (this.#freezes) freeze(value)
    return value
  }

  /** Closes `resource` when `handle` is found by the garbage collector; `resource` must not refer to the handle. */
  watch(handle: object, resource: Closable): void {
    this.#abandoned.register(handle, resource, handle)
  }

  unwatch(handle: object): void {
    this.#abandoned.unregister(handle)
  }

  addSnapshot(handle: object, scope: SnapshotScope): void {
    this.#snapshots.set(handle, scope)
    this.watch(handle, scope)
  }

  addKeyspace(handle: object, place: ClientPlace): void {
    this.#places.set(handle, place)
  }

  /** What an option `snapshot` means. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  snapshotOf(handle: unknown, where: string): SnapshotScope {
    const found = isObject(handle) ? this.#snapshots.get(handle) : undefined
    if (found !== undefined) return found
    throw invalidArgument(`${where}, option snapshot: pass a snapshot() of this client; got ${describe(handle)}.`)
  }

  /** What a sublevel is that a call names. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  placeOf(handle: unknown, where: string): ClientPlace {
    const found = isObject(handle) ? this.#places.get(handle) : undefined
    if (found !== undefined) return found
    throw invalidArgument(`${where}, sublevel: pass a sublevel() of this client; got ${describe(handle)}.`)
  }

  get needsOwner(): boolean {
    for (const [event, listeners] of this.#listeners) if (event !== 'closing' && listeners.size > 0) return true
    return false
  }

  /** Adds a listener; the result removes it. */
  on(event: string, listener: (detail: unknown) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners)
    // A wrapper, so that one function added twice is called twice and removed once.
    const added = (detail: unknown): void => listener(detail)
    listeners.add(added)
    if (this.needsOwner) this.connection.ensureOwner()
    return () => {
      listeners.delete(added)
    }
  }

  event(name: unknown, field: unknown): void {
    if (typeof name !== 'string' || !isObject(field)) throw malformed('an event is malformed')
    const detail = 'cause' in field ? { ...field, cause: errorOf(field.cause) } : field
    if (name === 'degraded') {
      this.#generation++
      this.#rollbackCause = Reflect.get(detail, 'cause')
    }
    this.emit(name, detail)
  }

  log(level: unknown, fields: readonly unknown[]): void {
    const parts = fields.map(field => errorOf(field))
    const known = levels.find(each => each === level)
    if (known === undefined) throw malformed('there is no such level of messages')
    this.logger?.[known](...parts)
  }

  /** Calls the listeners of an event. What they throw is logged. */
  emit(event: string, detail: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(detail)
      } catch (error) {
        this.logger?.error(`A listener of '${event}' failed`, error)
      }
    }
  }
}
