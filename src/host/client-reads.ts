// Reads of a client: keys are encoded here and values decoded, so the owner sees bytes only.

import { checkKnown, type KnownNames } from '../encoding/arguments.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { checkFunction, checkKeys, encodingNames, encodingsOf, readNames } from '../db/call-options.ts'
import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from '../db/encoding-types.ts'
import { checkSignal } from '../db/options.ts'
import { parseRange, rangeAndEncodingNames, readRangeNames } from '../db/range.ts'
import { entryIterator, type IteratorSource, keyIterator, valueIterator } from './client-iterators.ts'
import type { ClientPlace } from './client-session.ts'
import { malformed } from './messages.ts'
import { RowFeed } from './row-feed.ts'
import { ask, type Scope } from './scope.ts'
import type {
  ClientIterator,
  ClientIteratorOptions,
  ClientRangeReadOptions,
  ClientReadOptions,
  ClientReads
} from './types.ts'
import { operation, rangeField } from './wire.ts'

/** How one call reads. */
interface ReadCall {
  readonly scope: Scope
  /** The handle that keeps the scope open. */
  readonly holder: unknown
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
}

const iteratorNames: KnownNames = new Set([...readRangeNames, 'signal'])
const iteratorWithinNames: KnownNames = new Set([...rangeAndEncodingNames, 'signal'])

/** Reads of one keyspace through a scope: the newest state, a snapshot or a transaction. */
export class RemoteReads<K, V> implements ClientReads<K, V> {
  protected readonly place: ClientPlace
  protected readonly scope: Scope
  /** Kept, for the scope ends when its handle is collected; undefined: this is the handle. */
  readonly #owner: unknown

  constructor(place: ClientPlace, scope: Scope, owner: unknown) {
    this.place = place
    this.scope = scope
    this.#owner = owner
  }

