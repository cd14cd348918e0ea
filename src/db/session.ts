import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { EncodingTable } from '../encoding/encodings.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import { calm } from '../engine/calm-logger.ts'
import { closedError } from '../engine/core.ts'
import type { Engine, Snapshot as EngineSnapshot, Tree } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import { Transactions } from '../txn/transactions.ts'
import type { Encodings } from './call-options.ts'
import type { Logger, ParsedOptions } from './options.ts'
import type { CachedKeyspace, ValueCache } from './value-cache.ts'
import { YoungHandles } from './young-handles.ts'

/** One keyspace as a handle knows it. */
export interface Place {
  readonly session: Session
  /** Names from the root down. */
  readonly path: readonly string[]
  readonly tree: Tree
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
  /** The database's own encodings, which sublevels have that name no others. */
  readonly defaults: Encodings
  /** Undefined when the option `valueCache` is 0. */
  readonly cached: CachedKeyspace | undefined
}

interface Closable {
  close(): void
}

/** What all handles of one open database share. It knows which handles are its own. */
export class Session {
  readonly engine: Engine
  readonly encodings: EncodingTable
  readonly logger: Logger | undefined
  /** Undefined when the option `valueCache` is 0. */
  readonly cache: ValueCache | undefined
  readonly transactions: Transactions
  /** Handles of transactions that have begun just now. */
  readonly young = new YoungHandles()
  #isClosed = false
  readonly #abandoned = new FinalizationRegistry<Closable>(closable => closable.close())
  readonly #snapshots = new WeakMap<object, EngineSnapshot>()
  readonly #places = new WeakMap<object, Place>()

  constructor(engine: Engine, options: ParsedOptions, cache: ValueCache | undefined) {
    this.engine = engine
    this.encodings = options.encodings
    this.logger = options.logger === undefined ? undefined : calm(options.logger)
    this.cache = cache
    this.transactions = new Transactions(engine, options)
  }

  /** Whether the database has been closed. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** To be called once the engine refuses everything. */
  end(): void {
    this.#isClosed = true
    this.young.end()
    this.transactions.close()
    this.cache?.end()
  }

  /** The error for the use of something that ended with the database, or in a rollback. */
  closedError(what: string): LightningError {
    const { location } = this.engine
    if (this.#isClosed) return closedError(location)
    const cause = this.engine.rollbackCause
    const message = `What the ${what} saw was taken back because it could not be made durable. Start a new one.`
    return new LightningError('LIGHTNING_CLOSED', message, { cause })
  }

  /** Closes `resource` when `handle` is found by the garbage collector; `resource` must not refer to the handle. */
  watch(handle: object, resource: Closable): void {
    this.#abandoned.register(handle, resource, handle)
  }

  /** The handle has been closed in the ordinary way. */
  unwatch(handle: object): void {
    this.#abandoned.unregister(handle)
  }

  addSnapshot(handle: object, snapshot: EngineSnapshot): void {
    this.#snapshots.set(handle, snapshot)
    this.watch(handle, snapshot)
  }

  addKeyspace(handle: object, place: Place): void {
    this.#places.set(handle, place)
  }

  /** What an option `snapshot` means. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  snapshotOf(handle: unknown, where: string): EngineSnapshot {
    const found = lookUp(this.#snapshots, handle)
    if (found !== undefined) return found
    throw invalidArgument(`${where}, option snapshot: pass a snapshot() of this database; got ${describe(handle)}.`)
  }

  /** What a sublevel is that a call names. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  placeOf(handle: unknown, where: string): Place {
    const found = lookUp(this.#places, handle)
    if (found !== undefined) return found
    throw invalidArgument(`${where}, sublevel: pass a sublevel() of this database; got ${describe(handle)}.`)
  }
}

function lookUp<T>(map: WeakMap<object, T>, key: unknown): T | undefined {
  return typeof key === 'object' && key !== null ? map.get(key) : undefined
}
