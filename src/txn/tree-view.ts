// One keyspace as a transaction sees it: its own writes on top of its snapshot. What is read and written is recorded
// for validation.
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { ByteRange } from '../engine/bounds.ts'
import type { BatchUse, Cursor, Tree } from '../engine/engine.ts'
import { binaryKeys, toBinary } from './binary-key.ts'
import { overlap } from './key-ranges.ts'
import type { Lock } from './locks.ts'
import { keyRangeOf, RangeRead, ReadSet } from './read-set.ts'
import { SortedCursor } from './sorted-map.ts'
import type { Transaction } from './transaction.ts'
import { TransactionCursor } from './transaction-cursor.ts'
import type { StoredValue, ValueArena } from './value-arena.ts'
import { WriteSet } from './write-set.ts'

/** Memory that an entry of a write set takes in addition to its bytes, roughly. */
const entryBytes = 96

/** Decoded values that go out of date when a transaction commits. */
export interface CachedValues {
  forget(key: unknown, encoding: KeyEncoding<unknown>): void
  forgetAll(): void
}

/** Up to so many keys are removed from the value cache one by one; beyond that the whole keyspace is. */
const mostForgotten = 1_024

/** An encoded write; null deletes. */
export interface PreparedWrite {
  readonly view: TreeView
  readonly key: string
  readonly value: StoredValue | null
}

export class TreeView {
  readonly transaction: Transaction
  readonly tree: Tree
  readonly #cached: CachedValues | undefined
  /** Undefined until something is written, read or locked. */
  writes: WriteSet | undefined
  reads: ReadSet | undefined
  /** Locks of keys that were read by `getForUpdate`. */
  locked: Lock[] | undefined

  constructor(transaction: Transaction, tree: Tree, cached: CachedValues | undefined) {
    this.transaction = transaction
    this.tree = tree
    this.#cached = cached
  }

  get(key: unknown, keyEncoding: KeyEncoding<unknown>, valueEncoding: ValueEncoding<unknown>): unknown {
    const { transaction } = this
    transaction.checkUse()
    const isText = typeof key === 'string' && !keyEncoding.callsBack
    if (isText && this.writes === undefined && !transaction.recordsReads) {
      const snapshot = transaction.readingSnapshot()
      return transaction.engine.get(this.tree, snapshot, key, keyEncoding, valueEncoding)
    }
    const name = transaction.keys.read(key, keyEncoding)
    if (isText) return this.getBinary(name, key, keyEncoding, valueEncoding)
    // The caller's code encodes only once: the second time it might give another result, or commit something.
    return this.getBinary(name, name, binaryKeys, valueEncoding)
  }

  /** The same for a key as a binary string; `key` and `keyEncoding` are what it was made from. */
  getBinary(
    name: string,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    valueEncoding: ValueEncoding<unknown>
  ): unknown {
    const { transaction } = this
    transaction.checkUse()
    const written = this.writes?.find(name)
    if (written === null) return undefined
    if (written?.isOnDisk === true) {
      const bytes = transaction.engine.readValue(written.bytes)
      return valueEncoding.readOwned(bytes, 0, bytes.length)
    }
    if (written !== undefined) return valueEncoding.read(written.bytes, written.start, written.end)
    const snapshot = transaction.readingSnapshot()
    if (transaction.recordsReads) this.readSet().addKey(name)
    return transaction.engine.get(this.tree, snapshot, key, keyEncoding, valueEncoding)
  }

  has(key: unknown, keyEncoding: KeyEncoding<unknown>): boolean {
    const { transaction } = this
    transaction.checkUse()
    const name = transaction.keys.read(key, keyEncoding)
    transaction.checkUse()
    const written = this.writes?.find(name)
    if (written !== undefined) return written !== null
    const snapshot = transaction.readingSnapshot()
    if (transaction.recordsReads) this.readSet().addKey(name)
    return transaction.engine.has(this.tree, snapshot, name, binaryKeys)
  }

  count(range: ByteRange): number {
    const { transaction } = this
    transaction.checkUse()
    const keys = keyRangeOf(range)
    if (range.limit === Number.POSITIVE_INFINITY && !this.#hasWrittenIn(keys)) {
      const snapshot = transaction.readingSnapshot()
      if (transaction.recordsReads) this.readSet().addRange(keys)
      return transaction.engine.count(this.tree, snapshot, range)
    }
    let count = 0
    this.#walk(range, () => count++)
    return count
  }

  cursor(range: ByteRange, keysOnly: boolean, use: BatchUse = 'reused'): Cursor {
    this.transaction.checkUse()
    return new TransactionCursor(this, range, keysOnly, use)
  }

