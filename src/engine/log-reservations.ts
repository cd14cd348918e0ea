// What the log names is reserved before the first of its frames is applied (docs/durability.md, rule 6): while the log
// is replayed, pages may be evicted to free blocks, and large values of later frames must not be overwritten by that.
import { CONTINUES } from '../../assembly/log.ts'
import { CREATE, MAIN_TREE, OPERATION_HEADER_BYTES, PUT_LARGE } from '../../assembly/operations.ts'
import { ENTRY_LARGE, FORMAT_LZ4, FORMAT_RAW } from '../../assembly/table.ts'
import type { LightningError } from '../errors.ts'
import { corrupt } from '../store/failures.ts'
import { type Extent, sectorsOf } from '../store/block-map.ts'
import { largestNumber, largestTree } from '../store/meta.ts'
import { FRAME_HEADER_BYTES, type FrameHeader } from '../wal/frame.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import { damaged } from './damage.ts'
import { segmentBytes } from './large-values.ts'

const largeValue = 'A large value that the log names'

/**
 * Makes a function for the first walk over the log. It marks the extents of large values as used, raises the id for the
 * next tree above those that the log creates, and throws `LIGHTNING_CORRUPT` where the log says what cannot be. Of a
 * commit whose last frame is missing nothing is marked: it never happened, so nothing would ever free it.
 */
export function reserving(core: Core): (at: number, header: FrameHeader) => void {
  let extents: Extent[] = []
  return (at, header) => {
    if (header.timeMs >= largestNumber) throw impossible(core, `commit ${header.lsn} of a time that cannot be`)
    collect(core, at + FRAME_HEADER_BYTES, header, extents)
    if (PLANTED_BUG === 17 || (header.flags & CONTINUES) !== 0) return
    for (const extent of extents) {
      // After a failed sync nothing has been forgotten (`resetKernel`), so everything is marked already.
      const wasFree = core.data.blocks.mark(extent)
      if (!wasFree && core.failure === undefined) throw damaged(core, largeValue, extent.sector)
    }
    extents = []
  }
}

/** Adds the extents that a frame's operations name to `extents`. */
function collect(core: Core, from: number, header: FrameHeader, extents: Extent[]): void {
  const { memory, data } = core
  const bytes = header.operationBytes
  const view = new DataView(memory.bytes.buffer, from, bytes)
  let at = 0
  while (at + OPERATION_HEADER_BYTES <= bytes) {
    const keyBytes = view.getUint16(at + 2, true)
    const valueBytes = view.getUint32(at + 8, true)
    const value = at + OPERATION_HEADER_BYTES + keyBytes
    const tree = view.getUint32(at + 4, true)
    if (view.getUint8(at) === CREATE) {
      if (tree <= MAIN_TREE || tree >= largestTree) throw impossible(core, `a keyspace ${tree} in commit ${header.lsn}`)
      core.nextTree = Math.max(core.nextTree, tree + 1)
    }
    if (view.getUint8(at) === PUT_LARGE) {
      for (let segment = value + 4; segment + 12 <= value + valueBytes && segment + 12 <= bytes; segment += 12) {
        const sector = view.getUint32(segment, true)
        const stored = view.getUint32(segment + 4, true) & 0xffffff
        const format = view.getUint8(segment + 7)
        const isSegment = format === (FORMAT_RAW | ENTRY_LARGE) || format === (FORMAT_LZ4 | ENTRY_LARGE)
        // A longer one would be read over what follows the kernel's image area.
        if (!isSegment || stored === 0 || stored > segmentBytes || !data.holds(sector, stored))
          throw damaged(core, largeValue, sector)
        extents.push({ sector, sectors: sectorsOf(stored) })
      }
    }
    at = value + valueBytes
  }
}

function impossible(core: Core, what: string): LightningError {
  const file = core.log.file(chainStart(core).position.file).name
  return corrupt(`The log tells of ${what}, which cannot be.`, { file })
}
