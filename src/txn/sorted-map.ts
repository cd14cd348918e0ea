// A sorted map of binary strings of which a view can be kept at no cost.
//
// Entries are in blocks, sorted arrays of some hundred keys. A key is found by two binary searches, and an insertion
// moves at most one block. `pin` returns a view of the map as it is now: from then on each block, and the list of
// blocks, is copied before its first change (copy on write, by a version number in each). Iterators pin what they walk
// over, and a savepoint is a pin that can be restored. Neither costs anything until something is written.

import { smallArray } from './small-array.ts'

/** Up to so many entries are moved one by one to make room for another. */
const mostMoved = 16
/** Entries of a full block; one that overflows is cut in two. */
const mostEntries = 256

interface Block<V> {
  readonly keys: string[]
  readonly values: V[]
  /** Version of the map that may change it in place. */
  readonly version: number
}

/** A map as it was when it was pinned. */
export class SortedView<V> {
  readonly blocks: readonly Block<V>[]
  readonly size: number

  constructor(blocks: readonly Block<V>[], size: number) {
    this.blocks = blocks
    this.size = size
  }
}

export class SortedMap<V extends NonNullable<unknown> | null> {
  #blocks: Block<V>[] = []
  #size = 0
  #version = 0
  #listVersion = 0

  /** Number of entries. */
  get size(): number {
    return this.#size
  }