  get<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ClientReadOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
  get(key: unknown, options?: unknown): Promise<unknown> {
    return this.#attempt(
      () => this.#readCall(options, 'get'),
      ({ scope, keyEncoding, valueEncoding }) =>
        ask(
          scope,
          operation.get,
          'repeat',
          () => [scope.at, this.place.tree.path, this.place.session.fields.encode(keyEncoding, key)],
          value => this.decode(value, valueEncoding)
        )
    )
  }

  getMany<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: ClientReadOptions<KE, VE>
  ): Promise<(ValueIn<V, VE> | undefined)[]>
  getMany(keys: unknown, options?: unknown): Promise<unknown[]> {
    return this.#attempt(
      () => this.#readCall(options, 'getMany'),
      ({ scope, keyEncoding, valueEncoding }) =>
        ask(
          scope,
          operation.getMany,
          'repeat',
          () => {
            const checked = checkKeys(keys)
            // By index, for a hole in the array is a key that is missing.
            const encoded: Uint8Array[] = []
            for (let i = 0; i < checked.length; i++)
              encoded.push(this.place.session.fields.encode(keyEncoding, checked[i]))
            return [scope.at, this.place.tree.path, encoded]
          },
          values => listOf(values).map(value => this.decode(value, valueEncoding))
        )
    )
  }

  has<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ClientReadOptions<KE, VE>
  ): Promise<boolean>
  has(key: unknown, options?: unknown): Promise<boolean> {
    return this.#attempt(
      () => this.#readCall(options, 'has'),
      ({ scope, keyEncoding }) =>
        ask(
          scope,
          operation.has,
          'repeat',
          () => [scope.at, this.place.tree.path, this.place.session.fields.encode(keyEncoding, key)],
          found => found === true
        )
    )
  }

  read<R, KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    callback: (bytes: Uint8Array) => R,
    options?: ClientReadOptions<KE, VE>
  ): Promise<R | undefined>
  read(key: unknown, callback: unknown, options?: unknown): Promise<unknown> {
    return this.#attempt(
      () => this.#readCall(options, 'read'),
      ({ scope, keyEncoding }) => {
        const checked = checkFunction(callback, 'read, the callback')
        return ask(
          scope,
          operation.get,
          'repeat',
          () => [scope.at, this.place.tree.path, this.place.session.fields.encode(keyEncoding, key)],
          value => (value === undefined ? undefined : this.place.session.loan.lend(bytesOf(value).slice(), checked))
        )
      }
    )
  }

  count<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientRangeReadOptions<K, KE, VE>
  ): Promise<number>
  count(range?: unknown): Promise<number> {
    return this.#attempt(
      () => this.#readCall(range, 'count', this.#rangeNames),
      ({ scope, keyEncoding }) =>
        ask(
          scope,
          operation.count,
          'repeat',
          () => [scope.at, this.place.tree.path, rangeField(parseRange(range, keyEncoding, this.#rangeNames, 'count'))],
          Number
        )
    )
  }

  entries<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE>
  ): ClientIterator<[KeyIn<K, KE>, ValueIn<V, VE>]>
  entries(range?: unknown): ClientIterator<[unknown, unknown]> {
    return entryIterator(this.#iteratorSource(range, 'entries', false))
  }

  keys<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE>
  ): ClientIterator<KeyIn<K, KE>>
  keys(range?: unknown): ClientIterator<unknown> {
    return keyIterator(this.#iteratorSource(range, 'keys', true))
  }

  values<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClientIteratorOptions<K, KE, VE>
  ): ClientIterator<ValueIn<V, VE>>
  values(range?: unknown): ClientIterator<unknown> {
    return valueIterator(this.#iteratorSource(range, 'values', false))
  }

  /** What is wrong with the options becomes a rejection of the scope's own kind of promise. */
  #attempt<T>(parse: () => ReadCall, run: (call: ReadCall) => Promise<T>): Promise<T> {
    try {
      return run(parse())
    } catch (error) {
      return this.scope.promise<T>((_, reject) => reject(error))
    }
  }

  #iteratorSource(range: unknown, where: string, keysOnly: boolean): IteratorSource {
    const names = this.#isNewest ? iteratorNames : iteratorWithinNames
    const { scope, holder, keyEncoding, valueEncoding } = this.#readCall(range, where, names)
    const signal =
      range === undefined ? undefined : checkSignal(Reflect.get(Object(range), 'signal'), `${where}, signal`)
    const bytes = parseRange(range, keyEncoding, names, where)
    const { session, tree } = this.place
    // A transaction that has ended makes none; otherwise the first step tells.
    if (!this.#isNewest && scope === this.scope) scope.check()
    const feed = new RowFeed(session, scope, tree.path, bytes, keysOnly)
    return { session, feed, keyEncoding, valueEncoding, signal, holder }
  }

  protected decode(value: unknown, encoding: ValueEncoding<unknown>): unknown {
    if (value === undefined) return undefined
    const bytes = bytesOf(value)
    return this.place.session.share(encoding.readOwned(bytes, 0, bytes.length))
  }

  get #isNewest(): boolean {
    return this.scope.at === 0
  }

  get #rangeNames(): KnownNames {
    return this.#isNewest ? readRangeNames : rangeAndEncodingNames
  }

  /** Takes from options or a range what all reads have in common. */
  #readCall(options: unknown, where: string, names: KnownNames = this.#isNewest ? readNames : encodingNames): ReadCall {
    const holder = this.#owner ?? this
    if (options === undefined) {
      const { keyEncoding, valueEncoding } = this.place
      return { scope: this.scope, holder, keyEncoding, valueEncoding }
    }
    const given = checkKnown(options, names, where)
    const encodings = encodingsOf(this.place, given, {}, where)
    if (given.snapshot === undefined) return { scope: this.scope, holder, ...encodings }
    return { scope: this.place.session.snapshotOf(given.snapshot, where), holder: given.snapshot, ...encodings }
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw malformed('a value is not a byte string')
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed('values are not a list')
}
