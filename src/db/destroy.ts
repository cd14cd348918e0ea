import { destroyFiles } from '../engine/destruction.ts'
import { checkCare } from './call-options.ts'
import { inMemory } from './location.ts'
import { directoryVfs } from './place.ts'
import type { CareOptions } from './types.ts'

/**
 * Removes the database at `location` with all its files, and the directory if nothing else is in it. That there is
 * none is no error. When it fails or is killed in the middle, the database is there as it was or counts as removed; what
 * is left of its files then is removed by the next `destroy`, or by whoever makes a database there.
 *
 * Rejects with `LIGHTNING_LOCKED` while it is open, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`,
 * `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_ABORTED`.
 */
export async function destroy(location: string, options?: CareOptions): Promise<void> {
  checkCare(options, 'destroy')
  // What was in memory is gone already.
  if (location === inMemory) return
  const vfs = await directoryVfs(location, 'destroy')
  if (!(await vfs.prepare({ create: false }))) return
  const lock = await vfs.lock('exclusive')
  try {
    await destroyFiles(vfs)
  } finally {
    await lock.release()
  }
}
