import { checkCare } from '../db/call-options.ts'
import { directoryName } from '../db/location.ts'
import type { CareOptions } from '../db/types.ts'
import { onDemand } from '../kernel/on-demand.ts'
import { canOpenFiles, runInWorker } from './worker-task.ts'

/**
 * Makes a database in the directory `location` from the backup in the directory `backup`; in a page a worker does it.
 * Rejects with `LIGHTNING_NOT_FOUND` when there is no backup, `LIGHTNING_EXISTS` when there is a database at the
 * location already, `LIGHTNING_CORRUPT` when the backup is damaged, `LIGHTNING_ABORTED`, and as `open` does.
 */
export async function restore(backup: string, location: string, options?: CareOptions): Promise<void> {
  if (canOpenFiles()) {
    const here = await onDemand('restore', () => import('../db/restore.ts'))
    return await here.restore(backup, location, options)
  }
  const care = checkCare(options, 'restore')
  await directoryName(backup, 'restore, the backup')
  await directoryName(location, 'restore')
  await runInWorker('restore', [backup, location], care)
}
