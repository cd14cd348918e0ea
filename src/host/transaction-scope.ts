// A client's transaction apart from its handle: the link that it belongs to, which calls were made, how it ended. It
// must never refer to the handle, otherwise the garbage collector would not find one that was dropped.

import { isLightningError, LightningError } from '../errors.ts'
import type { Isolation } from '../db/transaction-types.ts'
import type { Loan } from '../engine/loan.ts'
import type { Connection } from './connection.ts'
import { conflictOf, type Link, type Sink } from './link.ts'
import type { Scope } from './scope.ts'
import { TransactionCall } from './transaction-call.ts'
import { operation } from './wire.ts'

/** How a transaction begins. */
export interface TransactionStart {
  readonly isolation: Isolation
  readonly lockTimeoutMs: number | undefined
  readonly attempt: number
  /** `at` of the attempt before; 0: there was none. */
  readonly previous: number
  /** Whether another attempt may follow. */
  readonly isRepeatable: boolean
}

export class TransactionScope implements Scope {
  readonly at: number
  readonly isolation: Isolation
  readonly attempt: number
  /** Number that the owner gave it. */
  id = 0
  /** Whether something was written in it, or was to be. */
  hasWritten = false
  readonly #connection: Connection
  readonly #start: TransactionStart
  #link: Link | undefined
  #isOpen = true
  #isCommitting = false
  #wasEndedByCaller = false
  #ending: Promise<void> | undefined
  #loss: LightningError | undefined
  /** The error that the next use throws, because nobody has been told of it; later uses are `LIGHTNING_CLOSED`. */
  #unreported: LightningError | undefined
  /** Calls that are pending or have failed, in order, each with the id of its request (0: none was sent). */
  readonly #calls = new Map<TransactionCall<unknown>, number>()
  /** Id of the request that was sent last, for the call that is being made. */
  #lastId = 0
  readonly #iterators = new Set<() => void>()
  #savepoints = 0

  constructor(connection: Connection, start: TransactionStart) {
    this.#connection = connection
    this.#start = start
    this.at = connection.newHandle()
    this.isolation = start.isolation
    this.attempt = start.attempt
  }

  /** Whether it can still be used, as far as it is known here. */
  get isOpen(): boolean {
    return this.#isOpen && this.#link?.isLost === false && !this.#connection.isClosed
  }

  get loss(): LightningError | undefined {
    return this.#loss
  }

  /** Not known here: the owner's answer tells. */
  get isApplied(): boolean {
    return false
  }

  get endsByAnswer(): boolean {
    return this.#isCommitting
  }

  get wasEndedByCaller(): boolean {
    return this.#wasEndedByCaller
  }

  get ending(): Promise<void> | undefined {
    return this.#ending
  }

