// A cursor over a range. Rows come in batches, each copied out of the kernel's memory in one go, so until the next batch
// they stay valid whatever happens to the database. The first batch is read from the newest state. Only if there are
// more rows does the cursor take a snapshot, at that same moment; short ranges need none.
import { CELL_LARGE } from '../../assembly/page.ts'
import { SCAN_KEYS, SCAN_LOWER_OPEN, SCAN_REVERSE, SCAN_UPPER_CLOSED } from '../../assembly/scan.ts'
import { OUT, OUT_BYTES, OUT_MORE } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import { type ByteRange, clampBounds } from './bounds.ts'
import type { BatchBuffer } from './batch-buffers.ts'
import type { Core } from './core.ts'
import { readLarge } from './large-values.ts'
import { scanRange } from './scan-range.ts'
import { EngineSnapshot } from './snapshots.ts'
import type { TreeHandle } from './tree.ts'

const firstBatchRows = 128
const batchRows = 1_024
/** Longer rows gain nothing by a second copy (measured, docs/design.md). */
const longRowBytes = 256

/**
 * What becomes of the bytes of a batch. `'reused'`: they are overwritten after the last row; `'kept'`: they belong to
 * whoever reads the rows; `'kept if long'`: as `isKept` says.
 */
export type BatchUse = 'reused' | 'kept' | 'kept if long'

/** Rows of a range, batch by batch. */
export interface Cursor {
  /** Loads the next batch and returns its number of rows; 0 at the end (then the cursor has closed itself). */
  fill(): number
  /** Has the batch in it. Unless `isKept`, they are used for other rows after the next `fill`, or `close`. */
  readonly bytes: Uint8Array
  /** Whether nobody changes `bytes` any more, so that values may be views of them. */
  readonly isKept: boolean
  /** Sets `keyStart` to `isLarge` for row `i` of the batch. Quick only if the rows are visited in order. */
  row(i: number): void
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
  isLarge: boolean
  /** The large value of the current row, read now. */
  large(): Uint8Array
  /** Whether it holds a snapshot of its own, which an abandoned cursor would keep. */
  readonly isHolding: boolean
  /** Releases that snapshot. May be called again. */
  close(): void
}

const nothing = new Uint8Array(0)

export class EngineCursor implements Cursor {
  bytes: Uint8Array = nothing
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  isLarge = false
  isKept = false
  readonly #core: Core
  readonly #tree: TreeHandle
  readonly #keysOnly: boolean
  readonly #use: BatchUse
  readonly #reverse: boolean
  #snapshot: EngineSnapshot | undefined
  #ownsSnapshot = false
  #lower: Uint8Array | undefined
  #lowerOpen: boolean
  #upper: Uint8Array | undefined
  #upperOpen: boolean
  #left: number
  #isFirst = true
  #isDone: boolean
  #words: Uint32Array = new Uint32Array(0)
  #buffer: BatchBuffer | undefined
  #rows = 0
  #row = -1
  #next = 0

  constructor(
    core: Core,
    tree: TreeHandle,
    snapshot: EngineSnapshot | undefined,
    range: ByteRange,
    keysOnly: boolean,
    use: BatchUse
  ) {
    const { lower, lowerOpen, upper, upperOpen, reverse, limit, empty } = clampBounds(range)
    this.#core = core
    this.#tree = tree
    this.#snapshot = snapshot
    this.#keysOnly = keysOnly
    this.#use = use
    this.#reverse = reverse
    this.#lower = lower
    this.#lowerOpen = lowerOpen
    this.#upper = upper
    this.#upperOpen = upperOpen
    this.#left = limit
    this.#isDone = empty
  }

  get isHolding(): boolean {
    return this.#ownsSnapshot
  }

