import { repair as repairFiles, type RepairReport } from '../engine/repair.ts'
import { directoryVfs } from './place.ts'
import { checkRepair, type RepairOptions } from './repair-options.ts'

/**
 * Makes a new database of everything that can be read in the damaged one at `location`, and puts it in its place. The
 * damaged files are kept under other names, `data.ldb.damaged-1` and so on; remove them when they are not needed any
 * more. Until then the new database takes as much space again. It begins a new timeline, and sequence numbers begin anew.
 *
 * Every entry of every undamaged page is recovered, and the log up to its first damaged commit. A sublevel whose name is
 * lost is called `recovered-` and a number. A repair that fails or is killed has changed nothing; if it is killed while
 * it exchanges the files, the next `open` or `repair` completes it.
 *
 * Rejects with `LIGHTNING_NOT_FOUND`, `LIGHTNING_LOCKED` while the database is open, `LIGHTNING_VERSION`,
 * `LIGHTNING_DISK_FULL`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`, `LIGHTNING_OUT_OF_MEMORY`,
 * `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_ABORTED`; what `onProgress` throws ends it and is passed on unchanged.
 */
export function repair(location: string, options?: RepairOptions): Promise<RepairReport>
export async function repair(location: string, options?: unknown): Promise<RepairReport> {
  const care = checkRepair(options)
  return await repairFiles(await directoryVfs(location, 'repair'), care)
}