  /** The entry of a map that has just one. */
  get only(): { readonly key: string; readonly value: V } | undefined {
    if (this.#size !== 1) return undefined
    const [block] = this.#blocks
    const key = block?.keys[0]
    const value = block?.values[0]
    return key === undefined || value === undefined ? undefined : { key, value }
  }

  /** The entries as they are now, for whoever is done with them before anything is written. Unlike a pin it costs nothing. */
  get blocks(): readonly Block<V>[] {
    return this.#blocks
  }

  /** The value of a key, or undefined. */
  get(key: string): V | undefined {
    const block = this.#blocks[blockOf(this.#blocks, key)]
    if (block === undefined) return undefined
    const at = indexOf(block.keys, key)
    return block.keys[at] === key ? block.values[at] : undefined
  }

  /** Sets the value of a key; gives the one that it had. */
  set(key: string, value: V): V | undefined {
    if (this.#blocks.length === 0) {
      this.#blocks = [{ keys: smallArray(key), values: smallArray(value), version: this.#version }]
      this.#listVersion = this.#version
      this.#size = 1
      return undefined
    }
    const i = Math.max(0, blockOf(this.#blocks, key))
    const block = this.#own(i)
    const { keys, values } = block
    // Keys often come in order.
    const last = keys.length - 1
    const at = i === this.#blocks.length - 1 && key > (keys[last] ?? '') ? last + 1 : indexOf(keys, key)
    if (keys[at] === key) {
      const previous = values[at]
      values[at] = value
      return previous
    }
    this.#size++
    insert(keys, at, key)
    insert(values, at, value)
    if (keys.length > mostEntries) this.#split(i, block, at === keys.length - 1)
    return undefined
  }

  /**
   * Removes the keys from `from` on, up to but without `to` (undefined: all further ones); tells each value to `visit`.
   */
  removeRange(from: string, to: string | undefined, visit: (key: string, value: V) => void): void {
    let i = Math.max(0, blockOf(this.#blocks, from))
    while (i < this.#blocks.length) {
      const first = this.#blocks[i]?.keys[0] ?? ''
      if (to !== undefined && first >= to) return
      const { keys } = this.#blocks[i] ?? { keys: [] }
      const start = indexOf(keys, from)
      const end = to === undefined ? keys.length : indexOf(keys, to)
      if (start < end) {
        const block = this.#own(i)
        const removed = block.keys.splice(start, end - start)
        const values = block.values.splice(start, end - start)
        for (const [n, value] of values.entries()) visit(removed[n] ?? '', value)
        this.#size -= removed.length
        if (block.keys.length === 0) {
          this.#ownList().splice(i, 1)
          continue
        }
      }
      i++
    }
  }

  /** The map as it is now, whatever is written afterwards. */
  pin(): SortedView<V> {
    if (PLANTED_BUG !== 32) this.#version++
    return new SortedView(this.#blocks, this.#size)
  }

  /** Makes the map what it was when `view` was pinned. */
  restore(view: SortedView<V>): void {
    this.#version++
    // The blocks have an older version, so they are copied before they are changed.
    this.#blocks = [...view.blocks]
    this.#listVersion = this.#version
    this.#size = view.size
  }

  /** The list of blocks, to be changed. */
  #ownList(): Block<V>[] {
    if (this.#listVersion !== this.#version) {
      this.#blocks = [...this.#blocks]
      this.#listVersion = this.#version
    }
    return this.#blocks
  }

  /** A block, to be changed. */
  #own(i: number): Block<V> {
    const block = this.#blocks[i] ?? { keys: [], values: [], version: -1 }
    if (block.version === this.#version) return block
    const own = { keys: [...block.keys], values: [...block.values], version: this.#version }
    this.#ownList()[i] = own
    return own
  }

  #split(i: number, block: Block<V>, isAppending: boolean): void {
    // A full block stays full where keys come in order.
    const at = isAppending ? block.keys.length - 1 : block.keys.length >> 1
    this.#ownList().splice(i + 1, 0, {
      keys: block.keys.splice(at),
      values: block.values.splice(at),
      version: this.#version
    })
  }
}

/** A place between the entries of a view. */
export class SortedCursor<V> {
  readonly #blocks: readonly Block<V>[]
  #block = 0
  #index = 0

  /** Stands before the first key that is not below `from`. */
  constructor(view: SortedView<V>, from: string) {
    this.#blocks = view.blocks
    this.seek(from)
  }

  /** Moves before the first key that is not below `from`. */
  seek(from: string): void {
    this.#block = Math.max(0, blockOf(this.#blocks, from))
    this.#index = indexOf(this.#blocks[this.#block]?.keys ?? [], from)
    if (this.#index === this.#blocks[this.#block]?.keys.length) this.next()
  }

  /** Moves behind the last key of all. */
  seekEnd(): void {
    this.#block = this.#blocks.length
    this.#index = 0
  }

  /** The key behind this place; undefined at the end. */
  get key(): string | undefined {
    return this.#blocks[this.#block]?.keys[this.#index]
  }

  /** The value that goes with `key`. */
  get value(): V | undefined {
    return this.#blocks[this.#block]?.values[this.#index]
  }

  /** Moves behind the next key. */
  next(): void {
    this.#index++
    if (this.#index >= (this.#blocks[this.#block]?.keys.length ?? 0)) {
      this.#block++
      this.#index = 0
    }
  }

  /** Moves before the previous key; false, without moving, when there is none. */
  previous(): boolean {
    if (this.#index > 0) {
      this.#index--
      return true
    }
    const before = this.#blocks[this.#block - 1]
    if (before === undefined) return false
    this.#block--
    this.#index = before.keys.length - 1
    return true
  }
}

/** As `splice` does, which makes an array of what it removes, even of nothing. */
function insert<T extends NonNullable<unknown> | null>(items: T[], at: number, item: T): void {
  if (items.length - at > mostMoved) {
    items.splice(at, 0, item)
    return
  }
  items.push(item)
  for (let i = items.length - 1; i > at; i--) {
    const before = items[i - 1]
    if (before !== undefined) items[i] = before
  }
  items[at] = item
}

/** The last block whose first key is not above `key`; -1 when there is none. */
function blockOf(blocks: readonly { readonly keys: readonly string[] }[], key: string): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((blocks[middle]?.keys[0] ?? '') <= key) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Index of the first key that is not below `key`. */
function indexOf(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