  /** Begins it. */
  begin(): Promise<void> {
    const { isolation, lockTimeoutMs, attempt, previous, isRepeatable } = this.#start
    return new Promise((resolve, reject) => {
      const fields = [this.at, isolation, lockTimeoutMs, attempt, previous, isRepeatable]
      this.#connection.send(operation.begin, fields, {
        onLost: 'repeat',
        resolve: id => {
          this.id = Number(id)
          resolve()
        },
        reject,
        sent: link => {
          this.#link = link
        }
      })
    })
  }

  check(): void {
    this.#connection.checkOpen()
    if (this.#isOpen && this.#link?.isLost === true) this.#lose()
    if (this.#isOpen) return
    const error = this.#unreported ?? this.#ended()
    if (error.code !== 'LIGHTNING_TIMEOUT') this.#unreported = undefined
    throw error
  }

  send(name: number, fields: readonly unknown[], sink: Sink): void {
    this.check()
    this.#send(name, fields, sink)
  }

  promise<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    let failure: { readonly error: unknown } | undefined
    let made: TransactionCall<T> | undefined
    const call = new TransactionCall<T>((resolve, reject) => {
      const settle = () => {
        if (made !== undefined) this.#calls.delete(made)
      }
      const fail = (error: unknown): void => {
        failure = { error }
        if (made !== undefined) this.#failed(made, error)
        reject(error)
      }
      try {
        start(value => {
          settle()
          resolve(value)
        }, fail)
      } catch (error) {
        fail(error)
      }
    })
    made = call
    call.silence()
    this.#calls.set(call, this.#lastId)
    this.#lastId = 0
    if (failure !== undefined) this.#failed(call, failure.error)
    return call
  }

  addIterator(report: () => void): () => void {
    if (this.isolation !== 'serializable') return ignore
    this.#iterators.add(report)
    return () => this.#iterators.delete(report)
  }

  /** Number of the next savepoint. */
  savepoint(): number {
    this.check()
    this.#savepoints++
    this.#link?.tell(operation.savepoint, this.at, this.#savepoints)
    return this.#savepoints
  }

  commitOrLose(): Promise<void> {
    return this.commit()
  }

  /** `loan`: what callbacks of `read` are being shown, during which nothing may be written. */
  commit(loan?: Loan): Promise<void> {
    try {
      this.check()
      if (this.hasWritten) loan?.check()
    } catch (error) {
      // Nothing may be written now: that rolls back, as every commit that fails.
      if (isLightningError(error, 'LIGHTNING_INVALID_ARGUMENT')) void this.end()
      return Promise.reject(error)
    }
    this.#wasEndedByCaller = true
    this.#isOpen = false
    this.#isCommitting = true
    for (const report of this.#iterators) report()
    this.#iterators.clear()
    this.#ending = new Promise((resolve, reject) => this.#commit(resolve, reject)).then(
      () => {
        this.#isCommitting = false
      },
      error => {
        this.#isCommitting = false
        throw error
      }
    )
    return this.#ending
  }

  rollback(): void {
    this.end()
  }

  /** Rolls back; resolves when the owner has. May be called again. */
  end(): Promise<void> {
    this.#wasEndedByCaller = true
    this.#unreported = undefined
    const isSent = this.#isOpen || this.#isCommitting || this.#start.isRepeatable
    this.#isOpen = false
    const link = this.#link
    if (!isSent || link === undefined || link.isLost || this.#connection.isClosed) return Promise.resolve()
    return new Promise(resolve => {
      const sink: Sink = { onLost: 'done', resolve: () => resolve(), reject: () => resolve() }
      link.send({ operation: operation.rollback, fields: [this.at], sink, attempts: 1 })
    })
  }

  /** It will not be run again. */
  forget(): void {
    this.#link?.tell(operation.forget, this.at)
  }

  #commit(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    const link = this.#link
    if (link === undefined) return
    let failed: { readonly error: unknown } | undefined
    const sink: Sink = {
      onLost: 'unknown',
      resolve: value => {
        // Calls before the one that stopped it may have failed meanwhile.
        if (failed === undefined) resolve(value)
        else reject((this.#firstFailure() ?? failed).error)
      },
      reject: (error, isOpen) => {
        this.#note(error, isOpen)
        reject(failed === undefined ? error : failed.error)
      }
    }
    link.send({ operation: operation.commit, fields: [this.at, []], sink, attempts: 1 }, message => {
      failed = this.#firstFailure()
      if (failed !== undefined) {
        // The commit is not tried: the request becomes a rollback.
        message[0] = operation.rollback
        message.length = 3
        return
      }
      message[3] = [...this.#calls].filter(([call]) => !call.isHandled).map(([, id]) => id)
    })
  }

  /** The first call that has failed and that nobody has taken care of. */
  #firstFailure(): { readonly error: unknown } | undefined {
    for (const call of this.#calls.keys()) if (call.failure !== undefined && !call.isHandled) return call.failure
    return undefined
  }

  #failed(call: TransactionCall<unknown>, error: unknown): void {
    call.failure = { error }
    if (call.isHandled) this.#calls.delete(call)
  }

  #send(name: number, fields: readonly unknown[], sink: Sink): void {
    const noted: Sink = {
      onLost: 'conflict',
      resolve: value => sink.resolve(value),
      reject: (error, isOpen) => {
        this.#note(error, isOpen)
        sink.reject(error, isOpen)
      },
      progress: (done, total) => sink.progress?.(done, total),
      sent: (link, id) => {
        this.#lastId = id
        sink.sent?.(link, id)
      }
    }
    this.#link?.send({ operation: name, fields, sink: noted, attempts: 1 })
  }

  #note(error: unknown, isOpen: boolean): void {
    if (isOpen) return
    this.#isOpen = false
    if (isLightningError(error, 'LIGHTNING_CONFLICT') || isLightningError(error, 'LIGHTNING_DEADLOCK')) {
      this.#loss ??= error
    }
    // A transaction that is too old throws this error at every use.
    if (isLightningError(error, 'LIGHTNING_TIMEOUT') && !this.#wasEndedByCaller) this.#unreported = error
  }

  #lose(): void {
    this.#isOpen = false
    this.#loss = conflictOf(
      new LightningError('LIGHTNING_OWNER_LOST', 'The owner of the database is gone. Begin another transaction.')
    )
    this.#unreported = this.#loss
  }

  #ended(): LightningError {
    const message = this.#isCommitting
      ? 'The transaction is being committed. Begin another one.'
      : 'The transaction has ended. Begin another one.'
    return new LightningError('LIGHTNING_CLOSED', message, { cause: this.#loss })
  }
}

function ignore(): void {}
