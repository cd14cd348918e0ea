// What has been committed since the oldest open transaction took its snapshot, as far as validation needs it: for each
// key the number (LSN) of the newest commit that changed it, and cleared ranges and dropped keyspaces.
//
// While transactions are open, the engine reports every commit here just before it is applied, plain writes included.
// (A commit that then fails can only cause an unnecessary conflict.) Without open transactions nothing is reported.
//
//   log of a keyspace:   [a 7] [b 8] [a 9] [c 9]      in the order of the commits; [a 7] is stale
//   newest:              a → 9, b → 8, c → 9
//
// Checking a key is one look-up in `newest`; checking a range walks the log back to the snapshot. What is older than
// every open snapshot is dropped from the front. Memory is bounded: when there are too many keys, the older half
// becomes ranges around neighbouring keys, each with the newest LSN inside. A range contains all keys that it was made
// of, and others. So a conflict can be reported where there is none, but none is missed.
import type { CommitObserver } from '../engine/commit-observer.ts'
import { keyBehind, toBinary } from './binary-key.ts'
import { byBytes, type KeyRange, overlap, rangeAt } from './key-ranges.ts'

/** Keys that are kept one by one, over all keyspaces. */
const mostKeys = 262_144
/** Ranges that a keyspace's older keys become. */
const piecesOfKeys = 512
const mostRanges = 2_048
/** At least so many entries are added between two removals of what is too old. */
const notesPerPruning = 4_096

interface Write {
  readonly key: string
  readonly lsn: number
}

interface RangeWrite extends KeyRange {
  readonly lsn: number
}

class TreeWrites {
  readonly newest = new Map<string, number>()
  log: Write[] = []
  ranges: RangeWrite[] = []
}

export class RecentWrites implements CommitObserver {
  readonly #trees = new Map<number, TreeWrites>()
  readonly #dropped = new Map<string, number>()
  readonly #oldest: () => number
  readonly #before: () => void
  #keys = 0
  #notes = 0
  readonly #mostKeys: number

  /**
   * `before` runs before a commit is applied, `oldest` gives the LSN of the oldest snapshot that may be asked about.
   */
  constructor(before: () => void, oldest: () => number, limit = mostKeys) {
    this.#before = before
    this.#oldest = oldest
    this.#mostKeys = limit
  }

  /** Keys kept one by one. */
  get size(): number {
    return this.#keys
  }

