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
 * Files in a directory, by node:fs or in a browser's origin private file system. Rejects with
 * `LIGHTNING_INVALID_ARGUMENT`. Where there is no access to files, their first use rejects with
 * `LIGHTNING_UNAVAILABLE`.
 */
export async function directoryVfs(location: unknown, where: string): Promise<Vfs> {
  return await directoryAt(checkDirectory(location, where))
}
