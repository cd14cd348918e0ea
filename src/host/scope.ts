// Where a client's call goes: to the newest state, a snapshot, or a transaction.

import { LightningError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { Link, OnLost, Sink } from './link.ts'
import { operation } from './wire.ts'

/** The newest state, a snapshot or a transaction. */
export interface Scope {
  /** The field `at` of requests. */
  readonly at: number
  /** Throws `LIGHTNING_CLOSED`, or the error in which it has ended. */
  check(): void
  /** Sends a request, or rejects at once when it has ended. */
  send(name: number, fields: readonly unknown[], sink: Sink): void
  /** A promise for the decoded answer; `start` encodes and calls `send`, and may throw. */
  promise<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T>
  /** Registers an iterator; `report` is called when the owner must know what it has delivered. The result ends that. */
  addIterator(report: () => void): () => void
}

/** Sends a request through a scope and decodes the answer. */
export function ask<T>(
  scope: Scope,
  name: number,
  onLost: OnLost,
  prepare: () => readonly unknown[],
  decode: (value: unknown) => T
): Promise<T> {
  return scope.promise<T>((resolve, reject) => scope.send(name, prepare(), new Asked(onLost, resolve, reject, decode)))
}

/** The sink of a call that waits for one answer. One object, for there are as many as calls under way. */
export class Asked<T> implements Sink {
  readonly onLost: OnLost
  readonly reject: (error: unknown) => void
  readonly #resolve: (value: T) => void
  readonly #decode: (value: unknown) => T

  constructor(
    onLost: OnLost,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    decode: (value: unknown) => T
  ) {
    this.onLost = onLost
    this.reject = reject
    this.#resolve = resolve
    this.#decode = decode
  }

  resolve(value: unknown): void {
    let decoded: T
    try {
      decoded = this.#decode(value)
    } catch (error) {
      this.reject(error)
      return
    }
    this.#resolve(decoded)
  }
}

function plainPromise<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
  // What `start` throws rejects.
  return new Promise(start)
}

const nothing = (): void => undefined

/** The newest state. */
export class NewestScope implements Scope {
  readonly at = 0
  readonly promise = plainPromise
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  check(): void {
    this.#connection.checkOpen()
  }

  send(name: number, fields: readonly unknown[], sink: Sink): void {
    this.#connection.send(name, fields, sink)
  }

  addIterator(): () => void {
    return nothing
  }
}

/** A snapshot: it lives on one link. */
export class SnapshotScope implements Scope {
  readonly at: number
  readonly promise = plainPromise
  readonly #connection: Connection
  #link: Link | undefined
  #isClosed = false

  constructor(connection: Connection) {
    this.#connection = connection
    this.at = connection.newHandle()
  }

  /** Takes the snapshot; gives its sequence number. */
  open(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#connection.send(operation.snapshot, [this.at], {
        onLost: 'repeat',
        resolve: value => resolve(Number(value)),
        reject,
        sent: link => {
          this.#link = link
        }
      })
    })
  }

  check(): void {
    this.#connection.checkOpen()
    if (this.#isClosed) throw new LightningError('LIGHTNING_CLOSED', 'The snapshot is closed. Take a new one.')
    if (this.#link?.isLost !== false) throw gone('snapshot')
  }

  send(name: number, fields: readonly unknown[], sink: Sink): void {
    this.check()
    this.#link?.send({ operation: name, fields, sink: lostWithSnapshot(sink), attempts: 1 })
  }

  addIterator(): () => void {
    return nothing
  }

  /** May be called again. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#link?.tell(operation.closeSnapshot, this.at)
  }
}

/** The error of what lived in an owner that is gone. */
export function gone(what: string): LightningError {
  return new LightningError(
    'LIGHTNING_OWNER_LOST',
    `The owner of the database is gone, and the ${what} with it. Start a new one.`
  )
}

function lostWithSnapshot(sink: Sink): Sink {
  return {
    onLost: 'gone',
    resolve: value => sink.resolve(value),
    reject: (error, isOpen) => sink.reject(error, isOpen),
    progress: (done, total) => sink.progress?.(done, total),
    sent: (link, id) => sink.sent?.(link, id)
  }
}
