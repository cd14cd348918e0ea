// Large values are verified segment by segment: no value has to fit into memory for that.
import type { Core } from './core.ts'
import { damagedValue, readSegment, segmentBytes } from './large-values.ts'

/**
 * Reads the value whose first segment is page `first`, as the snapshot (0: now) sees it, without handing it out; `visit`
 * is told each segment's page id, also of those behind a damaged one.
 */
export function checkSegments(
  core: Core,
  first: number,
  totalBytes: number,
  snapshot: number,
  visit: (id: number) => void
): void {
  const scratch = new Uint8Array(segmentBytes)
  let id = first
  let failure: unknown
  for (let at = 0; at < totalBytes; at += segmentBytes) {
    if (id !== 0) visit(id)
    try {
      id = readSegment(core, id, snapshot, scratch.subarray(0, Math.min(segmentBytes, totalBytes - at)))
    } catch (error) {
      failure ??= error
      if (id === 0 || !core.kernel.exports.isId(id)) break
      id = core.memory.word((core.kernel.exports.entryAt(id, snapshot) >>> 0) + 20)
    }
  }
  if (failure !== undefined) throw failure
  if (id !== 0) throw damagedValue(core, id, 0)
}