  key(tree: number, lsn: number, bytes: Uint8Array, start: number, end: number): void {
    this.#before()
    const writes = this.#of(tree)
    const key = toBinary(bytes, start, end)
    if (!writes.newest.has(key)) this.#keys++
    writes.newest.set(key, lsn)
    writes.log.push({ key, lsn })
    if (++this.#notes >= notesPerPruning) this.#tidyIfDue()
  }

  range(tree: number, lsn: number, lower: Uint8Array, upper: Uint8Array | undefined): void {
    this.#before()
    const writes = this.#of(tree)
    writes.ranges.push({
      from: toBinary(lower, 0, lower.length),
      to: upper === undefined ? undefined : toBinary(upper, 0, upper.length),
      lsn
    })
    if (writes.ranges.length > mostRanges * 2) writes.ranges = fewer(writes.ranges)
    if (++this.#notes >= notesPerPruning) this.#tidyIfDue()
  }

  dropped(path: Uint8Array, lsn: number): void {
    this.#before()
    this.#dropped.set(toBinary(path, 0, path.length), lsn)
  }

  /** Whether the keyspace at `path` was dropped after `lsn`. */
  isDropped(path: string, lsn: number): boolean {
    return (this.#dropped.get(path) ?? 0) > lsn
  }

  /** Whether the key was changed after `lsn`. */
  isChanged(tree: number, key: string, lsn: number): boolean {
    const writes = this.#trees.get(tree)
    if (writes === undefined) return false
    if ((writes.newest.get(key) ?? 0) > lsn) return true
    if (writes.ranges.length === 0) return false
    return writes.ranges.some(
      range => range.lsn > lsn && key >= range.from && (range.to === undefined || key < range.to)
    )
  }

  /** A key in one of the ranges (normalized) that was changed after `lsn`, or the beginning of such a change. */
  changeIn(tree: number, ranges: readonly KeyRange[], lsn: number): string | undefined {
    const writes = this.#trees.get(tree)
    if (writes === undefined || ranges.length === 0) return undefined
    for (let i = writes.log.length - 1; i >= 0; i--) {
      const write = writes.log[i]
      if (write === undefined || write.lsn <= lsn) break
      if (rangeAt(ranges, write.key) !== undefined) return write.key
    }
    for (const range of writes.ranges) {
      if (range.lsn > lsn && ranges.some(asked => overlap(asked, range))) return range.from
    }
    return undefined
  }

  /** No transaction is open any more. */
  forget(): void {
    // Clearing an empty map costs something, too.
    if (this.#trees.size > 0) this.#trees.clear()
    if (this.#dropped.size > 0) this.#dropped.clear()
    this.#keys = 0
    this.#notes = 0
  }

  #of(tree: number): TreeWrites {
    let writes = this.#trees.get(tree)
    if (writes === undefined) {
      writes = new TreeWrites()
      this.#trees.set(tree, writes)
    }
    return writes
  }

  /** Removes what is too old, less often the more there is to walk over. */
  #tidyIfDue(): void {
    if (this.#notes < Math.min(this.#keys, this.#mostKeys) >> 1) return
    this.#notes = 0
    const oldest = this.#oldest()
    for (const [tree, writes] of this.#trees) {
      this.#prune(writes, oldest)
      if (writes.log.length === 0 && writes.ranges.length === 0) this.#trees.delete(tree)
    }
    for (const [path, lsn] of this.#dropped) if (lsn <= oldest) this.#dropped.delete(path)
    if (this.#keys <= this.#mostKeys) return
    for (const writes of this.#trees.values()) this.#coarsen(writes)
  }

  /** Drops entries that are too old, and entries of keys that have a newer one further on in the log. */
  #prune(writes: TreeWrites, oldest: number): void {
    const { newest } = writes
    writes.log = writes.log.filter(({ key, lsn }) => {
      if (newest.get(key) !== lsn) return false
      if (lsn > oldest) return true
      newest.delete(key)
      this.#keys--
      return false
    })
    writes.ranges = writes.ranges.filter(range => range.lsn > oldest)
  }

  /** Makes ranges of the older half of the keys. */
  #coarsen(writes: TreeWrites): void {
    const half = writes.log.splice(0, writes.log.length >> 1)
    half.sort((a, b) => byBytes(a.key, b.key))
    const perPiece = Math.max(1, Math.ceil(half.length / piecesOfKeys))
    for (let i = 0; i < half.length; i += perPiece) {
      const piece = half.slice(i, i + perPiece)
      const from = piece[0]?.key ?? ''
      const to = keyBehind(piece.at(-1)?.key ?? '')
      writes.ranges.push({ from, to, lsn: piece.reduce((lsn, write) => Math.max(lsn, write.lsn), 0) })
    }
    for (const { key } of half) if (writes.newest.delete(key)) this.#keys--
    if (writes.ranges.length > mostRanges * 2) writes.ranges = fewer(writes.ranges)
  }
}

/** At most `mostRanges` ranges that hold all of these. */
function fewer(ranges: readonly RangeWrite[]): RangeWrite[] {
  const sorted = [...ranges].sort((a, b) => byBytes(a.from, b.from))
  const perPiece = Math.ceil(sorted.length / mostRanges)
  const joined: RangeWrite[] = []
  for (let i = 0; i < sorted.length; i += perPiece) {
    const piece = sorted.slice(i, i + perPiece)
    let to: string | undefined = ''
    let lsn = 0
    for (const range of piece) {
      if (to !== undefined && (range.to === undefined || range.to > to)) to = range.to
      if (range.lsn > lsn) lsn = range.lsn
    }
    joined.push({ from: piece[0]?.from ?? '', to, lsn })
  }
  return joined
}
