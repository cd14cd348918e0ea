import { restore as restoreFiles } from '../engine/restore.ts'
import { checkCare } from './call-options.ts'
import { directoryVfs } from './place.ts'
import type { CareOptions } from './types.ts'

/**
 * Makes a database in the directory `location` from the backup in the directory `backup`. Rejects with
 * `LIGHTNING_NOT_FOUND` when there is no backup, `LIGHTNING_EXISTS` when there is a database at the location already,
 * `LIGHTNING_CORRUPT` when the backup is damaged, `LIGHTNING_ABORTED`, and as `open` does.
 */
export async function restore(backup: string, location: string, options?: CareOptions): Promise<void> {
  const care = checkCare(options, 'restore')
  const source = await directoryVfs(backup, 'restore, the backup')
  await restoreFiles(source, await directoryVfs(location, 'restore'), care)
}
