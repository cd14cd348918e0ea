import { directoryName } from '../db/location.ts'
import { checkRepair, type RepairOptions } from '../db/repair-options.ts'
import { isObject } from '../encoding/arguments.ts'
import type { RepairReport } from '../engine/repair.ts'
import { onDemand } from '../kernel/on-demand.ts'
import { canOpenFiles, runInWorker } from './worker-task.ts'
import { malformed } from './messages.ts'

/**
 * Makes a new database of everything that can be read in the damaged one at `location`, and puts it in its place. The
 * damaged files are kept under other names, `data.ldb.damaged-1` and so on; remove them when they are not needed any
 * more. Until then the new database takes as much space again. It begins a new timeline, and sequence numbers begin
 * anew.
 *
 * Every entry of every undamaged page is recovered, and the log up to its first damaged commit. A sublevel whose name
 * is lost is called `recovered-` and a number. A repair that fails or is killed has changed nothing; if it is killed
 * while it exchanges the files, the next `open` or `repair` completes it. In a page a worker does the work.
 *
 * Rejects with `LIGHTNING_NOT_FOUND`, `LIGHTNING_LOCKED` while the database is open, `LIGHTNING_VERSION`,
 * `LIGHTNING_DISK_FULL`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`, `LIGHTNING_OUT_OF_MEMORY`,
 * `LIGHTNING_INVALID_ARGUMENT`, `LIGHTNING_ABORTED`; what an `onProgress` throws ends it and passes unchanged.
 */
export async function repair(location: string, options?: RepairOptions): Promise<RepairReport> {
  if (canOpenFiles()) {
    const here = await onDemand('repair', () => import('../db/repair.ts'))
    return await here.repair(location, options)
  }
  const { cacheBytes, ...care } = checkRepair(options)
  await directoryName(location, 'repair')
  const report = await runInWorker('repair', [location, cacheBytes], care)
  if (isReport(report)) return report
  throw malformed('a report is malformed')
}

function isReport(value: unknown): value is RepairReport {
  return isObject(value) && typeof value.recovered === 'number' && Array.isArray(value.lost)
}
