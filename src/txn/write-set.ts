// What a transaction has written to one keyspace and nobody else sees yet: entries (a value, or null for a deleted key)
// and cleared ranges below them. An entry counts before a cleared range: clearing removes the entries inside, so those
// that are there came later.
import { type KeyRange, normalized, rangeAt } from './key-ranges.ts'
import { SortedMap, type SortedView } from './sorted-map.ts'
import type { StoredValue } from './value-arena.ts'

/** A write set as it was at some moment. */
export interface WriteView {
  readonly entries: SortedView<StoredValue | null>
  /** Normalized. */
  readonly cleared: readonly KeyRange[]
  readonly guarded: readonly KeyRange[]
}

export class WriteSet {
  readonly entries = new SortedMap<StoredValue | null>()
  #cleared: readonly KeyRange[] = none
  #guarded: readonly KeyRange[] = none

  /** Nothing was written, or everything was undone. */
  get isEmpty(): boolean {
    return this.entries.size === 0 && this.#cleared.length === 0 && this.#guarded.length === 0
  }

  /** The entry, if nothing else was written. */
  get onlyEntry(): { readonly key: string; readonly value: StoredValue | null } | undefined {
    return this.#guarded.length === 0 && this.#cleared.length === 0 ? this.entries.only : undefined
  }

  /** Ranges that are empty below the entries. */
  get cleared(): readonly KeyRange[] {
    return this.#cleared
  }

  /** Ranges that were cleared: another commit into one is a conflict. */
  get guarded(): readonly KeyRange[] {
    return this.#guarded
  }

  /** The value written, null when the key was deleted, undefined when it was not touched. */
  find(key: string): StoredValue | null | undefined {
    const entry = this.entries.get(key)
    if (entry !== undefined || this.#cleared.length === 0) return entry
    return rangeAt(this.#cleared, key) === undefined ? undefined : null
  }

  set(key: string, value: StoredValue | null): void {
    this.entries.set(key, value)
  }

  /** Deletes everything in the range. */
  clear(range: KeyRange): void {
    this.entries.removeRange(range.from, range.to, () => undefined)
    this.#cleared = normalized([...this.#cleared, range])
    this.guard(range)
  }

  /** Another commit into the range is a conflict. */
  guard(range: KeyRange): void {
    this.#guarded = normalized([...this.#guarded, range])
  }

  pin(): WriteView {
    return { entries: this.entries.pin(), cleared: this.#cleared, guarded: this.#guarded }
  }

  restore(view: WriteView): void {
    this.entries.restore(view.entries)
    this.#cleared = view.cleared
    this.#guarded = view.guarded
  }
}

const none: readonly KeyRange[] = []

/** A write set in which nothing has been written. */
export const emptyView: WriteView = new WriteSet().pin()
