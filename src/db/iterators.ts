// Iterators over ranges. They are written by hand, since a generator would double the cost of a row.

import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { BatchUse, Cursor, Snapshot } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import { underKey } from './decoding-error.ts'
import { dispose } from './disposal.ts'
import type { Session } from './session.ts'
import type { RangeIterator } from './types.ts'
import { freeze } from './cacheable.ts'

/** What an iterator needs: a cursor over its range and what shares the database. */
export interface IteratorSource {
  readonly session: Session
  readonly cursor: Cursor
  /** The snapshot to read; undefined: the state at the first step. */
  readonly snapshot: Snapshot | undefined
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
  /** The handle of the snapshot or transaction, kept because a collected handle closes it. */
  readonly holder: unknown
}

/** How the rows of a range are used that are decoded by these encodings. */
export function batchUseOf(keyEncoding: KeyEncoding<unknown>, valueEncoding: ValueEncoding<unknown>): BatchUse {
  // The caller's code may end the iterator in the middle of a row, and start another.
  if (keyEncoding.callsBack || valueEncoding.callsBack) return 'kept'
  return valueEncoding.aliasesOwned ? 'kept if long' : 'reused'
}

abstract class RowIterator<T> implements RangeIterator<T> {
  protected readonly source: IteratorSource
  readonly #cursor: Cursor
  #row = 0
  #rows = 0
  #generation = 0
  #hasStarted = false
  #isWatched = false
  #isDone = false

  constructor(source: IteratorSource) {
    this.source = source
    this.#cursor = source.cursor
  }

  next(): IteratorResult<T, undefined> {
    if (this.#isDone) return { done: true, value: undefined }
    try {
      if (this.#row === this.#rows) {
        if (!this.#fill()) return this.return()
      } else this.#checkCurrent()
      this.#cursor.row(this.#row++)
      return { done: false, value: this.#decoded() }
    } catch (error) {
      // `for … of` does not call `return` after a failed step.
      this.return()
      throw error
    }
  }

  return(): IteratorResult<T, undefined> {
    if (!this.#isDone) {
      this.#isDone = true
      if (this.#isWatched) this.source.session.unwatch(this)
      this.#cursor.close()
    }
    return { done: true, value: undefined }
  }

  [Symbol.iterator](): this {
    return this
  }

  [dispose](): void {
    this.return()
  }

  #decoded(): T {
    const cursor = this.#cursor
    const { bytes, keyStart, keyEnd } = cursor
    try {
      return this.decode(cursor)
    } catch (error) {
      throw underKey(error, bytes.subarray(keyStart, keyEnd))
    }
  }

  /** The cursor's current row as the caller gets it. */
  protected abstract decode(cursor: Cursor): T

  /** Throws if the state that the loaded rows are from is gone: then they are not delivered any more. */
  #checkCurrent(): void {
    const { session, snapshot } = this.source
    const isCurrent = !session.isClosed && session.engine.generation === this.#generation
    if (isCurrent && snapshot?.isOpen !== false) return
    // Loading more makes the cursor throw the reason, unless there is nothing left to load.
    this.#cursor.fill()
    if (!isCurrent) throw session.closedError('iterator')
    throw new LightningError('LIGHTNING_CLOSED', 'The snapshot of the iterator is closed. Take a new one.')
  }

  #fill(): boolean {
    const { session } = this.source
    if (this.#hasStarted) this.#checkCurrent()
    else {
      this.#hasStarted = true
      this.#generation = session.engine.generation
    }
    this.#row = 0
    this.#rows = this.#cursor.fill()
    if (!this.#isWatched && this.#rows > 0 && this.#cursor.isHolding) {
      this.#isWatched = true
      session.watch(this, this.#cursor)
    }
    return this.#rows > 0
  }
}

/** Pairs of key and value. */
export class EntryIterator extends RowIterator<[unknown, unknown]> {
  protected override decode(cursor: Cursor): [unknown, unknown] {
    const { bytes, keyStart, keyEnd } = cursor
    // A codec may take a step itself, and the cursor is at another row then.
    const value = decodeValue(this.source, cursor)
    return [this.source.keyEncoding.read(bytes, keyStart, keyEnd), value]
  }
}

/** Keys alone. */
export class KeyIterator extends RowIterator<unknown> {
  protected override decode(cursor: Cursor): unknown {
    return this.source.keyEncoding.read(cursor.bytes, cursor.keyStart, cursor.keyEnd)
  }
}

/** Values alone. */
export class ValueIterator extends RowIterator<unknown> {
  protected override decode(cursor: Cursor): unknown {
    return decodeValue(this.source, cursor)
  }
}

function decodeValue(source: IteratorSource, cursor: Cursor): unknown {
  const value = cursor.isLarge ? decodeLarge(source, cursor.large()) : decodeSmall(source.valueEncoding, cursor)
  if (source.session.cache !== undefined) freeze(value)
  return value
}

function decodeSmall(encoding: ValueEncoding<unknown>, { bytes, valueStart, valueEnd, isKept }: Cursor): unknown {
  return isKept ? encoding.readOwned(bytes, valueStart, valueEnd) : encoding.read(bytes, valueStart, valueEnd)
}

function decodeLarge(source: IteratorSource, bytes: Uint8Array): unknown {
  return source.valueEncoding.readOwned(bytes, 0, bytes.length)
}
