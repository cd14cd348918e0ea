// What a commit waits for: locks of others on what it writes, and claims that its writes would violate.
import { isLightningError } from '../errors.ts'
import { isClaim } from './claims.ts'
import { type Lock, type LockOwner, LockWait } from './locks.ts'
import type { Transactions } from './transactions.ts'
import type { TreeViews } from './tree-views.ts'

const nothing: ReadonlySet<Lock> = new Set()

/** Whether a commit must wait for something. */
export function mustWait(views: TreeViews, { locks, claims }: Transactions): boolean {
  return views.obstacle(locks, claims, nothing) !== undefined
}

/**
 * Waits for one after the other and keeps the locks, so that nobody can take them in between. `checkWaits` throws if the
 * transaction has ended meanwhile. Then calls `commit`, in the same turn: who gets a lock next to it must not read before
 * it has written. Rejects as waits for locks do.
 */
export async function afterObstacles(
  owner: LockOwner,
  views: TreeViews,
  { locks, claims }: Transactions,
  timeoutMs: number,
  checkWaits: () => void,
  commit: () => void
): Promise<void> {
  const ignored = new Set<Lock>()
  while (true) {
    const lock = views.obstacle(locks, claims, ignored)
    if (lock === undefined) return commit()
    try {
      const acquired = locks.acquire(owner, lock.tree, lock.key, timeoutMs, undefined)
      if (acquired instanceof LockWait) await acquired.promise
    } catch (error) {
      // Bounded in any case: a caller who allows endless waits for locks does not know of claims.
      if (!isClaim(lock) || !isLightningError(error, 'LIGHTNING_TIMEOUT')) throw error
      ignored.add(lock)
    }
    checkWaits()
  }
}
