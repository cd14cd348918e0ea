import { checkKnown } from '../encoding/arguments.ts'
import { inOperation } from '../encoding/failure.ts'
import type { Transaction as OpenTransaction } from '../txn/transaction.ts'
import type { TreeView } from '../txn/tree-view.ts'
import { parseOperations } from './batch.ts'
import { checkKeys, type Encodings, encodingNames, encodingsOf } from './call-options.ts'
import type { EncodingOptions, KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import { batchUseOf, type IteratorSource } from './iterators.ts'
import { parseRange, rangeAndEncodingNames } from './range.ts'
import { RangeReads } from './range-reads.ts'
import type { Place } from './session.ts'
import { checkForUpdate } from './transaction-options.ts'
import type { ForUpdateOptions, TransactionKeyspace } from './transaction-types.ts'
import type { BatchOperation, ClearOptions, RangeReadOptions, ReadOptions } from './types.ts'
import { freeze } from './cacheable.ts'

const none = {}

/** One keyspace in a transaction on an engine in this thread. */
export class LocalTransactionKeyspace<K, V> extends RangeReads<K, V> implements TransactionKeyspace<K, V> {
  protected readonly place: Place
  protected readonly open: OpenTransaction
  /** The handle, kept because a collected handle rolls the transaction back; undefined: it is this object. */
  readonly #owner: unknown
  #view: TreeView | undefined

  constructor(place: Place, transaction: OpenTransaction, owner: unknown) {
    super()
    this.place = place
    this.open = transaction
    this.#owner = owner
  }

  get<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE>
  ): ValueIn<V, VE> | undefined
  get(key: unknown, options?: unknown): unknown {
    const { keyEncoding, valueEncoding } = this.#encodings(options, 'get')
    return this.#freeze(this.#viewed().get(key, keyEncoding, valueEncoding))
  }

  getMany<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    keys: readonly KeyIn<K, KE>[],
    options?: ReadOptions<KE, VE>
  ): (ValueIn<V, VE> | undefined)[]
  getMany(keys: unknown, options?: unknown): unknown[] {
    const checked = checkKeys(keys)
    const { keyEncoding, valueEncoding } = this.#encodings(options, 'getMany')
    const view = this.#viewed()
    const values: unknown[] = []
    // By index, for a hole in the array is a key that is missing.
    for (let i = 0; i < checked.length; i++) values.push(this.#freeze(view.get(checked[i], keyEncoding, valueEncoding)))
    if (checked.length === 0) this.open.checkUse()
    return values
  }

  has<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ReadOptions<KE, VE>
  ): boolean
  has(key: unknown, options?: unknown): boolean {
    return this.#viewed().has(key, this.#encodings(options, 'has').keyEncoding)
  }

  count<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE>
  ): number
  count(range?: unknown): number {
    const { keyEncoding } = this.#rangeEncodings(range, 'count')
    return this.#viewed().count(parseRange(range, keyEncoding, rangeAndEncodingNames, 'count'))
  }

  getForUpdate<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: ForUpdateOptions<KE, VE>
  ): Promise<ValueIn<V, VE> | undefined>
  getForUpdate(key: unknown, options?: unknown): Promise<unknown> {
    // Thrown, not rejected: in the body of `transactionSync` nobody would see a rejection.
    this.open.checkWaits()
    return this.#getForUpdate(key, options)
  }

  put<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    value: ValueIn<V, VE>,
    options?: EncodingOptions<KE, VE>
  ): void
  put(key: unknown, value: unknown, options?: unknown): void {
    const { keyEncoding, valueEncoding } = this.#encodings(options, 'put')
    this.#viewed().put(key, keyEncoding, value, valueEncoding)
  }

  del<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    key: KeyIn<K, KE>,
    options?: EncodingOptions<KE, VE>
  ): void
  del(key: unknown, options?: unknown): void {
    this.#viewed().del(key, this.#encodings(options, 'del').keyEncoding)
  }

  batch<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    operations: readonly BatchOperation<KeyIn<K, KE>, ValueIn<V, VE>>[],
    options?: EncodingOptions<KE, VE>
  ): void
  batch(operations: unknown, options?: unknown): void {
    const given = checkKnown(options, encodingNames, 'batch')
    const parsed = parseOperations(operations, this.place, given, 'batch')
    this.open.checkWritable()
    // Everything is encoded before anything is written.
    const prepared = parsed.map((operation, i) => {
      const view = this.open.view(operation.tree, operation.cached)
      const { key, keyEncoding } = operation
      try {
        return operation.type === 'put'
          ? view.preparePut(key, keyEncoding, operation.value, operation.valueEncoding)
          : view.prepareDel(key, keyEncoding)
      } catch (error) {
        throw inOperation(error, i)
      }
    })
    for (const write of prepared) write.view.apply(write)
  }

  clear<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: ClearOptions<K, KE, VE>
  ): void
  clear(range?: unknown): void {
    const { keyEncoding } = this.#rangeEncodings(range, 'clear')
    this.#viewed().clear(parseRange(range, keyEncoding, rangeAndEncodingNames, 'clear'))
  }

  #getForUpdate(key: unknown, options: unknown): Promise<unknown> {
    const { place } = this
    try {
      const given = checkForUpdate(place, options)
      const value = this.open.getForUpdate(this.#viewed(), key, given.keyEncoding, given.valueEncoding, given)
      return place.session.cache === undefined ? value : value.then(found => this.#freeze(found))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  protected iteratorSource(range: unknown, where: string, keysOnly: boolean): IteratorSource {
    const { keyEncoding, valueEncoding } = this.#rangeEncodings(range, where)
    const bytes = parseRange(range, keyEncoding, rangeAndEncodingNames, where)
    const cursor = this.#viewed().cursor(bytes, keysOnly, batchUseOf(keyEncoding, valueEncoding))
    const { session } = this.place
    return { session, cursor, snapshot: undefined, keyEncoding, valueEncoding, holder: this.#owner ?? this }
  }

  #viewed(): TreeView {
    this.#view ??= this.open.view(this.place.tree, this.place.cached)
    return this.#view
  }

  #encodings(options: unknown, where: string): Encodings {
    if (options === undefined) return this.place
    return encodingsOf(this.place, checkKnown(options, encodingNames, where), none, where)
  }

  #rangeEncodings(range: unknown, where: string): Encodings {
    if (range === undefined) return this.place
    return encodingsOf(this.place, checkKnown(range, rangeAndEncodingNames, where), none, where)
  }

  /** With a value cache everything read is frozen, so that no program depends on what is in it. */
  #freeze(value: unknown): unknown {
    if (this.place.session.cache !== undefined) freeze(value)
    return value
  }
}
