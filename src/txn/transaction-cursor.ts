// A cursor over a range as a transaction sees it: the rows of its snapshot and its own writes, merged. The write set is
// pinned at the first step, so later writes do not show. Where the transaction has written nothing in the range, the
// rows come straight from the engine.
import { type ByteRange, clampBounds } from '../engine/bounds.ts'
import type { BatchUse, Cursor } from '../engine/engine.ts'
import { toBinary } from './binary-key.ts'
import { type KeyRange, overlap, rangeAt } from './key-ranges.ts'
import { keyRangeOf, RangeRead } from './read-set.ts'
import { SortedCursor } from './sorted-map.ts'
import type { TreeView } from './tree-view.ts'
import type { StoredValue } from './value-arena.ts'
import type { WriteView } from './write-set.ts'

/** Rows of a merged batch; the engine's batches are no longer. */
const mostRows = 1_024

interface OwnRow {
  readonly key: string
  readonly value: StoredValue
}

/** How far a range was read, where rows are loaded here and taken elsewhere. */
export interface DeferredReads {
  /** The rows until `lastKey` were taken (undefined: none), and the range was read to its bound if `isExhausted`. */
  noteDelivered(lastKey: Uint8Array | undefined, isExhausted: boolean): void
}

export class TransactionCursor implements Cursor, DeferredReads {
  bytes: Uint8Array = new Uint8Array(0)
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  isLarge = false
  isKept = false
  readonly #view: TreeView
  readonly #range: ByteRange
  readonly #keys: KeyRange
  readonly #keysOnly: boolean
  readonly #use: BatchUse
  /** What was read is what `noteDelivered` says, not what was loaded. */
  readonly #isDeferred: boolean
  #read: RangeRead | undefined
  #inner: Cursor | undefined
  #merge: Merge | undefined
  #current: StoredValue | undefined
  #left: number
  #isDone = false

  constructor(view: TreeView, range: ByteRange, keysOnly: boolean, use: BatchUse, isDeferred = false) {
    this.#view = view
    this.#isDeferred = isDeferred
    this.#range = clampBounds(range)
    this.#keys = keyRangeOf(this.#range)
    this.#keysOnly = keysOnly
    this.#use = use
    this.#left = range.limit
  }

  get isHolding(): boolean {
    return this.#inner?.isHolding ?? false
  }

