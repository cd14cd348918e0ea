import {
  closeSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { assert, LightningError } from '../errors.ts'
import { copyRights } from './file-rights.ts'
import type { Visitor } from './liveness-socket.ts'
import { isLockFile, removeLockFiles } from './lock-files.ts'
import { openNodeFile } from './node-file.ts'
import { takeSocketLock } from './socket-lock.ts'
import { guarded, systemCodeOf, systemError } from './system-error.ts'
import {
  checkFileName,
  isDatabaseFile,
  type Vfs,
  type VfsFile,
  type VfsLock,
  type VfsLockKind,
  type VfsOpenOptions
} from './vfs.ts'

/**
 * The directory `location` through node:fs: Node, Deno and Bun. A relative path is taken from the working directory of
 * now. A `visitor` takes the processes that connect to the holder of the exclusive lock. Not for browsers: import it
 * dynamically.
 */
export function nodeVfs(location: string, visitor?: Visitor): Vfs {
  return new NodeVfs(resolve(location), visitor)
}

class NodeVfs implements Vfs {
  readonly location: string
  readonly #visitor: Visitor | undefined

  constructor(location: string, visitor: Visitor | undefined) {
    this.location = location
    this.#visitor = visitor
  }

  async prepare(options: { create: boolean }): Promise<boolean> {
    if (isDirectory(this.location)) return true
    if (!options.create) return false
    for (const path of missingDirectories(this.location).reverse()) {
      makeDirectory(path)
      // A new directory lasts only when its parent is synced.
      syncDirectoryAt(dirname(path))
    }
    return false
  }

  async lock(kind: VfsLockKind): Promise<VfsLock> {
    return await takeSocketLock(this.location, kind, this.#visitor)
  }

  async open(name: string, options: VfsOpenOptions = {}): Promise<VfsFile> {
    return openNodeFile(name, this.#path(name), options)
  }

  async exists(name: string): Promise<boolean> {
    const path = this.#path(name)
    return guarded('examine', path, () => statSync(path, { throwIfNoEntry: false })) !== undefined
  }

  async list(): Promise<string[]> {
    try {
      const entries = readdirSync(this.location, { withFileTypes: true })
      return entries
        .filter(entry => !entry.isDirectory() && !isLockFile(entry.name))
        .map(entry => entry.name)
        .sort()
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return []
      throw systemError(error, 'list', this.location)
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name)
    guarded('remove', path, () => unlinkSync(path))
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.#path(from), this.#path(to)]
    guarded('rename', source, () => renameSync(source, target))
  }

  copyRights(from: string, to: string): void {
    copyRights(this.#path(from), this.#path(to))
  }

  async syncDirectory(): Promise<void> {
    if (!hasDirectorySync) return
    const fd = guarded('open', this.location, () => openSync(this.location, 'r'))
    try {
      // Off this thread: what opens a database has other things to do meanwhile.
      await new Promise<void>((resolve, reject) => fsync(fd, error => (error ? reject(error) : resolve())))
    } catch (error) {
      checkDirectorySync(error, this.location)
    } finally {
      closeSync(fd)
    }
  }

  freeBytes(): number | undefined {
    if (typeof statfsSync !== 'function') return undefined
    try {
      const { bavail, bsize } = statfsSync(this.location)
      return bavail * bsize
    } catch (error) {
      // Removed while it is open: the lock tells.
      if (systemCodeOf(error) === 'ENOENT') return undefined
      throw systemError(error, 'examine', this.location)
    }
  }

  async removeAll(): Promise<void> {
    for (const name of await this.list()) if (isDatabaseFile(name)) await this.remove(name)
    // Last, and the newest of them at the very end: until it is gone nobody else can begin a database here.
    removeLockFiles(this.location)
    try {
      rmdirSync(this.location)
    } catch (error) {
      // Somebody else's files, or the next owner's, or a mount point: the directory may stay.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'EACCES', 'EPERM'].includes(systemCodeOf(error) ?? '')) {
        throw systemError(error, 'remove', this.location)
      }
      return
    }
    syncDirectoryAt(dirname(this.location))
  }

  #path(name: string): string {
    checkFileName(name)
    assert(!isLockFile(name), `${name} belongs to the lock`)
    return join(this.location, name)
  }
}

function isDirectory(path: string): boolean {
  const found = guarded('examine', path, () => statSync(path, { throwIfNoEntry: false }))
  if (found === undefined || found.isDirectory()) return found !== undefined
  const message = `Cannot open a database at ${path}: it is no directory. Choose the path of a directory.`
  throw new LightningError('LIGHTNING_INVALID_ARGUMENT', message, { file: path })
}

/** `path` and those of its parents that do not exist, innermost first. */
function missingDirectories(path: string): string[] {
  const missing: string[] = []
  for (let at = path; !isDirectory(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
  return missing
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    // Somebody else makes it at the same moment.
    if (systemCodeOf(error) !== 'EEXIST') throw systemError(error, 'create', path)
  }
}

/** Windows has no such call and keeps its directories by a journal. */
const hasDirectorySync = process.platform !== 'win32'

function syncDirectoryAt(path: string): void {
  if (!hasDirectorySync) return
  const fd = guarded('open', path, () => openSync(path, 'r'))
  try {
    fsyncSync(fd)
  } catch (error) {
    checkDirectorySync(error, path)
  } finally {
    closeSync(fd)
  }
}

/** File systems that cannot sync a directory say so; there is nothing more that could be done on them. */
function checkDirectorySync(error: unknown, path: string): void {
  if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCodeOf(error) ?? '')) throw systemError(error, 'sync', path)
}
