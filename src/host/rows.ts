// Rows of a range as one piece of bytes: for each row the lengths of key and value, 32 bits each, then the key, then
// the value.

import type { Cursor } from '../engine/engine.ts'
import { malformed } from './messages.ts'

/** A batch ends with the row that takes it over this. */
export const mostBatchBytes = 262_144

/** Takes rows from a cursor, as many as are asked for at a time, whatever batches it has itself. */
export class RowSource {
  readonly #cursor: Cursor
  readonly #keysOnly: boolean
  #row = 0
  #rows = 0
  #isDone = false
  /** Of the last batch, but for what a large row took over the end; the next one is likely to be about as long. */
  #bytes = 0

  constructor(cursor: Cursor, keysOnly: boolean) {
    this.#cursor = cursor
    this.#keysOnly = keysOnly
  }

  /** Whether there are no more rows. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** The next rows, `mostRows` at most. Throws what the cursor throws. */
  take(mostRows: number): Uint8Array {
    const cursor = this.#cursor
    const rows = new RowWriter(this.#bytes + (this.#bytes >>> 3))
    for (let count = 0; count < mostRows && rows.length < mostBatchBytes; count++) {
      if (this.#row === this.#rows) {
        this.#row = 0
        this.#rows = cursor.fill()
        if (this.#rows === 0) {
          this.#isDone = true
          break
        }
      }
      cursor.row(this.#row++)
      if (cursor.isLarge && !this.#keysOnly) {
        const value = cursor.large()
        rows.add(cursor.bytes, cursor.keyStart, cursor.keyEnd, value, 0, value.length)
        continue
      }
      const valueEnd = this.#keysOnly ? cursor.valueStart : cursor.valueEnd
      rows.add(cursor.bytes, cursor.keyStart, cursor.keyEnd, cursor.bytes, cursor.valueStart, valueEnd)
    }
    this.#bytes = Math.min(rows.length, mostBatchBytes)
    return rows.take()
  }

  close(): void {
    this.#cursor.close()
  }
}

class RowWriter {
  length = 0
  #bytes: Uint8Array
  #view: DataView

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(4_096, capacity))
    this.#view = new DataView(this.#bytes.buffer)
  }

  add(keys: Uint8Array, keyStart: number, keyEnd: number, values: Uint8Array, valueStart: number, valueEnd: number) {
    const keyBytes = keyEnd - keyStart
    const valueBytes = valueEnd - valueStart
    this.#reserve(8 + keyBytes + valueBytes)
    this.#view.setUint32(this.length, keyBytes, true)
    this.#view.setUint32(this.length + 4, valueBytes, true)
    this.#bytes.set(keys.subarray(keyStart, keyEnd), this.length + 8)
    this.#bytes.set(values.subarray(valueStart, valueEnd), this.length + 8 + keyBytes)
    this.length += 8 + keyBytes + valueBytes
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.length + bytes, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads a batch of rows, one after the other. */
export class RowReader {
  readonly bytes: Uint8Array
  keyStart = 0
  keyEnd = 0
  valueEnd = 0
  readonly #view: DataView
  #next = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Goes to the next row; false at the end. */
  next(): boolean {
    const at = this.#next
    if (at === this.bytes.length) return false
    if (at + 8 > this.bytes.length) throw malformed('a row is cut short')
    this.keyStart = at + 8
    this.keyEnd = this.keyStart + this.#view.getUint32(at, true)
    this.valueEnd = this.keyEnd + this.#view.getUint32(at + 4, true)
    if (this.valueEnd > this.bytes.length) throw malformed('a row is cut short')
    this.#next = this.valueEnd
    return true
  }
}
