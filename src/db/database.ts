import { isThenable } from '../encoding/arguments.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import { Engine, type EngineStats, type PageMap, type VerifyReport } from '../engine/engine.ts'
import { onDemand } from '../kernel/on-demand.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { firstClaimingAttempt } from '../txn/claims.ts'
import { type Attempt, type Begin, runWithRetries, type Turns } from '../txn/retry.ts'
import { runSynchronously } from '../txn/synchronous-run.ts'
import type { Transaction as OpenTransaction } from '../txn/transaction.ts'
import { checkCare, checkFunction, checkProgress } from './call-options.ts'
import { asyncDispose } from './disposal.ts'
import { LocalKeyspace } from './keyspace.ts'
import type { ParsedOptions } from './options.ts'
import { directoryVfs } from './place.ts'
import { Session } from './session.ts'
import { LocalSnapshot } from './snapshot.ts'
import { LocalTransaction } from './transaction.ts'
import {
  checkBegin,
  checkBody,
  type CheckedBegin,
  type CheckedTransaction,
  checkTransaction,
  syncNames
} from './transaction-options.ts'
import type { BeginOptions, SyncTransactionOptions, Transaction, TransactionOptions } from './transaction-types.ts'
import type { CareOptions, Database, DatabaseEvents, ProgressOptions, Snapshot } from './types.ts'
import type { ValueCache } from './value-cache.ts'

const events: readonly unknown[] = ['checkpoint', 'degraded', 'recovered', 'closing'] satisfies (keyof DatabaseEvents)[]

/** A database on an engine in this thread. */
export class LocalDatabase<K, V> extends LocalKeyspace<K, V, K, V> implements Database<K, V> {
  readonly #engine: Engine

  constructor(engine: Engine, options: ParsedOptions, cache?: ValueCache) {
    const session = new Session(engine, options, cache)
    const { keyEncoding, valueEncoding } = options
    const tree = engine.tree(new Uint8Array(0))
    const defaults = { keyEncoding, valueEncoding }
    super({ session, path: Object.freeze([]), tree, ...defaults, defaults, cached: session.cache?.keyspace([]) })
    this.#engine = engine
  }

  get location(): string {
    return this.#engine.location
  }

  snapshot(): Snapshot<K, V> {
    return new LocalSnapshot<K, V>(this.place, this.#engine.snapshot())
  }

  transaction<R>(body: (tx: Transaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  transaction<R>(body: (tx: Transaction<K, V>) => R | PromiseLike<R>, options?: unknown): Promise<R> {
    try {
      checkBody(body, 'transaction')
      return runWithRetries(this.#begin, body, checkTransaction(options, 'transaction'), this.#turns)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  transactionSync<R>(body: (tx: Transaction<K, V>) => R, options?: SyncTransactionOptions): R
  transactionSync<R>(body: (tx: Transaction<K, V>) => R, options?: unknown): R {
    checkBody(body, 'transactionSync')
    const transaction = this.#first(checkBegin(options, 'transactionSync', syncNames))
    transaction.isSynchronous = true
    return runSynchronously(transaction, new LocalTransaction<K, V>(this.place, transaction), body)
  }

  begin(options?: BeginOptions): Transaction<K, V>
  begin(options?: unknown): Transaction<K, V> {
    return new LocalTransaction<K, V>(this.place, this.#first(checkBegin(options, 'begin')))
  }

  /** A transaction that nobody runs again. */
  #first({ isolation, lockTimeoutMs }: CheckedBegin): OpenTransaction {
    return this.place.session.transactions.begin({ isolation, lockTimeoutMs, attempt: 1, previous: undefined })
  }

  /** Made once, not for every transaction. */
  readonly #begin: Begin<OpenTransaction, LocalTransaction<K, V>, CheckedTransaction> = (
    attempt,
    previous,
    options,
    onWait
  ) => {
    const { isolation, lockTimeoutMs } = options
    const { transactions } = this.place.session
    const begun = transactions.beginInTurn({ isolation, lockTimeoutMs, attempt, previous }, onWait)
    if (begun instanceof Promise) return begun.then(transaction => this.#attempted(transaction))
    if (attempt < firstClaimingAttempt) transactions.turnstile.hold(begun)
    return this.#attempted(begun)
  }

  /** Attempts that claim have a queue of their own. */
  readonly #turns: Turns = {
    enter: attempt => (attempt < firstClaimingAttempt ? this.place.session.transactions.turnstile.enter() : undefined),
    pass: () => this.place.session.transactions.turnstile.pass()
  }

  #attempted(transaction: OpenTransaction): Attempt<OpenTransaction, LocalTransaction<K, V>> {
    return { transaction, handle: new LocalTransaction<K, V>(this.place, transaction) }
  }

  sequence(): number {
    return this.#engine.sequence
  }

  flush(): Promise<void> {
    return this.#engine.flush()
  }

  flushSync(): void {
    this.#engine.flushSync()
  }

  async checkpoint(options?: CareOptions): Promise<void> {
    const { signal } = checkCare(options, 'checkpoint')
    await this.#engine.checkpoint(signal)
  }

  async verify(options?: ProgressOptions): Promise<VerifyReport> {
    return await this.#engine.verify(checkProgress(options, 'verify'))
  }

  async compact(options?: ProgressOptions): Promise<void> {
    await this.#engine.compact(checkProgress(options, 'compact'))
  }

  async backup(destination: string, options?: CareOptions): Promise<void> {
    const care = checkCare(options, 'backup')
    await this.#engine.backup(await directoryVfs(destination, 'backup'), care)
  }

  stats(): EngineStats {
    return this.#engine.stats()
  }

  pageMap(): PageMap {
    return this.#engine.pageMap()
  }

  on<E extends keyof DatabaseEvents>(event: E, listener: (detail: DatabaseEvents[E]) => void): () => void {
    if (!events.includes(event)) {
      throw invalidArgument(`on: the events are ${events.join(', ')}; got ${describe(event)}.`)
    }
    checkFunction(listener, 'on, the listener')
    const { session } = this.place
    if (session.isClosed) throw session.closedError('database')
    const { logger } = session
    return this.#engine.on(event, (detail: DatabaseEvents[E]) => {
      // The engine logs what a listener throws. An async listener rejects instead, which is logged here.
      const result: unknown = listener(detail)
      if (isThenable(result)) result.then(undefined, error => logger?.error(`A listener of '${event}' failed`, error))
    })
  }

  close(): Promise<void> {
    // Calls the listeners of 'closing', which may still read, whichever of them has called this.
    const closing = this.#engine.close()
    if (this.#engine.isClosed) this.place.session.end()
    return closing
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Opens the database in `vfs`. Rejects as `open` does. */
export async function openIn<K, V>(vfs: Vfs, options: ParsedOptions): Promise<Database<K, V>> {
  // Before the engine is opened, which would have to be closed again if the script cannot be loaded.
  const cache = options.valueCache === 0 ? undefined : await newValueCache(options.valueCache)
  return new LocalDatabase<K, V>(await Engine.open(vfs, options), options, cache)
}

async function newValueCache(capacity: number): Promise<ValueCache> {
  const { ValueCache } = await onDemand('the option valueCache', () => import('./value-cache.ts'))
  return new ValueCache(capacity)
}
