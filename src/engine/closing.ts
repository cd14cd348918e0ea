// What a close does with the files once every commit is durable. Only releasing them is necessary: everything else
// makes the next opening quicker and the files smaller, so it gives way to a full disk.
import { isLightningError } from '../errors.ts'
import { isDiskFull } from '../store/failures.ts'
import { onDemandWithin } from '../kernel/on-demand.ts'
import { blockBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Core } from './core.ts'
import type { Space } from './space.ts'

/** Free bytes inside the data file that a close fills: less is not worth the time, more takes too long. */
const leastHoleBytes = 1 << 20
const mostHoleBytes = 64 << 20
/** Milliseconds that a close waits for the script that fills them. */
const longestLoadMs = 2_000

/**
 * Folds the log into the pages, then makes the files smaller. A disk too full for that loses nothing: the log has
 * everything, and the next opening replays it.
 */
export async function foldLog(core: Core, checkpoint: Checkpoint, space: Space): Promise<void> {
  try {
    await checkpoint.run(true)
  } catch (error) {
    if (core.failure !== undefined || !isDiskFull(error)) throw error
    core.options.logger?.warn('The log was not folded into the pages', error)
    return
  }
  await fillHoles(core, checkpoint, space)
  giveSpaceBack(core, space)
}

/** Closes the files and then, whatever they report, releases the lock. */
export async function closeFiles(core: Core): Promise<void> {
  core.snapshots.stop()
  try {
    core.data.file.close()
  } finally {
    try {
      core.log.close()
    } finally {
      await core.lock.release()
    }
  }
}

/**
 * Fills large holes, mostly those that the previous checkpoint has left, with what stands at the end of the file, if
 * that takes little time.
 */
async function fillHoles(core: Core, checkpoint: Checkpoint, space: Space): Promise<void> {
  const { freeBlocks, endBlock } = core.data.blocks
  const bytes = freeBlocks * blockBytes
  if (freeBlocks < endBlock / 5 || bytes < leastHoleBytes || bytes > mostHoleBytes || space.isLimited) return
  try {
    const { compactClosed } = await onDemandWithin(longestLoadMs, 'close', () => import('./compact.ts'))
    await compactClosed(core, checkpoint, space)
  } catch (error) {
    // After the lock is lost, nothing may be cut off that another owner has written since.
    if (core.failure !== undefined || isLightningError(error, 'LIGHTNING_LOCKED')) throw error
    core.options.logger?.warn('The data file was not made smaller', error)
  }
}

/** Everything is durable by now, so space that cannot be given back now is given back by a later close. */
function giveSpaceBack({ data, log, options }: Core, space: Space): void {
  try {
    const { blocks, logBytes } = space.kept
    data.trim(blocks)
    log.shrink(logBytes)
  } catch (error) {
    options.logger?.warn('Space could not be given back', error)
  }
}
