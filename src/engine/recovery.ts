// Recovery: making memory what the durable bytes say, at an opening and whenever a half-done step is undone.
//
// The newest valid meta names the page table, which is loaded. Then the log is followed from the place that the meta
// names, twice: first to find its last complete commit and to reserve what its frames name, then to apply it. Whatever
// is left of the log behind that commit is a torn end, unless some frame proves that more was durable
// (`log-checks.ts`).
import { INCARNATION_HIGH, INCARNATION_LOW, LSN_LOW, PREVIOUS_CHECKSUM, TIME_LOW } from '../../assembly/state.ts'
import { isDiskFull } from '../store/failures.ts'
import { assertStatus } from '../kernel/status.ts'
import { FRAME_HEADER_BYTES } from '../wal/frame.ts'
import { type ChainEnd, LogReader } from '../wal/log-reader.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import { reserving } from './log-reservations.ts'
import { loadTables } from './table-loading.ts'

/** Share of `cacheBytes`. The rest is for the page table (32 bytes a page of the database) and the work areas. */
const frameShare = 7 / 8
const leastFrames = 64

/** Sets the kernel up for this database. Everything it held before is gone. */
export function resetKernel(core: Core): void {
  const { pageBytes } = core.meta
  const frames = Math.max(leastFrames, Math.floor((core.options.cacheBytes * frameShare) / pageBytes))
  assertStatus(core.kernel.exports.setUp(pageBytes, frames), 'the cache')
  // After a failed sync it is not known which of two metas is on disk, so what either names stays in use.
  if (core.failure === undefined) core.data.forgetBlocks()
  core.pending.forget()
  core.run.clear()
  core.directory.resize(0)
}

/**
 * Loads the page table and replays the log, up to commit `lastLsn` if given. Returns where the chain of frames ends.
 */
export function replay(core: Core, lastLsn = Number.POSITIVE_INFINITY): ChainEnd {
  resetKernel(core)
  loadTables(core)
  const { memory, kernel, pager, log } = core
  const reader = new LogReader(kernel, memory, log)
  const start = chainStart(core)
  const end = reader.walk(start, reserving(core), Number.POSITIVE_INFINITY, lastLsn)
  const { beginApply, beginApplyEach, apply } = kernel.exports
  if (end.frames > 0) {
    reader.walk(
      start,
      (at, header) => {
        memory.setLong(LSN_LOW, header.lsn)
        memory.setLong(TIME_LOW, header.timeMs)
        const from = at + FRAME_HEADER_BYTES
        if (header.lastLsn > header.lsn) beginApplyEach(from, from + header.operationBytes)
        else beginApply(from, from + header.operationBytes)
        core.complete(apply(), apply)
        pager.drainReleased()
        limitDirty(core)
      },
      end.frames
    )
  }
  memory.setLong(LSN_LOW, end.lsn + 1)
  memory.setWord(PREVIOUS_CHECKSUM, end.previous)
  memory.setWord(INCARNATION_LOW, end.incarnation[0])
  memory.setWord(INCARNATION_HIGH, end.incarnation[1])
  kernel.exports.clearLog()
  kernel.exports.forgetTrees()
  core.log.resume(end.position, start.position, end.otherEnd)
  return end
}

/**
 * Writes dirty pages out while the disk takes them. On a full disk the replay goes on in the frames that there are:
 * they sufficed when the log was written.
 */
function limitDirty(core: Core): void {
  try {
    core.pager.limitDirty()
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
}

/**
 * Writes the frames that were read once more, and syncs them: the system may have kept bytes readable that were never
 * synced (docs/durability.md, rule 15).
 */
export function makeDurable(core: Core, end: ChainEnd): void {
  if (PLANTED_BUG === 29) return
  const { log } = core
  const start = chainStart(core).position
  if (end.otherEnd > 0 || end.position.file !== start.file) {
    log.rewrite({ file: start.file, offset: start.offset }, end.otherEnd)
    log.rewrite({ file: end.position.file, offset: 0 }, end.position.offset)
  } else log.rewrite(start, end.position.offset)
  log.sync()
}

/** Writes the chosen meta into both slots and syncs them. From then on, what only another meta names is not needed. */
export function writeMetas(core: Core): void {
  const { data, meta } = core
  for (const slot of [0, 1]) {
    data.writeMeta(slot, meta, core.checksum)
    data.sync()
  }
}
