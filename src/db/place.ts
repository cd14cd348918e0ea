// From a location to the files there.

import { onDemand } from '../kernel/on-demand.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { directoryAt } from './directories.ts'
import { checkDirectory, inMemory } from './location.ts'

/** Files at a location, or in memory. Rejects as `directoryVfs` does. */
export async function vfsAt(location: unknown, where: string): Promise<Vfs> {
  if (location !== inMemory) return await directoryVfs(location, where)
  const { memoryVfs } = await onDemand(where, () => import('../vfs/memory.ts'))
  return memoryVfs()
}

/**
 * Files in a directory: through node:fs, or of the origin private file system of a browser. Rejects with
 * `LIGHTNING_INVALID_ARGUMENT`; where files cannot be reached, the first use of them does with `LIGHTNING_UNAVAILABLE`.
 */
export async function directoryVfs(location: unknown, where: string): Promise<Vfs> {
  return await directoryAt(checkDirectory(location, where))
}
