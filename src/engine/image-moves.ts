// Moves images of pages to other places in the data file. Pages refer to each other by number, so only the page table
// changes. The old places are free after the next checkpoint.
import { assertStatus } from '../kernel/status.ts'
import type { Extent } from '../store/block-map.ts'
import { sectorBytes } from '../store/format.ts'
import { neighbours } from '../store/neighbours.ts'
import type { Core } from './core.ts'

/** A page's image on disk. */
export interface PageImage extends Extent {
  readonly id: number
  readonly bytes: number
}

/**
 * Copies images to sectors that were taken for them, and has the page table name them there. If that fails, the places
 * of images that are not named there are given back. No checkpoint may be running: it names images at their old places,
 * which would be freed when it ends.
 */
export function moveImages(core: Core, images: readonly PageImage[], places: readonly number[]): void {
  const { kernel, data, pager } = core
  const extents = images.map(({ sectors }, i) => ({ sector: places[i] ?? 0, sectors }))
  let named = 0
  try {
    const content = readTogether(core, images)
    let at = 0
    for (const { sector, sectors } of neighbours(extents)) {
      data.write(content.subarray(at, at + sectors * sectorBytes), sector)
      at += sectors * sectorBytes
    }
    for (const [i, { id }] of images.entries()) {
      assertStatus(kernel.exports.moveImage(id, places[i] ?? 0), 'compaction')
      named++
    }
  } catch (error) {
    for (const extent of extents.slice(named)) data.release(extent)
    throw error
  } finally {
    pager.drainReleased()
  }
}

/** The images' sectors, one behind the other. */
function readTogether({ data }: Core, images: readonly PageImage[]): Uint8Array {
  const total = images.reduce((sum, { sectors }) => sum + sectors, 0)
  const content = new Uint8Array(total * sectorBytes)
  let at = 0
  for (const { sector, sectors, to } of neighbours(images)) {
    // The file may end with the last image's last byte.
    const last = images[to - 1]
    const missing = last === undefined ? 0 : last.sectors * sectorBytes - last.bytes
    data.read(content.subarray(at, at + sectors * sectorBytes - missing), sector)
    at += sectors * sectorBytes
  }
  return content
}
