// What a serializable transaction has read of one keyspace: keys, found or missing, and ranges. A commit that changed
// any of it since the snapshot makes the transaction fail when it has written something itself.
//
// A range counts as far as its keys were delivered, and to its bound once it was exhausted; an iterator reports where it
// stands, so a range that is still being read is a live `RangeRead`. Memory is bounded: many keys become ranges, which
// can only make more conflicts.
import { type ByteRange, clampBounds } from '../engine/bounds.ts'
import { keyBehind, toBinary } from './binary-key.ts'
import { type KeyRange, KeyRanges, rangesAround } from './key-ranges.ts'
import { smallArray } from './small-array.ts'

/** Up to so many keys are kept in a plain array, which is cheaper than a set. */
const fewKeys = 8
/** When more single keys were read, they are replaced by some hundreds of ranges that contain them. */
const mostKeys = 131_072
const piecesOfKeys = 1_024

/** The range as half-open binary strings, no longer than the kernel takes them. */
export function keyRangeOf(range: ByteRange): KeyRange {
  if (range.empty) return { from: '', to: '' }
  const { lower, lowerOpen, upper, upperOpen } = clampBounds(range)
  const from = lower === undefined ? '' : toBinary(lower, 0, lower.length)
  const to = upper === undefined ? undefined : toBinary(upper, 0, upper.length)
  return {
    from: lowerOpen ? keyBehind(from) : from,
    to: to === undefined || upperOpen ? to : keyBehind(to)
  }
}

/** How far an iterator has read. */
export class RangeRead {
  readonly #range: KeyRange
  readonly #isReverse: boolean
  #isExhausted = false
  #bytes: Uint8Array | undefined
  #start = 0
  #end = 0
  #key: string | undefined

  constructor(range: KeyRange, isReverse: boolean) {
    this.#range = range
    this.#isReverse = isReverse
  }

  /** A key was delivered; the bytes do not change until `settle`. */
  deliver(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#key = undefined
  }

  /** The range was read to its bound. */
  exhaust(): void {
    this.#isExhausted = true
    this.#bytes = undefined
  }

  /** The bytes that were delivered last are about to change. */
  settle(): void {
    if (this.#bytes === undefined) return
    this.#key = toBinary(this.#bytes, this.#start, this.#end)
    this.#bytes = undefined
  }

  /** What was read until now; undefined: nothing. */
  get covered(): KeyRange | undefined {
    if (this.#isExhausted) return this.#range
    this.settle()
    if (this.#key === undefined) return undefined
    const { from, to } = this.#range
    return this.#isReverse ? { from: this.#key, to } : { from, to: `${this.#key}\0` }
  }
}

/** Of a set without keys; never changed. */
const none: string[] = []

export class ReadSet {
  #few: string[] = none
  #keys: Set<string> | undefined
  #live: Set<RangeRead> | undefined
  #ranges: KeyRanges | undefined

  addKey(key: string): void {
    if (this.#keys === undefined) {
      const { length } = this.#few
      if (length < fewKeys) {
        if (length === 0) this.#few = smallArray(key)
        else this.#few.push(key)
        return
      }
      this.#keys = new Set(this.#few)
    }
    this.#keys.add(key)
    if (this.#keys.size <= mostKeys) return
    for (const { from, to } of rangesAround(this.#keys, piecesOfKeys)) this.addRange({ from, to })
    this.#keys.clear()
  }

  addRange({ from, to }: KeyRange): void {
    this.#ranges ??= new KeyRanges()
    this.#ranges.add(from, to)
  }

  /** An iterator begins. */
  open(read: RangeRead): void {
    this.#live ??= new Set()
    this.#live.add(read)
  }

  /** An iterator has ended. */
  close(read: RangeRead): void {
    if (this.#live?.delete(read) !== true) return
    const { covered } = read
    if (covered !== undefined) this.addRange(covered)
  }

  get keys(): Iterable<string> {
    return this.#keys ?? this.#few
  }

  /** A single key that was read, of which `isFound` is true. */
  findKey(isFound: (key: string) => boolean): string | undefined {
    if (this.#keys === undefined) return this.#few.find(isFound)
    for (const key of this.#keys) if (isFound(key)) return key
    return undefined
  }

  /** Normalized. */
  get ranges(): readonly KeyRange[] {
    for (const read of this.#live ?? []) {
      const { covered } = read
      if (covered !== undefined) this.addRange(covered)
    }
    return this.#ranges?.ranges ?? []
  }
}