  fill(): number {
    if (this.#isDone) {
      if (this.#isFirst) this.#checkReadable()
      this.close()
      return 0
    }
    const limit = Math.min(this.#left, this.#isFirst ? firstBatchRows : batchRows)
    const place = this.#place()
    if (place === undefined) {
      this.close()
      return 0
    }
    const rows = scanRange(
      this.#core,
      place,
      this.#snapshot?.use() ?? 0,
      this.#options(),
      this.#lower,
      this.#upper,
      limit
    )
    this.#takeBatch(rows)
    this.#left -= rows
    const hasMore = this.#core.memory.word(OUT_MORE) !== 0 && this.#left > 0 && rows > 0
    if (!hasMore) this.#isDone = true
    // The rows after this batch, and large values of this one, must be read as they are now.
    if (this.#snapshot === undefined && (hasMore || (!this.#keysOnly && this.#hasLarge()))) {
      this.#snapshot = new EngineSnapshot(this.#core)
      this.#ownsSnapshot = true
    }
    if (hasMore) this.#moveBound(rows)
    this.#isFirst = false
    if (rows === 0) this.close()
    return rows
  }

  row(i: number): void {
    if (i === this.#row + 1) this.#row = i
    else {
      this.#next = 0
      for (this.#row = 0; this.#row < i; this.#row++) this.#skip()
    }
    const at = this.#next
    const keyBytes = this.#words[at >> 2]
    if (keyBytes === undefined) throw rowsGone()
    const word = this.#words[(at >> 2) + 1] ?? 0
    this.keyStart = at + 8
    this.keyEnd = this.keyStart + keyBytes
    this.valueStart = this.keyEnd
    this.valueEnd = this.keyEnd + (word & 0xffffff)
    this.isLarge = word >>> 24 !== 0 && ((word >>> 24) & CELL_LARGE) !== 0
    this.#next = (this.valueEnd + 3) & ~3
  }

  large(): Uint8Array {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.valueStart, 8)
    return readLarge(this.#core, view.getUint32(0, true), view.getUint32(4, true), this.#snapshot?.use() ?? 0)
  }

  close(): void {
    this.#isDone = true
    this.#giveBack()
    if (!this.#ownsSnapshot) return
    this.#ownsSnapshot = false
    this.#snapshot?.close()
  }

  #skip(): void {
    const at = this.#next
    const word = this.#words[(at >> 2) + 1] ?? 0
    this.#next = (at + 8 + (this.#words[at >> 2] ?? 0) + (word & 0xffffff) + 3) & ~3
  }

  /** Even an empty range is not readable when the database or the snapshot is closed. */
  #checkReadable(): void {
    this.#core.checkOpen()
    this.#snapshot?.use()
  }

  #place() {
    const core = this.#core
    if (this.#snapshot !== undefined) {
      this.#snapshot.use()
      return this.#snapshot.place(this.#tree)
    }
    core.checkOpen()
    return this.#tree.locate(core) ? this.#tree : undefined
  }

  #options(): number {
    return (
      (this.#reverse ? SCAN_REVERSE : 0) |
      (this.#keysOnly ? SCAN_KEYS : 0) |
      (this.#lowerOpen ? SCAN_LOWER_OPEN : 0) |
      (this.#upperOpen ? 0 : SCAN_UPPER_CLOSED)
    )
  }

  #takeBatch(rows: number): void {
    const { memory } = this.#core
    const from = memory.word(OUT)
    const length = memory.word(OUT_BYTES)
    this.isKept = this.#use === 'kept' || (this.#use === 'kept if long' && length > rows * longRowBytes)
    if (this.isKept) {
      this.#giveBack()
      // `slice` gives the bytes a buffer of their own, whose words can be read too.
      this.bytes = memory.bytes.slice(from, from + length)
      this.#words = new Uint32Array(this.bytes.buffer, 0, length >> 2)
    } else {
      const { bytes, words } = this.#bufferFor(length)
      bytes.set(memory.bytes.subarray(from, from + length))
      this.bytes = bytes
      this.#words = words
    }
    this.#rows = rows
    this.#row = -1
    this.#next = 0
  }

  #bufferFor(length: number): BatchBuffer {
    if (this.#buffer !== undefined && this.#buffer.bytes.length < length) this.#giveBack()
    this.#buffer ??= this.#core.batches.take(length)
    return this.#buffer
  }

  #giveBack(): void {
    if (this.#buffer === undefined) return
    this.#core.batches.give(this.#buffer)
    this.#buffer = undefined
    this.bytes = nothing
  }

  /** Moves the bound, so that the next batch begins behind the last row of this one. */
  #moveBound(rows: number): void {
    const next = this.#next
    const row = this.#row
    this.row(rows - 1)
    const last = this.bytes.slice(this.keyStart, this.keyEnd)
    this.#next = next
    this.#row = row
    if (this.#reverse) {
      this.#upper = last
      this.#upperOpen = true
    } else {
      this.#lower = last
      this.#lowerOpen = true
    }
  }

  #hasLarge(): boolean {
    let at = 0
    for (let i = 0; i < this.#rows; i++) {
      const word = this.#words[(at >> 2) + 1] ?? 0
      if (word >>> 24 !== 0) return true
      at = (at + 8 + (this.#words[at >> 2] ?? 0) + (word & 0xffffff) + 3) & ~3
    }
    return false
  }
}

/** Only a buffer that was handed over has no words. */
function rowsGone(): LightningError {
  const message = 'The rows of the iterator were transferred with a value. Transfer a slice() of each value.'
  return new LightningError('LIGHTNING_CLOSED', message)
}
