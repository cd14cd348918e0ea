import { writeBytes } from './bytes.ts'
import type { KeyEncoding, TupleKey } from './encoding.ts'
import { unencodable } from './failure.ts'
import { QuickTupleWriter } from './quick-tuple-writer.ts'
import { TupleReader } from './tuple-reader.ts'
import { TupleWriter } from './tuple-writer.ts'

/**
 * `'tuple'`: null, booleans, numbers, dates, strings and bytes, and arrays of them, in this order; arrays element by
 * element, the shorter first. 0 and -0 are one key, which reads as 0. The format stands in tuple-format.ts.
 */
export class TupleEncoding implements KeyEncoding<unknown> {
  readonly name = 'tuple'
  readonly callsBack = false
  readonly aliasesOwned = false
  readonly #quick = new QuickTupleWriter()
  readonly #writer = new TupleWriter()
  readonly #reader = new TupleReader()
  #writing = false

  write(key: unknown, target: Uint8Array, at: number, capacity: number): number {
    try {
      const quick = this.#quick.write(key, target, at, capacity)
      if (quick >= 0) return quick
    } catch (error) {
      throw unencodable(error, this.name, key)
    }
    const { out } = this.#written(key)
    return writeBytes(out.bytes, out.length, target, at, capacity)
  }

  encode(key: unknown): Uint8Array {
    return this.#written(key).out.take()
  }

  read(source: Uint8Array, start: number, end: number): TupleKey {
    return this.#reader.read(source, start, end)
  }

  readOwned(source: Uint8Array, start: number, end: number): TupleKey {
    return this.read(source, start, end)
  }

  /** An array is the prefix of the arrays that begin with its elements; anything else only of itself. */
  encodePrefix(prefix: unknown): Uint8Array {
    return this.encode(prefix)
  }

  #written(key: unknown): TupleWriter {
    // A key may be a proxy, whose code may use this encoding: it gets another writer.
    const writer = this.#writing ? new TupleWriter() : this.#writer
    const outer = this.#writing
    this.#writing = true
    try {
      writer.write(key)
    } catch (error) {
      throw unencodable(error, this.name, key)
    } finally {
      this.#writing = outer
    }
    return writer
  }
}
