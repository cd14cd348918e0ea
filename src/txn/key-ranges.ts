// Sets of keys as ranges. A range is half open, [from, to): every other kind is one of these, since the least key behind
// k is k followed by a zero byte. `to` undefined is no bound.

export interface KeyRange {
  readonly from: string
  readonly to: string | undefined
}

/** When there are more ranges after merging, neighbours are joined over the gap between them. */
const mostRanges = 8_192

/** Ranges that are in order and do not touch, from ranges in whatever order. */
export function normalized(ranges: readonly KeyRange[]): KeyRange[] {
  const sorted = [...ranges].sort((a, b) => byBytes(a.from, b.from))
  const merged: KeyRange[] = []
  for (const range of sorted) {
    if (range.to !== undefined && range.to <= range.from) continue
    const last = merged.at(-1)
    if (last === undefined || (last.to !== undefined && last.to < range.from)) merged.push(range)
    else if (last.to !== undefined && (range.to === undefined || range.to > last.to)) {
      merged[merged.length - 1] = { from: last.from, to: range.to }
    }
  }
  return merged
}

/** The range that holds the key, or undefined; the ranges are normalized. */
export function rangeAt(ranges: readonly KeyRange[], key: string): KeyRange | undefined {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.from ?? '') <= key) low = middle + 1
    else high = middle
  }
  const range = ranges[low - 1]
  return range !== undefined && (range.to === undefined || key < range.to) ? range : undefined
}

/** Whether two ranges have a key in common. */
export function overlap(a: KeyRange, b: KeyRange): boolean {
  return (a.to === undefined || b.from < a.to) && (b.to === undefined || a.from < b.to)
}

/** Whether a key is in both; each is normalized. */
export function haveOverlap(a: readonly KeyRange[], b: readonly KeyRange[]): boolean {
  let [i, j] = [0, 0]
  while (true) {
    const [first, second] = [a[i], b[j]]
    if (first === undefined || second === undefined) return false
    if (overlap(first, second)) return true
    // The one that lies before the other has nothing in common with what follows that.
    if (first.from < second.from) i++
    else j++
  }
}

/** A growing set of keys in bounded memory: what is added stays in it, but it may come to hold other keys too. */
export class KeyRanges {
  #ranges: KeyRange[] = []
  #isNormalized = true

  add(from: string, to: string | undefined): void {
    this.#ranges.push({ from, to })
    this.#isNormalized = false
    if (this.#ranges.length > mostRanges * 2) this.#coarsen()
  }

  /** In order and not touching. */
  get ranges(): readonly KeyRange[] {
    if (!this.#isNormalized) {
      this.#ranges = normalized(this.#ranges)
      this.#isNormalized = true
    }
    return this.#ranges
  }

  #coarsen(): void {
    const { ranges } = this
    if (ranges.length <= mostRanges) return
    const joined: KeyRange[] = []
    for (let i = 0; i < ranges.length; i += 2) {
      const first = ranges[i]
      const second = ranges[i + 1]
      if (first !== undefined) joined.push({ from: first.from, to: (second ?? first).to })
    }
    this.#ranges = joined
  }
}

/** Ranges that hold all of these keys, at most `mostPieces` of them. */
export function rangesAround(keys: Iterable<string>, mostPieces: number): KeyRange[] {
  const sorted = [...keys].sort(byBytes)
  const perPiece = Math.max(1, Math.ceil(sorted.length / mostPieces))
  const ranges: KeyRange[] = []
  for (let i = 0; i < sorted.length; i += perPiece) {
    const last = sorted[Math.min(sorted.length, i + perPiece) - 1] ?? ''
    ranges.push({ from: sorted[i] ?? '', to: `${last}\0` })
  }
  return ranges
}

/** The order of binary strings. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
