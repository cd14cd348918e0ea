// Large values are verified segment by segment: no value has to fit into memory for that.
import type { Core } from './core.ts'
import { damagedValue, readSegment, segmentBytes } from './large-values.ts'

/**
 * Checks the segments of a value one by one without handing them out. Yields each one's page id before it is looked at,
 * also of those behind a damaged one, and throws at the end. `snapshot` gives the state, asked for anew after each
 * turn.
 */
export function* checkedSegments(
  core: Core,
  first: number,
  totalBytes: number,
  snapshot: () => number
): Generator<number, void, undefined> {
  const scratch = new Uint8Array(segmentBytes)
  let id = first
  let failure: unknown
  for (let at = 0; at < totalBytes; at += segmentBytes) {
    if (id !== 0) yield id
    try {
      id = readSegment(core, id, snapshot(), scratch.subarray(0, Math.min(segmentBytes, totalBytes - at)))
    } catch (error) {
      failure ??= error
      if (id === 0 || !core.kernel.exports.isId(id)) break
      id = core.memory.word((core.kernel.exports.entryAt(id, snapshot()) >>> 0) + 20)
    }
  }
  if (failure !== undefined) throw failure
  if (id !== 0) throw damagedValue(core, id, 0)
}
