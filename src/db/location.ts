// Locations, apart from the files there, since a page that connects loads no code for files.

import { describe, invalidArgument } from '../encoding/failure.ts'
import { fullName } from './full-name.ts'

/** The location of databases in memory. */
export const inMemory = ':memory:'

/** The full name of a directory, independent of the working directory. Rejects with `LIGHTNING_INVALID_ARGUMENT`. */
export async function directoryName(location: unknown, where: string): Promise<string> {
  return await fullName(checkDirectory(location, where))
}

/** Returns `location` if it can be the path of a directory. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkDirectory(location: unknown, where: string): string {
  if (typeof location !== 'string') {
    const got = describe(location)
    const hint = got === 'a URL' ? ' Turn it into a path by fileURLToPath of node:url.' : ''
    throw invalidArgument(`${where}: pass the path of a directory as a string; got ${got}.${hint}`)
  }
  if (location === '' || location.includes('\0')) {
    throw invalidArgument(`${where}: pass a path that is not empty and holds no zero byte; got ${describe(location)}.`)
  }
  if (location !== inMemory) return location
  throw invalidArgument(`${where}: what is in memory cannot be named. Pass a directory.`)
}
