import {
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { discardFile } from './discard.ts'
import { parseHolder } from './lock-holder.ts'
import { guarded, systemCodeOf, systemError } from './system-error.ts'

// The files of the lock, all in the database's directory:
//
//   LOCK.7                     the 7th generation: who took the exclusive lock after the 6th (see `lock-holder.ts`)
//   LOCK.r-9f3c…               one reader
//   LOCK.7.5be0….sock          the sockets of those two, or of somebody who tried to become the 7th
//   LOCK.r-9f3c….5be0….sock
//   LOCK.7.0.sock              the socket of a client that is starting the 7th (see `start-socket.ts`)
//   LOCK.5be0….new             a lock file that is being written
//
// Generations are removed only in ascending order, and never the newest. So while LOCK.n exists, LOCK.n+1 exists if it
// ever has. `socket-lock.ts` relies on that.

/** Name of the lock file of a generation, 1 and up. */
export function generationName(generation: number): string {
  return `LOCK.${generation}`
}

/** Name of a reader's lock file. */
export function readerName(token: string): string {
  return `LOCK.r-${token}`
}

/** Name of a socket of whoever has, or tries to get, the lock file `claim`. */
export function socketName(claim: string, token: string): string {
  return `${claim}.${token}.sock`
}

/** The highest generation whose name is one of those above. No series of owners gets there, only a hand. */
export const lastGeneration = 999_999_999_999_999

const generationPattern = /^LOCK\.([1-9]\d{0,14})$/
const readerPattern = /^LOCK\.r-[\da-f]+$/
const socketPattern = /^(LOCK\.(?:[1-9]\d{0,14}|r-[\da-f]+))\.[\da-f]+\.sock$/
const unfinishedPattern = /^LOCK\.[\da-f]+\.new$/

/** Whether a lock file is a reader's. */
export function isReaderName(name: string): boolean {
  return readerPattern.test(name)
}

/** Whether a name is one of those above. */
export function isLockFile(name: string): boolean {
  return [generationPattern, readerPattern, socketPattern, unfinishedPattern].some(pattern => pattern.test(name))
}

/** The lock file that a socket's name belongs to. */
export function claimOfSocket(name: string): string | undefined {
  return socketPattern.exec(name)?.[1]
}

/** The generations that have a file, ascending, and the names of the readers' files. */
export function listClaims(directory: string): { generations: number[]; readers: string[] } {
  const names = guarded('list', directory, () => readdirSync(directory))
  const generations = names.map(generationOf).filter(generation => generation > 0)
  return { generations: generations.sort((a, b) => a - b), readers: names.filter(isReaderName) }
}

/** A longer file is not one of these lock files. */
const longestClaimBytes = 4096

/** The text of a lock file; undefined when there is none, '' when something by that name cannot be read. */
export function readClaim(directory: string, name: string): string | undefined {
  const path = join(directory, name)
  try {
    // Anything but a plain file could block the read.
    if (!lstatSync(path).isFile()) return ''
    const fd = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(longestClaimBytes)
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT' ? undefined : ''
  }
}

/** Errors of file systems without hard links; on Windows, Node reports EISDIR. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EISDIR'])

/** Creates a lock file, complete from the start. False: there is one already, and nothing has changed. */
export function publishClaim(directory: string, name: string, text: string, token: string): boolean {
  const path = join(directory, name)
  const unfinished = join(directory, `LOCK.${token}.new`)
  try {
    writeFileSync(unfinished, text, { flag: 'wx' })
    linkSync(unfinished, path)
    return true
  } catch (error) {
    const code = systemCodeOf(error) ?? ''
    if (code === 'EEXIST') return false
    // An owner swept the unfinished file away; a missing directory shows at the next attempt.
    if (code === 'ENOENT') return false
    // No room for the text: the socket, which carries the name of this file, says all that is needed.
    if (code === 'ENOSPC' || code === 'EDQUOT') return createClaim(path, '')
    // Until the text is written the socket speaks for the file.
    if (withoutLinks.has(code)) return createClaim(path, text)
    throw systemError(error, 'create', path)
  } finally {
    discardFile(unfinished)
  }
}

/** Replaces the text of a lock file, atomically. */
export function rewriteClaim(directory: string, name: string, text: string, token: string): void {
  const unfinished = join(directory, `LOCK.${token}.new`)
  try {
    writeFileSync(unfinished, text, { flag: 'wx' })
    renameSync(unfinished, join(directory, name))
  } finally {
    discardFile(unfinished)
  }
}

export function removeClaim(directory: string, name: string): void {
  discardFile(join(directory, name))
}

/** Identifies the file behind a name, which changes when another file takes its place; undefined: there is none. */
export function identityOfClaim(directory: string, name: string): string | undefined {
  const path = join(directory, name)
  const found = guarded('examine', path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
  return found === undefined ? undefined : `${found.dev}:${found.ino}:${found.mtimeNs}`
}

/**
 * Removes what earlier holders and others' attempts have left. Only for the owner of generation `owner`, who has found
 * no reader. An opener in the middle of an attempt sees the owner in its last check and gives up, so its files may go,
 * too. What cannot be removed stays; it does no harm, and the next owner tries again.
 */
export function sweepLockFiles(directory: string, owner: number, ownSocket: string): void {
  try {
    const { generations, readers } = listClaims(directory)
    // Stops at one that cannot be removed, because the lock relies on the order.
    for (const generation of generations)
      if (generation < owner) unlinkSync(join(directory, generationName(generation)))
    for (const name of readers) discardFile(join(directory, name))
    sweepSockets(directory, '', owner, ownSocket)
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
  }
}

/** The same for sockets and unfinished files, whose names here begin with `prefix`. */
export function sweepSockets(directory: string, prefix: string, owner: number, ownSocket: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`${prefix}LOCK.`) || name === ownSocket) continue
    const claim = claimOfSocket(name.slice(prefix.length))
    const stale = claim === undefined ? unfinishedPattern.test(name) : generationOf(claim) <= owner
    if (stale) discardFile(join(directory, name))
  }
}

/**
 * Removes every lock file. Only for the owner, when nothing is left to protect. Removes only files that are there at
 * the call: as soon as the newest generation is gone, the next database may be created here, and its lock files must
 * stay. Files of others' attempts are removed before that, so that these find them gone in their last check.
 */
export function removeLockFiles(directory: string): void {
  try {
    const names = readdirSync(directory).filter(isLockFile)
    const generations = names.map(generationOf).filter(generation => generation > 0)
    const ordered = generations.sort((a, b) => a - b).map(generationName)
    const newest = ordered.at(-1)
    const own = parseHolder(newest === undefined ? '' : (readClaim(directory, newest) ?? ''))?.socket
    const isLast = (name: string) => (own === undefined ? claimOfSocket(name) === newest : name === own)
    const first = names.filter(name => generationOf(name) === 0)
    for (const name of [...first.filter(name => !isLast(name)), ...ordered, ...first.filter(isLast)])
      discardFile(join(directory, name))
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw systemError(error, 'remove the lock files of', directory)
  }
}

function createClaim(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false
    throw systemError(error, 'create', path)
  }
}

/** The number in a generation's name, 0 for any other. */
function generationOf(name: string): number {
  return Number(generationPattern.exec(name)?.[1] ?? 0)
}
