import { writeBytes } from './bytes.ts'
import type { ValueEncoding } from './encoding.ts'
import { invalidArgument, undecodable, unencodable } from './failure.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import { MsgpackWriter } from './msgpack-writer.ts'

/**
 * `'msgpack'`: any structured value. It round-trips null, booleans, numbers (NaN and -0 too), bigints, well-formed
 * strings, dates, array buffers and their views, arrays, plain objects, maps and sets, and `undefined` inside of them.
 * Objects of classes come back as plain ones. The format stands in msgpack-format.ts.
 */
export class MsgpackEncoding implements ValueEncoding<unknown> {
  readonly name = 'msgpack'
  readonly callsBack = false
  readonly aliasesOwned = false
  readonly #writer = new MsgpackWriter()
  readonly #reader = new MsgpackReader()
  #writing = false

  write(value: unknown, target: Uint8Array, at: number, capacity: number): number {
    const { out } = this.#written(value)
    return writeBytes(out.bytes, out.length, target, at, capacity)
  }

  encode(value: unknown): Uint8Array {
    return this.#written(value).out.take()
  }

  read(source: Uint8Array, start: number, end: number): unknown {
    try {
      return this.#reader.read(source, start, end)
    } catch (error) {
      // The caller has used up the stack, or a string is longer than the platform allows.
      if (error instanceof RangeError)
        throw undecodable('The stored value is too large to be read here.', { cause: error })
      throw error
    }
  }

  readOwned(source: Uint8Array, start: number, end: number): unknown {
    return this.read(source, start, end)
  }

  #written(value: unknown): MsgpackWriter {
    // A getter in the value may use this encoding: it gets another writer.
    const writer = this.#writing ? new MsgpackWriter() : this.#writer
    const outer = this.#writing
    this.#writing = true
    try {
      writer.write(value)
    } catch (error) {
      if (error instanceof RangeError)
        throw invalidArgument('The value is too large. Store it in parts.', { cause: error })
      throw unencodable(error, this.name, value)
    } finally {
      this.#writing = outer
    }
    return writer
  }
}
