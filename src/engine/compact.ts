// Compaction: images at the end of the data file are copied into free blocks nearer to its start, tables there are written
// anew by a checkpoint, and the end is given back. Pages refer to each other by number, so nothing else moves; readers and
// writers go on.
import { TABLE_LIMIT } from '../../assembly/state.ts'
import { assertStatus } from '../kernel/status.ts'
import { sectorsOf } from '../store/block-map.ts'
import { sectorBytes, sectorsPerBlock } from '../store/format.ts'
import type { CareOptions } from './care.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Core } from './core.ts'
import { Pace } from './pace.ts'
import type { Space } from './space.ts'

/** Rounds are repeated while they gain at least this share of the file. */
const worthwhile = 0.02
const mostRounds = 8

export async function compact(core: Core, checkpoint: Checkpoint, space: Space, options: CareOptions): Promise<void> {
  const pace = new Pace(options)
  // The first one gives back what only older checkpoints needed, so that there are holes to move into.
  await checkpoint.run()
  await checkpoint.runAlways()
  for (let round = 0; round < mostRounds; round++) {
    const { blocks } = core.data
    const before = blocks.endBlock
    if (blocks.freeBlocks === 0) break
    const moved =
      (await moveImages(core, checkpoint, space, pace, blocks.usedBlocks)) + markTables(core, blocks.usedBlocks)
    if (moved === 0) break
    for (let i = 0; i < 2; i++) {
      blocks.rewind()
      await checkpoint.runAlways()
    }
    if (before - core.data.blocks.endBlock < before * worthwhile) break
  }
  core.checkWritable()
  core.data.trim(space.kept.blocks)
  pace.finish(1)
}

/** Has the next checkpoint write tables that lie behind block `goal`; returns their number. */
function markTables(core: Core, goal: number): number {
  const { directory, kernel, meta } = core
  const end = goal * sectorsPerBlock
  let marked = Math.max(meta.directorySector, meta.directoryCopySector) >= end ? 1 : 0
  for (let chunk = 0; chunk < directory.length; chunk++) {
    if (Math.max(directory.sector(chunk), directory.copySector(chunk)) < end) continue
    kernel.exports.putMark(chunk)
    marked++
  }
  return marked
}

/** Moves images that lie behind block `goal`, where the file could end; returns their number. */
async function moveImages(core: Core, checkpoint: Checkpoint, space: Space, pace: Pace, goal: number): Promise<number> {
  const { memory, kernel, data } = core
  let moved = 0
  // A rollback in between can make the table shorter.
  for (let id = 1; id < memory.word(TABLE_LIMIT); id++) {
    // A checkpoint under way names images where they are: what it names must not be given back when it ends.
    while (checkpoint.isRunning) await checkpoint.idle()
    core.checkWritable()
    const entry = kernel.exports.entryAt(id, 0) >>> 0
    const sector = memory.word(entry)
    // What an image leaves is free only after a checkpoint, which must find room itself.
    if (!space.hasSpare) return moved
    if (sector >= goal * sectorsPerBlock) {
      const bytes = memory.word(entry + 4) & 0xffffff
      const blocks = Math.ceil(sectorsOf(bytes) / sectorsPerBlock)
      const block = data.blocks.findBelow(blocks, Math.floor(sector / sectorsPerBlock))
      if (block !== undefined) {
        moveImage(core, id, sector, bytes, block * sectorsPerBlock)
        moved++
      }
    }
    await pace.step(id, memory.word(TABLE_LIMIT))
  }
  return moved
}

function moveImage(core: Core, id: number, from: number, bytes: number, to: number): void {
  const { kernel, data, pager } = core
  const image = new Uint8Array(sectorsOf(bytes) * sectorBytes)
  data.read(image.subarray(0, bytes), from)
  const extent = { sector: to, sectors: sectorsOf(bytes) }
  data.blocks.mark(extent)
  try {
    data.write(image, to)
  } catch (error) {
    data.release(extent)
    throw error
  }
  assertStatus(kernel.exports.moveImage(id, to), 'compaction')
  pager.drainReleased()
}
