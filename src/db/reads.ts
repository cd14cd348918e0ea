import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { checkKnown, type KnownNames } from '../encoding/arguments.ts'
import type { ByteRange } from '../engine/bounds.ts'
import type { Engine, Snapshot as EngineSnapshot, Tree } from '../engine/engine.ts'
import { checkFunction, checkKeys, encodingNames, encodingsOf, readNames } from './call-options.ts'
import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import { batchUseOf, type IteratorSource } from './iterators.ts'
import { parseRange, rangeAndEncodingNames, readRangeNames } from './range.ts'
import { RangeReads } from './range-reads.ts'
import type { Place } from './session.ts'
import type { RangeReadOptions, ReadOptions, Reads } from './types.ts'
import { freeze, isText } from './cacheable.ts'
import type { CachedKeyspace } from './value-cache.ts'

/** How one call reads. */
interface ReadCall {
  readonly snapshot: EngineSnapshot | undefined
  /** The handle that keeps the snapshot open; kept here, since a collected handle closes its snapshot. */
  readonly holder: unknown
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
}

/**
 * Reads of one keyspace, at a snapshot or of the newest state. The overloads say which keys and values the encodings
 * give; the implementations take everything as `unknown` and check it.
 */
export class LocalReads<K, V> extends RangeReads<K, V> implements Reads<K, V> {
  protected readonly place: Place
  readonly #engine: Engine
  readonly #tree: Tree
  readonly #keyEncoding: KeyEncoding<unknown>
  readonly #valueEncoding: ValueEncoding<unknown>
  /** What every read sees; undefined: the newest state, or the snapshot that a call names. */
  readonly #snapshot: EngineSnapshot | undefined
  readonly #cached: CachedKeyspace | undefined
  /** `#cached`, if reads without options may be served from it. */
  readonly #cachedText: CachedKeyspace | undefined

  constructor(place: Place, snapshot: EngineSnapshot | undefined) {
    super()
    this.place = place
    this.#engine = place.session.engine
    this.#tree = place.tree
    this.#keyEncoding = place.keyEncoding
    this.#valueEncoding = place.valueEncoding
    this.#snapshot = snapshot
    this.#cached = place.cached
    this.#cachedText = snapshot === undefined && isText(place.keyEncoding) ? place.cached : undefined
  }

  get<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE>
  ): ValueIn<V, VE> | undefined
  get(key: unknown, options?: unknown): unknown {
    if (options !== undefined) return this.#get(key, this.#readCall(options, 'get'))
    const cached = this.#cachedText
    if (cached !== undefined && typeof key === 'string') {
      const known = cached.find(key, this.#valueEncoding, this.#engine.generation)
      return known === undefined ? this.#getAndKeep(cached, key, this.#keyEncoding, this.#valueEncoding) : known
    }
    const value = this.#engine.get(this.#tree, this.#snapshot, key, this.#keyEncoding, this.#valueEncoding)
    if (this.#cached !== undefined) freeze(value)
    return value
  }

  getMany<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: ReadOptions<KE, VE>
  ): (ValueIn<V, VE> | undefined)[]
  getMany(keys: unknown, options?: unknown): unknown[] {
    const checked = checkKeys(keys)
    const call = this.#readCall(options, 'getMany')
    // By index, for a hole in the array is a key that is missing.
    const values: unknown[] = []
    for (let i = 0; i < checked.length; i++) values.push(this.#get(checked[i], call))
    if (checked.length === 0) this.#engine.checkReadable(call.snapshot)
    return values
  }

  has<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE>
  ): boolean
  has(key: unknown, options?: unknown): boolean {
    if (options === undefined) return this.#engine.has(this.#tree, this.#snapshot, key, this.#keyEncoding)
    const { snapshot, keyEncoding } = this.#readCall(options, 'has')
    return this.#engine.has(this.#tree, snapshot, key, keyEncoding)
  }

  read<R, KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    callback: (bytes: Uint8Array) => R,
    options?: ReadOptions<KE, VE>
  ): R | undefined
  read(key: unknown, callback: unknown, options?: unknown): unknown {
    const call = this.#readCall(options, 'read')
    const checked = checkFunction(callback, 'read, the callback')
    return this.#engine.read(this.#tree, call.snapshot, key, call.keyEncoding, checked)
  }

  count<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE>
  ): number
  count(range?: unknown): number {
    const { snapshot, keyEncoding } = this.#readCall(range, 'count', true)
    return this.#engine.count(this.#tree, snapshot, this.#parseRange(range, keyEncoding, 'count'))
  }

  #get(key: unknown, call: ReadCall): unknown {
    const cached = this.#cached
    if (cached !== undefined && call.snapshot === undefined && typeof key === 'string' && isText(call.keyEncoding)) {
      const known = cached.find(key, call.valueEncoding, this.#engine.generation)
      return known === undefined ? this.#getAndKeep(cached, key, call.keyEncoding, call.valueEncoding) : known
    }
    const value = this.#engine.get(this.#tree, call.snapshot, key, call.keyEncoding, call.valueEncoding)
    if (cached !== undefined) freeze(value)
    return value
  }

  #getAndKeep(
    cached: CachedKeyspace,
    key: string,
    keyEncoding: KeyEncoding<unknown>,
    valueEncoding: ValueEncoding<unknown>
  ): unknown {
    const { changes } = cached
    const { generation } = this.#engine
    const value = this.#engine.get(this.#tree, undefined, key, keyEncoding, valueEncoding)
    // A codec may have written while it decoded.
    if (freeze(value) && cached.changes === changes) cached.keep(key, valueEncoding, value, generation)
    return value
  }

  protected iteratorSource(range: unknown, where: string, keysOnly: boolean): IteratorSource {
    const { snapshot, holder, keyEncoding, valueEncoding } = this.#readCall(range, where, true)
    const bytes = this.#parseRange(range, keyEncoding, where)
    const use = batchUseOf(keyEncoding, valueEncoding)
    const cursor = this.#engine.cursor(this.#tree, snapshot, bytes, keysOnly, use)
    return { session: this.place.session, cursor, snapshot, keyEncoding, valueEncoding, holder }
  }

  #parseRange(range: unknown, keyEncoding: KeyEncoding<unknown>, where: string): ByteRange {
    return parseRange(range, keyEncoding, this.#rangeNames, where)
  }

  get #rangeNames(): KnownNames {
    return this.#snapshot === undefined ? readRangeNames : rangeAndEncodingNames
  }

  /** Checks what the options of all reads, ranges included, have in common. */
  #readCall(options: unknown, where: string, isRange = false): ReadCall {
    if (options === undefined) {
      const { keyEncoding, valueEncoding } = this.place
      return { snapshot: this.#snapshot, holder: this, keyEncoding, valueEncoding }
    }
    const ownNames = this.#snapshot === undefined ? readNames : encodingNames
    const given = checkKnown(options, isRange ? this.#rangeNames : ownNames, where)
    const encodings = encodingsOf(this.place, given, {}, where)
    if (given.snapshot === undefined) return { snapshot: this.#snapshot, holder: this, ...encodings }
    const snapshot = this.place.session.snapshotOf(given.snapshot, where)
    return { snapshot, holder: given.snapshot, ...encodings }
  }
}
