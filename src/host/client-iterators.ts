// A client's iterators.

import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { underKey } from '../db/decoding-error.ts'
import { asyncDispose } from '../db/disposal.ts'
import { abortError } from '../encoding/failure.ts'
import type { LightningError } from '../errors.ts'
import type { ClientSession } from './client-session.ts'
import type { RowFeed } from './row-feed.ts'
import type { ClientIterator } from './types.ts'

/** What an iterator needs. */
export interface IteratorSource {
  readonly session: ClientSession
  readonly feed: RowFeed
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
  readonly signal: AbortSignal | undefined
  /** Kept, for a snapshot or transaction ends when its handle is collected. */
  readonly holder: unknown
}

/** Turns the current row into what is delivered. */
type Decoder<T> = (source: IteratorSource) => T

const end: IteratorResult<never, undefined> = { done: true, value: undefined }

class RowIterator<T> implements ClientIterator<T> {
  readonly #source: IteratorSource
  readonly #decode: Decoder<T>
  /** Steps that are not answered yet; the next one waits for them. */
  #steps = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(source: IteratorSource, decode: Decoder<T>) {
    this.#source = source
    this.#decode = decode
    source.session.watch(this, source.feed)
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#steps === 0) {
      try {
        const result = this.#take()
        if (result !== undefined) return Promise.resolve(result)
      } catch (error) {
        this.#close()
        return Promise.reject(error)
      }
    }
    // The first of several asks at once, so that it comes before the calls behind it.
    const step = this.#steps++ === 0 ? this.#step() : this.#last.then(() => this.#step())
    this.#last = step.catch(() => undefined)
    return step
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#close()
    return end
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [asyncDispose](): Promise<void> {
    this.#close()
  }

  async #step(): Promise<IteratorResult<T, undefined>> {
    try {
      while (true) {
        const result = this.#take()
        if (result !== undefined) return result
        await this.#load()
      }
    } catch (error) {
      // `for await` does not call `return` after a failed step.
      this.#close()
      throw error
    } finally {
      this.#steps--
    }
  }

  /** The next row if it is here; undefined when it must be waited for. */
  #take(): IteratorResult<T, undefined> | undefined {
    const { feed, signal, session } = this.#source
    if (feed.isDone) return end
    if (signal?.aborted === true) throw aborted(signal)
    const isThere = feed.step()
    if (isThere === undefined) return undefined
    if (isThere) return { done: false, value: this.#decoded() }
    session.unwatch(this)
    return end
  }

  #decoded(): T {
    const { bytes, keyStart, keyEnd } = this.#source.feed.rows
    try {
      return this.#decode(this.#source)
    } catch (error) {
      throw underKey(error, bytes.subarray(keyStart, keyEnd))
    }
  }

  async #load(): Promise<void> {
    const { feed, signal } = this.#source
    if (signal === undefined) {
      await feed.load()
      return
    }
    let stop: () => void = () => undefined
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(aborted(signal))
      signal.addEventListener('abort', stop, { once: true })
    })
    try {
      await Promise.race([feed.load(), stopped])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #close(): void {
    const { feed, session } = this.#source
    session.unwatch(this)
    feed.close()
  }
}

/** Pairs of key and value. */
export function entryIterator(source: IteratorSource): ClientIterator<[unknown, unknown]> {
  return new RowIterator(source, decodeEntry)
}

/** Keys alone. */
export function keyIterator(source: IteratorSource): ClientIterator<unknown> {
  return new RowIterator(source, decodeKey)
}

/** Values alone. */
export function valueIterator(source: IteratorSource): ClientIterator<unknown> {
  return new RowIterator(source, decodeValue)
}

function decodeEntry(source: IteratorSource): [unknown, unknown] {
  const { bytes, keyStart, keyEnd } = source.feed.rows
  // A codec may take a step itself, and the rows are at another one then.
  const value = decodeValue(source)
  return [source.keyEncoding.read(bytes, keyStart, keyEnd), value]
}

function decodeKey({ feed, keyEncoding }: IteratorSource): unknown {
  const { rows } = feed
  return keyEncoding.read(rows.bytes, rows.keyStart, rows.keyEnd)
}

function decodeValue({ feed, valueEncoding, session }: IteratorSource): unknown {
  const { rows } = feed
  return session.share(valueEncoding.read(rows.bytes, rows.keyEnd, rows.valueEnd))
}

function aborted(signal: AbortSignal): LightningError {
  return abortError(signal, 'The iterator was aborted by its signal.')
}
