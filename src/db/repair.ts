import { checkInteger, checkKnown } from '../encoding/arguments.ts'
import { repair as repairFiles, type RepairReport } from '../engine/repair.ts'
import { type CheckedProgress, checkProgress } from './call-options.ts'
import { directoryVfs } from './place.ts'
import type { ProgressOptions } from './types.ts'

const mib = 1_024 * 1_024
const repairNames: ReadonlySet<string> = new Set(['onProgress', 'signal', 'cacheBytes'])

/** Options of `repair`; `undefined` means absent. */
export interface RepairOptions extends ProgressOptions {
  /** Hard cap on page frames in bytes, from 8 MiB to 3 GiB (default 64 MiB). */
  readonly cacheBytes?: number | undefined
}

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

/** Throws `LIGHTNING_INVALID_ARGUMENT`, and `LIGHTNING_ABORTED` when the signal has fired already. */
export function checkRepair(options: unknown): CheckedProgress & { readonly cacheBytes: number } {
  const given = checkKnown(options, repairNames, 'repair')
  const { onProgress, signal } = checkProgress({ onProgress: given.onProgress, signal: given.signal }, 'repair')
  const cacheBytes =
    given.cacheBytes === undefined
      ? 64 * mib
      : checkInteger(given.cacheBytes, 8 * mib, 3 * 1_024 * mib, 'repair, option cacheBytes')
  return { onProgress, signal, cacheBytes }
}
