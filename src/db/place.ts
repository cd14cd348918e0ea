// From a location to the files there.

import { describe, invalidArgument } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'
import { memoryVfs } from '../vfs/memory.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** The location that keeps nothing. */
export const inMemory = ':memory:'

/** Files at a location, or in memory. Rejects as `directoryVfs` does. */
export async function vfsAt(location: unknown, where: string): Promise<Vfs> {
  return location === inMemory ? memoryVfs() : await directoryVfs(location, where)
}

/**
 * Files in a directory. Rejects with `LIGHTNING_INVALID_ARGUMENT`, and with `LIGHTNING_UNAVAILABLE` where there are no
 * directories, as in browsers.
 */
export async function directoryVfs(location: unknown, where: string): Promise<Vfs> {
  const path = checkLocation(location, where)
  if (path === inMemory) throw invalidArgument(`${where}: what is in memory cannot be named. Pass a directory.`)
  if (!hasNodeFiles()) {
    throw new LightningError(
      'LIGHTNING_UNAVAILABLE',
      `${where}: this thread cannot reach files synchronously. Use connect(${JSON.stringify(path)}), or ':memory:'.`
    )
  }
  // Not a static import: browsers have no node:fs.
  const { nodeVfs } = await import('../vfs/node.ts')
  return nodeVfs(path)
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

/** Node, Deno and Bun tell a version of Node whose modules they have. */
function hasNodeFiles(): boolean {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null) return false
  const versions: unknown = Reflect.get(process, 'versions')
  if (typeof versions !== 'object' || versions === null) return false
  return typeof Reflect.get(versions, 'node') === 'string'
}
