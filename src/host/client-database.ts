// A client's database: what `connect` gives.

import { checkCare, checkFunction, type CheckedProgress, checkProgress, type Encodings } from '../db/call-options.ts'
import { asyncDispose } from '../db/disposal.ts'
import { directoryName } from '../db/location.ts'
import { checkBegin, checkBody, checkTransaction } from '../db/transaction-options.ts'
import type { BeginOptions, TransactionOptions } from '../db/transaction-types.ts'
import type { CareOptions, DatabaseEvents, ProgressOptions } from '../db/types.ts'
import { isThenable } from '../encoding/arguments.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import type { EngineStats, PageMap, VerifyReport } from '../engine/engine.ts'
import { once } from '../engine/once.ts'
import { isLightningError } from '../errors.ts'
import { runWithRetries } from '../txn/retry.ts'
import { cancellable } from './cancellation.ts'
import { nothing, RemoteKeyspace, treeAt, unavailable } from './client-keyspace.ts'
import type { ClientSession } from './client-session.ts'
import { RemoteSnapshot } from './client-snapshot.ts'
import { RemoteTransaction } from './client-transaction.ts'
import { closed } from './connection.ts'
import type { Link } from './link.ts'
import { pageMapOf, reportOf, statsOf } from './reports.ts'
import { pathOf } from './paths.ts'
import { ask, SnapshotScope } from './scope.ts'
import { TransactionScope } from './transaction-scope.ts'
import type { Client, ClientSnapshot, ClientTransaction } from './types.ts'
import { operation } from './wire.ts'

const events: readonly unknown[] = ['checkpoint', 'degraded', 'recovered', 'closing'] satisfies (keyof DatabaseEvents)[]

export class RemoteDatabase<K, V> extends RemoteKeyspace<K, V, K, V> implements Client<K, V> {
  readonly transactionSync = unavailable('transaction')
  readonly flushSync = unavailable('flush')
  readonly #session: ClientSession
  readonly #close = once(() => {
    this.#session.emit('closing', {})
    return this.#session.connection.close(leave)
  })

  constructor(session: ClientSession, encodings: Encodings) {
    const tree = treeAt(new Uint8Array(0))
    super({ session, path: Object.freeze([]), tree, ...encodings, defaults: encodings, cached: undefined })
    this.#session = session
  }

  get location(): string {
    return this.#session.connection.location
  }

  async snapshot(): Promise<ClientSnapshot<K, V>> {
    this.scope.check()
    const scope = new SnapshotScope(this.#session.connection)
    return new RemoteSnapshot<K, V>(this.place, scope, await scope.open())
  }

  transaction<R>(body: (tx: ClientTransaction<K, V>) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>
  async transaction<R>(body: (tx: ClientTransaction<K, V>) => R | PromiseLike<R>, options?: unknown): Promise<R> {
    checkBody(body, 'transaction')
    const given = checkTransaction(options, 'transaction')
    const { isolation, lockTimeoutMs } = given
    let last: TransactionScope | undefined
    try {
      return await runWithRetries(
        async (attempt, previous: TransactionScope | undefined) => {
          this.scope.check()
          // Only its number: otherwise the last of many attempts would keep all.
          const start = { isolation, lockTimeoutMs, attempt, previous: previous?.at ?? 0, isRepeatable: true }
          const transaction = new TransactionScope(this.#session.connection, start)
          last = transaction
          await transaction.begin()
          return { transaction, handle: new RemoteTransaction<K, V>(this.place, transaction) }
        },
        body,
        given
      )
    } finally {
      last?.forget()
    }
  }

  begin(options?: BeginOptions): Promise<ClientTransaction<K, V>>
  async begin(options?: unknown): Promise<ClientTransaction<K, V>> {
    const { isolation, lockTimeoutMs } = checkBegin(options, 'begin')
    this.scope.check()
    const start = { isolation, lockTimeoutMs, attempt: 1, previous: 0, isRepeatable: false }
    const transaction = new TransactionScope(this.#session.connection, start)
    await transaction.begin()
    return new RemoteTransaction<K, V>(this.place, transaction)
  }

  sequence(): Promise<number> {
    return ask(this.scope, operation.sequence, 'repeat', () => [], Number)
  }

  flush(): Promise<void> {
    return ask(this.scope, operation.flush, 'unknown', () => [], nothing)
  }

  async checkpoint(options?: CareOptions): Promise<void> {
    const { signal } = checkCare(options, 'checkpoint')
    this.#session.checkWritable()
    await this.#care(operation.checkpoint, [], { signal, onProgress: undefined })
  }

  async verify(options?: ProgressOptions): Promise<VerifyReport> {
    return reportOf(await this.#care(operation.verify, [], checkProgress(options, 'verify')))
  }

  async compact(options?: ProgressOptions): Promise<void> {
    const given = checkProgress(options, 'compact')
    this.#session.checkWritable()
    await this.#care(operation.compact, [], given)
  }

  async backup(destination: string, options?: CareOptions): Promise<void> {
    const { signal } = checkCare(options, 'backup')
    // What a relative path means here it may not mean in the owner's process.
    const location = await directoryName(destination, 'backup')
    await this.#care(operation.backup, [pathOf(location)], { signal, onProgress: undefined })
  }

  stats(): Promise<EngineStats> {
    return ask(this.scope, operation.stats, 'repeat', () => [], statsOf)
  }

  pageMap(): Promise<PageMap> {
    return ask(this.scope, operation.pageMap, 'repeat', () => [], pageMapOf)
  }

  on<E extends keyof DatabaseEvents>(event: E, listener: (detail: DatabaseEvents[E]) => void): () => void
  on(event: unknown, listener: unknown): () => void {
    if (typeof event !== 'string' || !events.includes(event)) {
      throw invalidArgument(`on: the events are ${events.join(', ')}; got ${describe(event)}.`)
    }
    const call = checkFunction(listener, 'on, the listener')
    this.scope.check()
    const { logger } = this.#session
    return this.#session.on(event, detail => {
      const result = call(detail)
      if (isThenable(result)) result.then(undefined, error => logger?.error(`A listener of '${event}' failed`, error))
    })
  }

  close(): Promise<void> {
    return this.#close()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Something long, which the caller may watch and end. */
  #care(name: number, fields: readonly unknown[], { signal, onProgress }: CheckedProgress): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#session.connection.isClosed) throw closed(this.location)
      let cancel: () => void = () => undefined
      let thrown: { readonly error: unknown } | undefined
      const sink = cancellable(signal, {
        onLost: 'unknown',
        sent: (link, id) => {
          cancel = () => link.tell(operation.cancel, id)
        },
        progress: (done, total) => {
          if (thrown !== undefined) return
          try {
            onProgress?.({ done, total })
          } catch (error) {
            thrown = { error }
            cancel()
          }
        },
        resolve: value => (thrown === undefined ? resolve(value) : reject(thrown.error)),
        reject: error => {
          if (thrown !== undefined) reject(thrown.error)
          // The owner ended it because this client leaves.
          else if (isLightningError(error, 'LIGHTNING_ABORTED') && signal?.aborted !== true)
            reject(closed(this.location))
          else reject(error)
        }
      })
      this.scope.send(name, fields, sink)
    })
  }
}

function leave(link: Link): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = { onLost: 'done', resolve: () => resolve(), reject } as const
    link.send({ operation: operation.close, fields: [], sink, attempts: 1 })
  })
}
