// The option `valueCache`: decoded values of hot keys, so that a read of one costs a look-up in a `Map`.
//
// Only reads by text keys (`keyEncoding: 'utf8'`) are served: the key itself finds its entry then, without encoding.
// Writes with any encoding are noticed. Since one decoded value is handed to many callers, only values that nobody can
// change are kept: primitives, and arrays and plain objects of such, which are frozen. They are frozen whether they get
// into the cache or not, so that no program depends on what happens to be there.
//
// Eviction is the clock algorithm: a hand goes round over the slots, clears marks of use and takes the first slot
// without one.

import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { isText } from './cacheable.ts'

/** Text of more UTF-16 units is not kept: the cache counts entries, not bytes. */
const largestText = 65_536

interface Entry {
  readonly owner: Map<string, Entry>
  readonly key: string
  readonly slot: number
  /** What the value was decoded with; other encodings would make another value of the same bytes. */
  readonly encoding: ValueEncoding<unknown>
  readonly value: unknown
  /** Of the engine's state that the value was read from. A rollback, which may take the value away, changes it. */
  readonly generation: number
  wasUsed: boolean
}

/** The entries of all keyspaces of a database. */
export class ValueCache {
  #capacity: number
  #slots: (Entry | undefined)[] = []
  #free: number[] = []
  #hand = 0
  #changes = 0
  // Weak, for names of sublevels may come and go without end; entries keep their keyspace's map alive.
  readonly #keyspaces = new Map<string, WeakRef<CachedKeyspace>>()
  readonly #forgotten = new FinalizationRegistry<string>(id => {
    if (this.#keyspaces.get(id)?.deref() === undefined) this.#keyspaces.delete(id)
  })

  /** `capacity` is the largest number of entries, over all keyspaces. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Number of values kept now. */
  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Counts every removal; a value decoded while it changed may be out of date. */
  get changes(): number {
    return this.#changes
  }

  /** The part for one keyspace, which all its handles share. */
  keyspace(path: readonly string[]): CachedKeyspace {
    const id = JSON.stringify(path)
    const known = this.#keyspaces.get(id)?.deref()
    if (known !== undefined) return known
    const made = new CachedKeyspace(this)
    this.#keyspaces.set(id, new WeakRef(made))
    this.#forgotten.register(made, id)
    return made
  }

  clear(): void {
    this.#changes++
    for (const entry of this.#slots) entry?.owner.delete(entry.key)
    this.#slots = []
    this.#free = []
    this.#hand = 0
  }

  /** Forgets everything, and keeps nothing from now on. */
  end(): void {
    this.clear()
    this.#capacity = 0
  }

  add(
    owner: Map<string, Entry>,
    key: string,
    encoding: ValueEncoding<unknown>,
    value: unknown,
    generation: number
  ): void {
    if (this.#capacity === 0) return
    const replaced = owner.get(key)
    if (replaced !== undefined) this.#vacate(replaced)
    const slot = this.#takeSlot()
    const entry: Entry = { owner, key, slot, encoding, value, generation, wasUsed: false }
    this.#slots[slot] = entry
    owner.set(key, entry)
  }

  remove(entry: Entry): void {
    this.#changes++
    this.#vacate(entry)
  }

  /** A change of something that was not kept. */
  touch(): void {
    this.#changes++
  }

  #vacate(entry: Entry): void {
    entry.owner.delete(entry.key)
    this.#slots[entry.slot] = undefined
    this.#free.push(entry.slot)
  }

  #takeSlot(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#slots.length < this.#capacity) return this.#slots.length
    // Two rounds at most: the first clears every mark.
    while (true) {
      const slot = this.#hand
      this.#hand = (slot + 1) % this.#slots.length
      const entry = this.#slots[slot]
      if (entry?.wasUsed === true) {
        entry.wasUsed = false
        continue
      }
      entry?.owner.delete(entry.key)
      return slot
    }
  }
}

/** The entries of one keyspace. */
export class CachedKeyspace {
  readonly #cache: ValueCache
  readonly #entries = new Map<string, Entry>()

  constructor(cache: ValueCache) {
    this.#cache = cache
  }

  /** As those of the whole cache. */
  get changes(): number {
    return this.#cache.changes
  }

  /**
   * The value of a key, or undefined when it is not kept (`undefined` itself never is). `generation` is the engine's
   * own of now.
   */
  find(key: string, encoding: ValueEncoding<unknown>, generation: number): unknown {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.encoding !== encoding || entry.generation !== generation) return undefined
    if (!entry.wasUsed) entry.wasUsed = true
    return entry.value
  }

  /** Keeps a value that cannot change any more. */
  keep(key: string, encoding: ValueEncoding<unknown>, value: unknown, generation: number): void {
    if (value === undefined || (typeof value === 'string' && value.length > largestText)) return
    this.#cache.add(this.#entries, key, encoding, value, generation)
  }

  /** To be called after each write to a key. */
  forget(key: unknown, encoding: KeyEncoding<unknown>): void {
    this.#cache.touch()
    if (this.#entries.size === 0) return
    if (typeof key === 'string' && isText(encoding)) {
      this.#remove(key)
      return
    }
    if (encoding.callsBack || typeof key === 'object') {
      // Encoding once more could give other bytes: a getter in the value may have written into those of the key.
      this.forgetAll()
      return
    }
    // Bytes that are no text are the key of no entry; what a lenient decoder makes of them does no harm.
    this.#remove(new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoding.encode(key)))
  }

  /** To be called after writes to many keys. */
  forgetAll(): void {
    this.#cache.touch()
    for (const entry of [...this.#entries.values()]) this.#cache.remove(entry)
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#cache.remove(entry)
  }
}
