import { destroyFiles } from '../engine/destruction.ts'
import { checkCare } from './call-options.ts'
import { inMemory } from './location.ts'
import { directoryVfs } from './place.ts'
import type { CareOptions } from './types.ts'

/**
 * Removes the database at `location` with all its files, and the directory if nothing else is in it. It is no error if
 * there is no database. If it fails or is killed in the middle, the database is either whole or gone; files that are
 * left are removed by the next `destroy`, or when a database is created there. A signal counts until the first file is
 * removed.
 *
 * Rejects with `LIGHTNING_LOCKED` while it is open, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`,
 * `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_ABORTED`.
 */
export async function destroy(location: string, options?: CareOptions): Promise<void> {
  checkCare(options, 'destroy')
  // A database in memory is gone when it is closed.
  if (location === inMemory) return
  const vfs = await directoryVfs(location, 'destroy')
  if (!(await vfs.prepare({ create: false }))) return
  const lock = await vfs.lock('exclusive')
  try {
    // The signal may have fired meanwhile.
    checkCare(options, 'destroy')
    await destroyFiles(vfs)
  } finally {
    await lock.release()
  }
}
