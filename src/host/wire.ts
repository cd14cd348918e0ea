// The protocol between clients and the owner of a database. Frames (`channel.ts`) carry lists of messages in both
// directions, in order.
//
//   client → owner   first            ['lightning-db', version, options]
//                    then requests    [operation, id, …fields]     id 0: no answer is wanted
//   owner → client   first            [0, answer.welcome, version, fields…]  or [0, answer.error, error]
//                    then answers     [id, answer.value, value]
//                                     [id, answer.error, error, whether the transaction is still open]
//                                     [id, answer.progress, done, total]
//                                     [0, answer.done, ids]         several requests without a value are done
//                                     [0, answer.event, name, detail]
//                                     [0, answer.log, level, parts]
//
// Requests take effect in the order in which they arrive. Keys and values are bytes: clients encode. `at` is what a
// read sees: 0 the newest state, otherwise the number of a snapshot or a transaction, which the client chose. Nothing
// that arrives is believed before `Fields` has looked at it.

import type { ByteRange } from '../engine/bounds.ts'
import { malformed, type Message } from './messages.ts'

/** Changes whenever one side would misunderstand the other. */
export const protocolVersion = 1

/** What a first message begins with, in every version. */
export const protocolName = 'lightning-db'

/** Requests, with their fields behind the id. */
export const operation = {
  /** at, path, key → bytes or undefined */
  get: 1,
  /** at, path, keys → list of bytes or undefined */
  getMany: 2,
  /** at, path, key → boolean */
  has: 3,
  /** at, path, range → number */
  count: 4,
  /** at, path → names */
  names: 5,
  /** at, path, range, whether keys only, iterator, rows → [rows, whether that was all] */
  iterate: 6,
  /** iterator, rows → [rows, whether that was all] */
  nextRows: 7,
  /** iterator, last key delivered or undefined, whether the range was read to its end, whether the iterator ends */
  delivered: 8,
  /** at, path, key, value */
  put: 10,
  /** at, path, key */
  del: 11,
  /** at, list of [path, key, value or undefined] */
  batch: 12,
  /** at, path, range */
  clear: 13,
  /** path */
  drop: 14,
  /** snapshot → sequence */
  snapshot: 20,
  /** snapshot */
  closeSnapshot: 21,
  /** transaction, isolation, lock timeout or undefined, attempt, previous or 0, whether it may be run again → id */
  begin: 30,
  /** transaction, path, key, lock timeout or undefined → bytes or undefined */
  getForUpdate: 31,
  /** transaction, number */
  savepoint: 32,
  /** transaction, number */
  rollbackTo: 33,
  /** transaction, ids of requests whose errors nobody handles */
  commit: 34,
  /** transaction */
  rollback: 35,
  /** transaction: it will not be run again */
  forget: 36,
  /** → number */
  sequence: 40,
  flush: 41,
  checkpoint: 42,
  /** → report; progress */
  verify: 43,
  /** progress */
  compact: 44,
  /** destination */
  backup: 45,
  /** → numbers */
  stats: 46,
  /** → columns */
  pageMap: 47,
  /** id of the request to be ended */
  cancel: 50,
  /** → done, with no ids */
  ping: 51,
  close: 52
} as const

/** Kinds of answers. */
export const answer = { value: 0, error: 1, progress: 2, done: 3, event: 4, log: 5, welcome: 6 } as const

/** Reads the fields of a message one after the other. Every method throws `LIGHTNING_INVALID_ARGUMENT`. */
export class Fields {
  readonly #message: Message
  #next: number

  constructor(message: Message, from: number) {
    this.#message = message
    this.#next = from
  }

  any(): unknown {
    return this.#message[this.#next++]
  }

  /** A whole number from 0. */
  number(): number {
    return checkNumber(this.any())
  }

  optionalNumber(): number | undefined {
    const value = this.any()
    return value === undefined ? undefined : checkNumber(value)
  }

  /** Milliseconds, `Infinity` included. */
  optionalTimeout(): number | undefined {
    const value = this.any()
    if (value === undefined || value === Number.POSITIVE_INFINITY) return value
    return checkNumber(value)
  }

  flag(): boolean {
    const value = this.any()
    if (typeof value !== 'boolean') throw malformed('a field is not true or false')
    return value
  }

  text(): string {
    const value = this.any()
    if (typeof value !== 'string') throw malformed('a field is not text')
    return value
  }

  optionalText(): string | undefined {
    const value = this.any()
    if (value !== undefined && typeof value !== 'string') throw malformed('a field is not text')
    return value
  }

  bytes(): Uint8Array {
    const value = this.any()
    if (!(value instanceof Uint8Array)) throw malformed('a field is not a byte string')
    return value
  }

  optionalBytes(): Uint8Array | undefined {
    const value = this.any()
    if (value !== undefined && !(value instanceof Uint8Array)) throw malformed('a field is not a byte string')
    return value
  }

  list(): readonly unknown[] {
    const value = this.any()
    if (!Array.isArray(value)) throw malformed('a field is not a list')
    return value
  }

  numbers(): number[] {
    return this.list().map(checkNumber)
  }

  range(): ByteRange {
    const fields = new Fields(this.list(), 0)
    return {
      lower: fields.optionalBytes(),
      lowerOpen: fields.flag(),
      upper: fields.optionalBytes(),
      upperOpen: fields.flag(),
      reverse: fields.flag(),
      limit: fields.optionalNumber() ?? Number.POSITIVE_INFINITY,
      empty: fields.flag()
    }
  }
}

/** A range as a field. */
export function rangeField(range: ByteRange): Message {
  const { lower, lowerOpen, upper, upperOpen, reverse, limit, empty } = range
  return [lower, lowerOpen, upper, upperOpen, reverse, limit === Number.POSITIVE_INFINITY ? undefined : limit, empty]
}

function checkNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed('a field is not a number')
  return value
}
