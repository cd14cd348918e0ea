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
//   LOCK.5be0….new             a lock file that is being written
//
// Generations are removed in ascending order only, and never the newest. So while LOCK.n exists, a LOCK.n+1 that has
// ever existed still does: `socket-lock.ts` rests on that.

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

/** Longer is no lock file of ours. */
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

/** What file systems without hard links answer; EISDIR is what Node makes of it on Windows. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EISDIR'])

/** Makes a lock file, complete from the start, unless one is there: then returns false and nothing has changed. */
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

/** Gives a lock file another text in one step. */
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

/** What tells the file of this name from another that takes its place; undefined when there is none. */
export function identityOfClaim(directory: string, name: string): string | undefined {
  const path = join(directory, name)
  const found = guarded('examine', path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
  return found === undefined ? undefined : `${found.dev}:${found.ino}:${found.mtimeNs}`
}

/**
 * Removes what earlier holders and others' attempts left: for the owner of generation `owner` only, who has found no
 * reader. Whoever is in the middle of an attempt sees the owner in its last check and gives up, so nothing is missed.
 * What cannot be removed stays: it does no harm, and the next owner tries again.
 */
export function sweepLockFiles(directory: string, owner: number, ownSocket: string): void {
  try {
    const { generations, readers } = listClaims(directory)
    // Not past one that could not be removed: the order is what the lock rests on.
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
 * Removes every lock file: for the owner only, who has nothing left to protect. Only what is there at the call: once
 * the newest generation is gone the next database may begin here, and its lock files must stay. What belongs to others'
 * attempts goes before that, so that they find it gone when they look for it at last.
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
