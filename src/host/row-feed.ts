// The source of a client's iterator. Rows come in batches, and from the second batch on the next one is asked for
// ahead: a caller that stops early has transferred little, and one that goes on never waits long. It must not refer to
// the iterator itself, otherwise the garbage collector would not find one that was dropped.

import { largestSlabCopy } from '../encoding/byte-slab.ts'
import { copyBytes } from '../encoding/bytes.ts'
import type { ByteRange } from '../engine/bounds.ts'
import { malformed } from './messages.ts'
import type { ClientSession } from './client-session.ts'
import type { Link } from './link.ts'
import { RowReader } from './rows.ts'
import { gone, type Scope } from './scope.ts'
import { operation, rangeField } from './wire.ts'

const firstRows = 100
const laterRows = 1_024

interface Batch {
  readonly rows: RowReader
  readonly isLast: boolean
}

export class RowFeed {
  /** The batch whose current row is to be delivered. */
  rows = new RowReader(new Uint8Array(0))
  readonly #session: ClientSession
  readonly #scope: Scope
  readonly #path: Uint8Array
  readonly #range: ByteRange
  readonly #keysOnly: boolean
  readonly #iterator: number
  readonly #generation: number
  readonly #forgetReport: () => void
  #link: Link | undefined
  #hasStarted = false
  #isLast = false
  #isDone = false
  #delivered = 0
  #reported = 0
  /** The last key of the batch before this one. */
  #keyBefore: Uint8Array | undefined
  #ahead: Promise<Batch> | undefined

  constructor(session: ClientSession, scope: Scope, path: Uint8Array, range: ByteRange, keysOnly: boolean) {
    this.#session = session
    this.#scope = scope
    this.#path = path
    this.#range = range
    this.#keysOnly = keysOnly
    this.#iterator = session.connection.newHandle()
    this.#generation = session.generation
    this.#forgetReport = scope.addIterator(() => this.#report(false, false))
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** Goes to the next row if it is here already; undefined when it must be waited for, false at the end. */
  step(): boolean | undefined {
    if (this.#isDone) return false
    this.#check()
    if (this.rows.next()) {
      this.#delivered++
      return true
    }
    if (!this.#isLast) return undefined
    this.#finish(this.#delivered < this.#range.limit)
    return false
  }

  /** Waits for the next batch. */
  async load(): Promise<void> {
    this.#check()
    const batch = await (this.#ahead ?? this.#ask())
    this.#ahead = undefined
    if (this.#isDone) return
    this.#keyBefore = this.#lastKey()
    this.rows = batch.rows
    this.#isLast = batch.isLast
    if (!batch.isLast && this.#delivered > 0) {
      this.#ahead = this.#ask()
      // Whoever takes the next step is told.
      this.#ahead.catch(() => undefined)
    }
  }

  /** Lets go of what the owner holds for it; may be called again. */
  close(): void {
    if (this.#isDone) return
    this.#finish(false)
  }

  #check(): void {
    this.#scope.check()
    if (!this.#hasStarted) return
    if (this.#link?.isLost === true) throw gone('iterator')
    this.#session.checkGeneration(this.#generation)
  }

  #finish(isExhausted: boolean): void {
    this.#isDone = true
    this.#forgetReport()
    if (this.#hasStarted && !(this.#isLast && this.#scope.at === 0)) this.#report(isExhausted, true)
  }

  /** Tells the owner how far it has been read. */
  #report(isExhausted: boolean, ends: boolean): void {
    if (!this.#hasStarted || this.#link === undefined) return
    const isNew = this.#delivered > this.#reported
    this.#reported = this.#delivered
    if (!isNew && !isExhausted && !ends) return
    const lastKey = isNew ? this.#lastKey() : undefined
    this.#link.tell(operation.delivered, this.#iterator, lastKey, isExhausted, ends)
  }

  /** The key of the row that was delivered last, which may be one of the batch before. */
  #lastKey(): Uint8Array | undefined {
    const { bytes, keyStart, keyEnd } = this.rows
    // No key is empty.
    return keyEnd === 0 ? this.#keyBefore : bytes.slice(keyStart, keyEnd)
  }

  #ask(): Promise<Batch> {
    return new Promise((resolve, reject) => {
      const sink = {
        onLost: 'gone' as const,
        resolve: (value: unknown) => {
          try {
            resolve(batchOf(value))
          } catch (error) {
            reject(error)
          }
        },
        reject,
        sent: (link: Link) => {
          this.#link = link
          // It was closed while there was no owner to be told: behind the request itself, then.
          if (this.#isDone) queueMicrotask(() => link.tell(operation.delivered, this.#iterator, undefined, false, true))
        }
      }
      if (!this.#hasStarted) {
        this.#hasStarted = true
        const range = rangeField(this.#range)
        const fields = [this.#scope.at, this.#path, range, this.#keysOnly, this.#iterator, firstRows]
        this.#scope.send(operation.iterate, fields, sink)
      } else {
        const request = { operation: operation.nextRows, fields: [this.#iterator, laterRows], sink, attempts: 1 }
        this.#link?.send(request)
      }
    })
  }
}

function batchOf(value: unknown): Batch {
  if (!Array.isArray(value)) throw malformed('a batch is not a list')
  const [bytes, isLast]: unknown[] = value
  if (!(bytes instanceof Uint8Array) || typeof isLast !== 'boolean') throw malformed('a batch has no rows')
  // Small batches share a buffer with values, and callers may hand over the buffer of a value that they got.
  const own = bytes.length > largestSlabCopy ? bytes : copyBytes(bytes, 0, bytes.length)
  return { rows: new RowReader(own), isLast }
}
