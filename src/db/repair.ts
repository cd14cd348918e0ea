import { repair as repairFiles, type RepairReport } from '../engine/repair.ts'
import { directoryVfs } from './place.ts'
import { checkRepair, type RepairOptions } from './repair-options.ts'

/** Repairs the database at `location` in this thread; `src/host/repair.ts` says what that does and what it rejects with. */
export function repair(location: string, options?: RepairOptions): Promise<RepairReport>
export async function repair(location: string, options?: unknown): Promise<RepairReport> {
  const care = checkRepair(options)
  return await repairFiles(await directoryVfs(location, 'repair'), care)
}
