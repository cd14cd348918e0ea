// Compaction: images at the end of the data file are copied into free blocks nearer to its start, a checkpoint writes
// tables that are at the end anew, and then the end is cut off. Pages refer to each other by number, so nothing else
// has to change. Readers and writers go on.
import { TABLE_LIMIT } from '../../assembly/state.ts'
import { sectorsOf } from '../store/block-map.ts'
import { sectorBytes, sectorsPerBlock } from '../store/format.ts'
import type { CareOptions } from './long-operations.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Core } from './core.ts'
import { moveImages, type PageImage } from './image-moves.ts'
import { Pace } from './pace.ts'
import type { Space } from './space.ts'

/** Rounds are repeated while at least this share of the file is free. */
const worthwhile = 0.02
const mostRounds = 8
/** Rounds in a row that give nothing back: the first may only have made room for the next. */
const mostIdleRounds = 2
/** Bytes of images that are moved in one go, and pages that are looked at for them: a millisecond or two. */
const bytesAtOnce = 256 * 1_024
const idsAtOnce = 4_096

export async function compact(core: Core, checkpoint: Checkpoint, space: Space, options: CareOptions): Promise<void> {
  const pace = new Pace(options)
  // This frees what only older checkpoints needed, so that there are holes to move images into.
  await checkpoint.run()
  await checkpoint.runAlways()
  const check = () => core.checkWritable()
  await shrinking(core, async () => {
    let idle = 0
    for (let round = 0; round < mostRounds && idle < mostIdleRounds; round++) {
      const before = core.data.blocks.endBlock
      if (core.data.blocks.freeBlocks < before * worthwhile) break
      if (!(await move(core, checkpoint, space, pace, check))) break
      for (let i = 0; i < 2; i++) {
        core.data.blocks.rewind()
        await checkpoint.runAlways()
      }
      idle = core.data.blocks.endBlock < before ? 0 : idle + 1
    }
  })
  check()
  core.data.trim(space.kept.blocks)
  pace.finish(1)
}

/** One round of compaction at a close, after its checkpoint. The caller cuts the end off. */
export async function compactClosed(core: Core, checkpoint: Checkpoint, space: Space): Promise<void> {
  await shrinking(core, async () => {
    const goal = core.data.blocks.usedBlocks
    let isBehind = await move(core, checkpoint, space, new Pace({}), () => core.checkHealthy())
    // The only holes for the tables are those that the images leave, which are free after a checkpoint.
    for (let i = 0; i < 2 && isBehind; i++) {
      core.data.blocks.rewind()
      await checkpoint.runAlways(true)
      isBehind = markTables(core, goal) > 0
    }
  })
}

/** While `work` runs, every hole in the file is filled, however small. */
async function shrinking(core: Core, work: () => Promise<void>): Promise<void> {
  core.data.blocks.isShrinking = true
  try {
    await work()
  } finally {
    core.data.blocks.isShrinking = false
  }
}

/**
 * Moves what is behind the block at which the file could end: images at once, tables at the next checkpoint. Returns
 * whether there was anything to move.
 */
async function move(core: Core, checkpoint: Checkpoint, space: Space, pace: Pace, check: () => void): Promise<boolean> {
  const goal = core.data.blocks.usedBlocks
  const moved = await moveBehind(core, checkpoint, space, pace, goal, check)
  return moved + markTables(core, goal) > 0
}

/** Marks the chunks behind block `goal`, so that the next checkpoint writes them anew. Returns their number. */
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

/** Moves the images behind block `goal`, at which the file could end. Returns their number. */
async function moveBehind(
  core: Core,
  checkpoint: Checkpoint,
  space: Space,
  pace: Pace,
  goal: number,
  check: () => void
): Promise<number> {
  const { memory, data } = core
  let moved = 0
  let isStuck = false
  data.blocks.rewind()
  // A rollback in between may have made the table shorter.
  for (let id = 1; id < memory.word(TABLE_LIMIT); ) {
    // A running checkpoint names images at their present places, which must not be freed when it ends.
    while (checkpoint.isRunning) await checkpoint.idle()
    check()
    // The place that an image leaves is free only after a checkpoint, which needs space itself.
    if (!space.hasSpare) break
    const { images, next } = imagesBehind(core, id, goal)
    let count: number = isStuck ? 0 : moveTogether(core, images, goal)
    // The holes before the goal may all be too short, as between a few pages and their tables. Then an image goes into
    // one behind it, so that the file ends earlier, if not where it could.
    isStuck ||= moved + count === 0 && images.length > 0
    if (isStuck) count += moveTogether(core, images.slice(count), lowestOf(images))
    moved += count
    if (count < images.length) break
    id = next
    await pace.step(id, memory.word(TABLE_LIMIT))
  }
  return moved
}

/** The images behind block `goal` to move next, from page `first` on, and the page to go on with. */
function imagesBehind(core: Core, first: number, goal: number): { images: PageImage[]; next: number } {
  const { memory, kernel } = core
  const end = Math.min(memory.word(TABLE_LIMIT), first + idsAtOnce)
  const images: PageImage[] = []
  let total = 0
  let id = first
  for (; id < end && total * sectorBytes < bytesAtOnce; id++) {
    const entry = kernel.exports.entryAt(id, 0) >>> 0
    const sector = memory.word(entry)
    if (sector < goal * sectorsPerBlock) continue
    const bytes = memory.word(entry + 4) & 0xffffff
    const sectors = sectorsOf(bytes)
    images.push({ id, bytes, sector, sectors })
    total += sectors
  }
  return { images, next: id }
}

/** The block at which the first of some images begins. */
function lowestOf(images: readonly PageImage[]): number {
  return images.reduce((least, { sector }) => Math.min(least, Math.floor(sector / sectorsPerBlock)), Number.MAX_VALUE)
}

/** Moves images into holes before block `end`, packed one behind the other. Returns how many found a place. */
function moveTogether(core: Core, images: readonly PageImage[], end: number): number {
  const places = core.data.takeRunBelow(
    images.map(image => image.bytes),
    end
  )
  moveImages(core, images.slice(0, places.length), places)
  return places.length
}
