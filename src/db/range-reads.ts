import type { KeyEncodingChoice, KeyIn, ValueEncodingChoice, ValueIn } from './encoding-types.ts'
import { EntryIterator, type IteratorSource, KeyIterator, ValueIterator } from './iterators.ts'
import type { RangeIterator, RangeReadOptions } from './types.ts'

/** The iterators over a keyspace; how its rows are found is up to the class that extends this one. */
export abstract class RangeReads<K, V> {
  /** Checks `range` and makes what an iterator over it needs. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  protected abstract iteratorSource(range: unknown, where: string, keysOnly: boolean): IteratorSource

  entries<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE>
  ): RangeIterator<[KeyIn<K, KE>, ValueIn<V, VE>]>
  entries(range?: unknown): RangeIterator<[unknown, unknown]> {
    return new EntryIterator(this.iteratorSource(range, 'entries', false))
  }

  keys<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE>
  ): RangeIterator<KeyIn<K, KE>>
  keys(range?: unknown): RangeIterator<unknown> {
    return new KeyIterator(this.iteratorSource(range, 'keys', true))
  }

  values<KE extends KeyEncodingChoice = undefined, VE extends ValueEncodingChoice = undefined>(
    range?: RangeReadOptions<K, KE, VE>
  ): RangeIterator<ValueIn<V, VE>>
  values(range?: unknown): RangeIterator<unknown> {
    return new ValueIterator(this.iteratorSource(range, 'values', false))
  }
}
