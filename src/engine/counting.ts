// Counting the entries of a range, whole pages at a time. Counting stops, and a slice ends, where a page had to be
// read.
import { SCAN_COUNT, SCAN_LOWER_OPEN, SCAN_UPPER_CLOSED } from '../../assembly/scan.ts'
import { OUT, OUT_MORE } from '../../assembly/state.ts'
import { type ByteRange, clampBounds } from './bounds.ts'
import type { Core } from './core.ts'
import { scanRange } from './scan-range.ts'
import type { EngineSnapshot } from './snapshots.ts'
import type { TreeHandle } from './tree.ts'

/** Number of entries in the range, as the snapshot (undefined: now) sees it. */
export function countRange(
  core: Core,
  tree: TreeHandle,
  snapshot: EngineSnapshot | undefined,
  range: ByteRange
): number {
  const counting = countSlices(core, tree, snapshot, range)
  let slice = counting.next()
  while (slice.done !== true) slice = counting.next()
  return slice.value
}

/**
 * The same in slices, each of which yields the number so far. Between slices other work may be done only if there is a
 * snapshot.
 */
export function* countSlices(
  core: Core,
  tree: TreeHandle,
  snapshot: EngineSnapshot | undefined,
  range: ByteRange
): Generator<number, number, undefined> {
  const { upper, upperOpen, limit, empty, ...from } = clampBounds(range)
  let { lower, lowerOpen } = from
  let version = snapshot?.use() ?? 0
  core.checkOpen()
  const place = snapshot === undefined ? (tree.locate(core) ? tree : undefined) : snapshot.place(tree)
  if (empty || place === undefined) return 0
  let count = 0
  while (true) {
    const options = SCAN_COUNT | (lowerOpen ? SCAN_LOWER_OPEN : 0) | (upperOpen ? 0 : SCAN_UPPER_CLOSED)
    count += scanRange(core, place, version, options, lower, upper, 0)
    if (count >= limit) return limit
    const { memory } = core
    if (memory.word(OUT_MORE) === 0) return count
    const at = memory.word(OUT)
    lower = memory.bytes.slice(at + 8, at + 8 + memory.word(at))
    lowerOpen = true
    yield count
    version = snapshot?.use() ?? 0
  }
}