  fill(): number {
    this.#view.transaction.checkUse()
    if (this.#isDone) return 0
    // The bytes of the last row are used again.
    this.#read?.settle()
    this.#inner ??= this.#start()
    const rows = this.#merge === undefined ? this.#inner.fill() : this.#merge.fill(this.#left)
    if (rows > 0) return rows
    if (this.#isDeferred) {
      this.#inner?.close()
      return 0
    }
    if (this.#left > 0) this.#read?.exhaust()
    this.close()
    return 0
  }

  row(i: number): void {
    this.#view.transaction.checkUse()
    this.#left--
    const own = this.#merge?.select(i)
    if (own !== undefined) this.#showOwn(own)
    else if (this.#inner !== undefined) {
      if (this.#merge === undefined) this.#inner.row(i)
      this.#show(this.#inner)
    }
    if (!this.#isDeferred) this.#read?.deliver(this.bytes, this.keyStart, this.keyEnd)
  }

  noteDelivered(lastKey: Uint8Array | undefined, isExhausted: boolean): void {
    if (lastKey !== undefined) this.#read?.deliver(lastKey, 0, lastKey.length)
    if (isExhausted) this.#read?.exhaust()
  }

  large(): Uint8Array {
    const own = this.#current
    if (own !== undefined) return this.#view.transaction.engine.readValue(own.bytes)
    return this.#inner?.large() ?? this.bytes
  }

  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    if (this.#read !== undefined) this.#view.reads?.close(this.#read)
    this.#inner?.close()
  }

  #start(): Cursor {
    const { transaction } = this.#view
    const written = this.#writtenInside()
    const { reverse, limit } = this.#range
    const range = written === undefined ? this.#range : { ...this.#range, limit: atMost(limit, written) }
    const snapshot = transaction.readingSnapshot()
    const inner = transaction.engine.cursor(this.#view.tree, snapshot, range, this.#keysOnly, this.#use)
    if (written !== undefined) this.#merge = new Merge(inner, written, this.#keys, reverse)
    if (transaction.recordsReads) {
      this.#read = new RangeRead(this.#keys, reverse)
      this.#view.readSet().open(this.#read)
    }
    return inner
  }

  /** The transaction's writes, if any concern the range. */
  #writtenInside(): WriteView | undefined {
    const { writes } = this.#view
    if (writes === undefined || this.#range.empty || writes.isEmpty) return undefined
    const { from, to } = this.#keys
    const view = writes.pin()
    const { key } = new SortedCursor(view.entries, from)
    const isInside = key !== undefined && (to === undefined || key < to)
    return isInside || view.cleared.some(range => overlap(range, this.#keys)) ? view : undefined
  }

  #show(inner: Cursor): void {
    this.#current = undefined
    this.bytes = inner.bytes
    this.keyStart = inner.keyStart
    this.keyEnd = inner.keyEnd
    this.valueStart = inner.valueStart
    this.valueEnd = inner.valueEnd
    this.isLarge = inner.isLarge
    this.isKept = inner.isKept
  }

  #showOwn({ key, value }: OwnRow): void {
    this.#current = value
    this.isLarge = value.isOnDisk
    this.isKept = true
    const valueBytes = this.isLarge || this.#keysOnly ? 0 : value.length
    const bytes = new Uint8Array(key.length + valueBytes)
    for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i)
    if (valueBytes > 0) bytes.set(value.bytes.subarray(value.start, value.end), key.length)
    this.bytes = bytes
    this.keyStart = 0
    this.keyEnd = key.length
    this.valueStart = key.length
    this.valueEnd = key.length + valueBytes
  }
}

/** Rows of the engine that may be needed: every write may hide one of them. */
function atMost(limit: number, { entries, cleared }: WriteView): number {
  return cleared.length > 0 ? Number.POSITIVE_INFINITY : limit + entries.size
}

/** Two ordered runs of rows made one; where both have a key the transaction's own counts. */
class Merge {
  readonly #inner: Cursor
  readonly #cleared: readonly KeyRange[]
  readonly #range: KeyRange
  readonly #isReverse: boolean
  readonly #own: SortedCursor<StoredValue | null>
  #ownKey: string | undefined
  /** Rows of the engine's batch, and how many of them are merged. */
  #innerRows = 0
  #merged = 0
  #innerKey: string | undefined
  /** Row of the engine's batch that it points to. */
  #pointed = -1
  /** The batch: a row of the engine's, or one of the transaction's own. */
  readonly #rows: (number | OwnRow)[] = []

  constructor(inner: Cursor, written: WriteView, range: KeyRange, isReverse: boolean) {
    this.#inner = inner
    this.#cleared = written.cleared
    this.#range = range
    this.#isReverse = isReverse
    this.#own = new SortedCursor(written.entries, range.from)
    if (isReverse) {
      if (range.to === undefined) this.#own.seekEnd()
      else this.#own.seek(range.to)
      this.#stepOwn()
    } else this.#ownKey = this.#ownInside()
    this.#loadInner()
  }

  /** Merges the next batch of at most `limit` rows. */
  fill(limit: number): number {
    this.#rows.length = 0
    const most = Math.min(limit, mostRows)
    while (this.#rows.length < most) {
      // The next batch of the engine takes the place of this one, which must have been delivered.
      if (this.#innerKey === undefined && this.#innerRows > 0) {
        if (this.#rows.length > 0) break
        this.#loadInner()
      }
      const inner = this.#innerKey
      const own = this.#ownKey
      if (own !== undefined && (inner === undefined || own === inner || this.#isBefore(own, inner))) {
        const value = this.#own.value
        if (value !== null && value !== undefined) this.#rows.push({ key: own, value })
        this.#stepOwn()
        if (own === inner) this.#stepInner()
      } else if (inner !== undefined) {
        if (this.#cleared.length === 0 || rangeAt(this.#cleared, inner) === undefined) this.#rows.push(this.#merged)
        this.#stepInner()
      } else break
    }
    return this.#rows.length
  }

  /** Points the engine's cursor to a row of the batch, or gives one of the transaction's own. */
  select(i: number): OwnRow | undefined {
    const row = this.#rows[i]
    if (typeof row !== 'number') return row
    // The engine's rows are cheap in order and dear out of it.
    if (this.#pointed > row) {
      this.#pointed = 0
      this.#inner.row(0)
    }
    while (this.#pointed < row) this.#inner.row(++this.#pointed)
    return undefined
  }

  #isBefore(a: string, b: string): boolean {
    return this.#isReverse ? a > b : a < b
  }

  #loadInner(): void {
    this.#innerRows = this.#inner.fill()
    this.#merged = -1
    this.#pointed = -1
    this.#stepInner()
  }

  #stepInner(): void {
    this.#merged++
    if (this.#merged >= this.#innerRows) {
      this.#innerKey = undefined
      return
    }
    const inner = this.#inner
    if (this.#pointed !== this.#merged - 1) for (let i = 0; i < this.#merged; i++) inner.row(i)
    inner.row(this.#merged)
    this.#pointed = this.#merged
    this.#innerKey = toBinary(inner.bytes, inner.keyStart, inner.keyEnd)
  }

  #stepOwn(): void {
    if (this.#isReverse) this.#ownKey = this.#own.previous() ? this.#ownInside() : undefined
    else {
      this.#own.next()
      this.#ownKey = this.#ownInside()
    }
  }

  /** The key at the own cursor, unless it lies outside the range. */
  #ownInside(): string | undefined {
    const { key } = this.#own
    const { from, to } = this.#range
    return key !== undefined && key >= from && (to === undefined || key < to) ? key : undefined
  }
}
