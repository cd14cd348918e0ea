// Locations, without the files there: a page that connects has no use for those.

import { describe, invalidArgument } from '../encoding/failure.ts'
import { fullName } from './full-name.ts'

/** The location that keeps nothing. */
export const inMemory = ':memory:'

/** What the file system calls a directory, wherever it is asked from. Rejects with `LIGHTNING_INVALID_ARGUMENT`. */
export async function directoryName(location: unknown, where: string): Promise<string> {
  return await fullName(checkDirectory(location, where))
}

/** The path of a directory. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkDirectory(location: unknown, where: string): string {
  if (typeof location !== 'string') {
    const hint = location instanceof URL ? ' Turn it into a path by fileURLToPath of node:url.' : ''
    throw invalidArgument(`${where}: pass the path of a directory as a string; got ${describe(location)}.${hint}`)
  }
  if (location === '' || location.includes('\0')) {
    throw invalidArgument(`${where}: pass a path that is not empty and holds no zero byte; got ${describe(location)}.`)
  }
  if (location !== inMemory) return location
  throw invalidArgument(`${where}: what is in memory cannot be named. Pass a directory.`)
}
