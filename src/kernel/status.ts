// What a kernel call's negative result means to TypeScript. Most are requests that the caller answers (bring a page in,
// free frames); the rest end here.
import { NEED_FRAMES, OUT_OF_MEMORY, TABLE_FULL } from '../../assembly/state.ts'
import { InternalError, LightningError } from '../errors.ts'

/** Unsigned results of the kernel's `get` from this one on are statuses, not addresses (`assembly/lookup.ts`). */
export const firstStatus = 0xffff_fff0
/** The status that means that there is no such key. */
export const missingKey = 0xffff_ffff

/** Throws for a status that the caller cannot handle; `doing` says what failed. */
export function assertStatus(status: number, doing: string): void {
  if (status >= 0) return
  if (status === OUT_OF_MEMORY) {
    throw new LightningError(
      'LIGHTNING_OUT_OF_MEMORY',
      `The system gives no more memory for ${doing}. Close other programs, or reopen with smaller cacheBytes.`
    )
  }
  if (status === NEED_FRAMES) {
    throw new LightningError(
      'LIGHTNING_OUT_OF_MEMORY',
      `The cache has no room for ${doing}. Reopen with larger cacheBytes, or close snapshots.`
    )
  }
  if (status === TABLE_FULL) {
    throw new LightningError(
      'LIGHTNING_DISK_FULL',
      `The database has as many pages as it can name; ${doing} needs more.`
    )
  }
  throw new InternalError(`${doing} ended with status ${status}`)
}
