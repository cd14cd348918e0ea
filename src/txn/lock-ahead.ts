// How an attempt that has lost often wins against others that lock keys.
//
// A claim holds off commits of younger transactions only. Older ones that take locks go on, and there may be hundreds of
// them in the queues for a few keys: an attempt that takes no locks waits behind all of them to commit, and by then what
// it has read is out of date. And those that lock keys in different orders are rolled back as victims again and again.
// So where somebody takes locks, an attempt that claims first takes those of the keys that the attempts before it have
// written or locked, all in one order, and sees the state after that. Each queue comes to it in turn.
import { isLightningError } from '../errors.ts'
import type { Footprint } from './claims.ts'
import { type LockOwner, type LockTable, LockWait } from './locks.ts'

/** Of an attempt that uses more keys none is locked: it would hold up everybody. */
const mostKeys = 64

/**
 * Takes the locks, without those that it does not get in time. `checkUse` throws if the transaction has ended meanwhile.
 * Rejects as waits for locks do, but for `LIGHTNING_TIMEOUT`.
 */
export async function lockAhead(
  owner: LockOwner,
  footprint: Footprint,
  locks: LockTable,
  timeoutMs: number,
  checkUse: () => void
): Promise<void> {
  const keys = footprint.keysWritten()
  if (keys.length > mostKeys) return
  for (const { tree, key } of keys) {
    try {
      const lock = locks.acquire(owner, tree, key, timeoutMs, undefined)
      if (lock instanceof LockWait) await lock.promise
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_TIMEOUT')) throw error
    }
    checkUse()
  }
}
