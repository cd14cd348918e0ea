import { repair as repairFiles, type RepairReport } from '../engine/repair.ts'
import { directoryVfs } from './place.ts'
import { checkRepair, type RepairOptions } from './repair-options.ts'

/**
 * Makes a new database of everything that can be read in the damaged one at `location`, and puts it in its place. The
 * damaged files are kept beside it, as `data.ldb.damaged-1` and so on; remove them, or `destroy` the database, when they
 * are not needed any more. The new database needs as much space again while both are there. It begins a new timeline,
 * and sequence numbers begin anew.
 *
 * What is restored is every entry of every undamaged page and the log up to its first damaged commit. A sublevel whose
 * name is lost becomes `recovered-` and a number. A repair that fails or is killed has changed nothing, or is ended by
 * the next `open` or `repair`.
 *
 * Rejects with `LIGHTNING_NOT_FOUND`, `LIGHTNING_LOCKED` while the database is open, `LIGHTNING_VERSION`,
 * `LIGHTNING_DISK_FULL`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`, `LIGHTNING_OUT_OF_MEMORY`,
 * `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_ABORTED`; what an `onProgress` throws ends it and passes unchanged.
 */
export function repair(location: string, options?: RepairOptions): Promise<RepairReport>
export async function repair(location: string, options?: unknown): Promise<RepairReport> {
  const care = checkRepair(options)
  return await repairFiles(await directoryVfs(location, 'repair'), care)
}