  /** The same for rows that are passed on: `noteDelivered` reports how many of them have been taken. */
  deferredCursor(range: ByteRange, keysOnly: boolean): TransactionCursor {
    this.transaction.checkUse()
    return new TransactionCursor(this, range, keysOnly, 'reused', true)
  }

  put(key: unknown, keyEncoding: KeyEncoding<unknown>, value: unknown, valueEncoding: ValueEncoding<unknown>): void {
    this.apply(this.preparePut(key, keyEncoding, value, valueEncoding))
  }

  del(key: unknown, keyEncoding: KeyEncoding<unknown>): void {
    this.apply(this.prepareDel(key, keyEncoding))
  }

  /** Encodes a write; nothing has changed. */
  preparePut(
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): PreparedWrite {
    const { transaction } = this
    transaction.checkWritable()
    const name = transaction.keys.read(key, keyEncoding)
    const stored = transaction.store(value, valueEncoding)
    transaction.charge(name.length + stored.length + entryBytes)
    return { view: this, key: name, value: stored }
  }

  prepareDel(key: unknown, keyEncoding: KeyEncoding<unknown>): PreparedWrite {
    const { transaction } = this
    transaction.checkWritable()
    const name = transaction.keys.read(key, keyEncoding)
    transaction.charge(name.length + entryBytes)
    return { view: this, key: name, value: null }
  }

  apply({ key, value }: PreparedWrite): void {
    // An encoding may have run the caller's code, which may have ended the transaction.
    this.transaction.checkUse()
    this.#writeSet().set(key, value)
  }

  /** Deletes the keys in the range that the transaction sees. */
  clear(range: ByteRange): void {
    const { transaction } = this
    transaction.checkWritable()
    if (range.empty) return
    const keys = keyRangeOf(range)
    if (transaction.isolation !== 'read-committed' && range.limit === Number.POSITIVE_INFINITY) {
      transaction.readingSnapshot()
      transaction.charge(keys.from.length + (keys.to?.length ?? 0) + entryBytes)
      this.#writeSet().clear(keys)
      return
    }
    // At read-committed only the keys seen now may be deleted, not what others store in the range until the commit.
    const names: string[] = []
    const read = new RangeRead(keys, range.reverse)
    const isWhole = this.#walk(range, (name, cursor) => {
      transaction.charge(name.length + entryBytes)
      names.push(name)
      read.deliver(cursor.bytes, cursor.keyStart, cursor.keyEnd)
    })
    if (isWhole) read.exhaust()
    const writes = this.#writeSet()
    for (const name of names) writes.set(name, null)
    if (transaction.isolation !== 'read-committed' && read.covered !== undefined) writes.guard(read.covered)
  }

  /** What was written is committed. */
  forgetCached(): void {
    const cached = this.#cached
    const { writes } = this
    if (cached === undefined || writes === undefined || writes.isEmpty) return
    if (writes.cleared.length > 0 || writes.entries.size > mostForgotten) {
      cached.forgetAll()
      return
    }
    for (const { keys } of writes.entries.blocks) for (const key of keys) cached.forget(key, binaryKeys)
  }

  /** The large values of the entries belong to a commit now: ending the transaction must not free them. */
  keepValues(arena: ValueArena): void {
    for (const { values } of this.writes?.entries.blocks ?? []) {
      for (const value of values) if (value !== null) arena.keep(value)
    }
  }

  readSet(): ReadSet {
    this.reads ??= new ReadSet()
    return this.reads
  }

  #writeSet(): WriteSet {
    this.writes ??= new WriteSet()
    return this.writes
  }

  #hasWrittenIn(keys: { readonly from: string; readonly to: string | undefined }): boolean {
    const { writes } = this
    if (writes === undefined || writes.isEmpty) return false
    if (writes.cleared.some(range => overlap(range, keys))) return true
    const { key } = new SortedCursor(writes.entries.pin(), keys.from)
    return key !== undefined && (keys.to === undefined || key < keys.to)
  }

  /** Visits the keys of a range; tells whether it got to the bound. */
  #walk(range: ByteRange, visit: (name: string, cursor: Cursor) => void): boolean {
    const cursor = this.cursor(range, true)
    let rows = 0
    try {
      for (let filled = cursor.fill(); filled > 0; filled = cursor.fill()) {
        for (let i = 0; i < filled; i++) {
          cursor.row(i)
          visit(toBinary(cursor.bytes, cursor.keyStart, cursor.keyEnd), cursor)
        }
        rows += filled
      }
    } finally {
      cursor.close()
    }
    return rows < range.limit
  }
}
