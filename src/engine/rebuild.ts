// Rollback: a half-done step is undone by discarding memory and rebuilding it from durable bytes with the recovery
// code.
import { DURABLE_LOW } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Core } from './core.ts'
import { replay, writeMetas } from './recovery.ts'

/**
 * Brings memory back to the last durable commit. The log frames behind it are erased, and the erasure is synced:
 * otherwise the next opening would bring back commits that were rejected. If that fails, the handle writes no more.
 */
export function rebuild(core: Core, checkpoint: Checkpoint, cause: unknown): void {
  const lost = { from: core.durableLsn + 1, to: core.appliedLsn }
  core.generation++
  core.rollbackCause = cause
  core.catalogVersion++
  core.snapshots.clear()
  core.largeSynced = core.largeWritten
  checkpoint.forget(cause)
  try {
    if (core.isMetaUncertain) settleMeta(core)
    const end = replay(core, core.durableLsn)
    core.durableLsn = end.lsn
    core.memory.setLong(DURABLE_LOW, end.lsn)
    if (core.failure === undefined) {
      try {
        core.log.erase(end.position)
        const other = end.position.file === 0 ? 1 : 0
        if (end.otherEnd === 0 && end.position.file === core.meta.logFile) core.log.erase({ file: other, offset: 0 })
      } catch (error) {
        core.failure = failed(core, error)
      }
    }
  } catch (error) {
    core.failure ??= failed(core, error)
    core.unreadable = new LightningError(
      'LIGHTNING_FAILED',
      `The database at ${core.location} could not be read again after a fault. Close it and open it again.`,
      { cause: error }
    )
  }
  const wereResolved = core.options.durability === 'relaxed' && lost.to >= lost.from
  const isFailed = core.failure !== undefined
  core.health.tookBack(core.failure ?? cause, core.durableLsn, isFailed, wereResolved ? lost : undefined)
}

/**
 * A checkpoint was interrupted while it wrote its meta: whichever meta can be read is chosen and written to both slots.
 */
function settleMeta(core: Core): void {
  core.meta = core.data.readMeta(core.checksum).meta
  if (core.failure !== undefined) return
  try {
    writeMetas(core)
    core.isMetaUncertain = false
  } catch (error) {
    core.failure = failed(core, error)
  }
}

function failed(core: Core, cause: unknown): LightningError {
  return new LightningError(
    'LIGHTNING_FAILED',
    `A fault of the disk under the database at ${core.location} could not be undone. Close the database and open it again.`,
    { cause }
  )
}
