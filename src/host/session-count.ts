// Counting for clients. Counting many entries on disk is done in slices, so that other clients are served in between.
import type { ByteRange } from '../engine/bounds.ts'
import type { CareOptions } from '../engine/long-operations.ts'
import type { Engine, Snapshot, Tree } from '../engine/engine.ts'
import { Pace } from '../engine/pace.ts'

/**
 * Number of entries in the range, of the state at the call if there is no snapshot. It is no promise if everything is
 * in memory.
 *
 * @throws LightningError `LIGHTNING_ABORTED` by the signal.
 */
export function countInSlices(
  engine: Engine,
  tree: Tree,
  snapshot: Snapshot | undefined,
  range: ByteRange,
  options: CareOptions
): number | Promise<number> {
  const slice = engine.countSlices(tree, snapshot, range).next()
  return slice.done === true ? slice.value : countSlowly(engine, tree, snapshot, range, options)
}

async function countSlowly(
  engine: Engine,
  tree: Tree,
  snapshot: Snapshot | undefined,
  range: ByteRange,
  options: CareOptions
): Promise<number> {
  const pace = new Pace(options)
  const own = snapshot === undefined ? engine.snapshot() : undefined
  try {
    const counting = engine.countSlices(tree, own ?? snapshot, range)
    while (true) {
      const slice = counting.next()
      if (slice.done === true) return slice.value
      await pace.step(slice.value, slice.value)
    }
  } finally {
    own?.close()
  }
}
