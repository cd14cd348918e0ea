// From a location to the files there.

import { describe, invalidArgument } from '../encoding/failure.ts'
import { memoryVfs } from '../vfs/memory.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { directoryAt } from './directories.ts'

/** The location that keeps nothing. */
export const inMemory = ':memory:'

/** Files at a location, or in memory. Rejects as `directoryVfs` does. */
export async function vfsAt(location: unknown, where: string): Promise<Vfs> {
  return location === inMemory ? memoryVfs() : await directoryVfs(location, where)
}

/**
 * Files in a directory: through node:fs, or of the origin private file system of a browser. Rejects with
 * `LIGHTNING_INVALID_ARGUMENT`; where files cannot be reached, the first use of them does with `LIGHTNING_UNAVAILABLE`.
 */
export async function directoryVfs(location: unknown, where: string): Promise<Vfs> {
  const path = checkLocation(location, where)
  if (path === inMemory) throw invalidArgument(`${where}: what is in memory cannot be named. Pass a directory.`)
  return await directoryAt(path)
}

function checkLocation(location: unknown, where: string): string {
  if (typeof location !== 'string') {
    throw invalidArgument(`${where}: pass the path of a directory as a string; got ${describe(location)}.`)
  }
  if (location === '' || location.includes('\0')) {
    throw invalidArgument(`${where}: pass a path that is not empty and holds no zero byte; got ${describe(location)}.`)
  }
  return location
}
