import { LightningError } from '../errors.ts'
import {
  type AccessHandle,
  blobHandle,
  canAccess,
  canMove,
  isAccessible,
  isMovable,
  knowsReadOnlyMode
} from './access-handle.ts'
import { browserError, nameOf } from './browser-error.ts'
import { OpfsFile, SharedHandle } from './opfs-file.ts'
import { opfsNames } from './opfs-path.ts'
import {
  checkFileName,
  isDatabaseFile,
  type Vfs,
  type VfsFile,
  type VfsLock,
  type VfsLockKind,
  type VfsOpenOptions
} from './vfs.ts'
import { takeWebLock } from './web-lock.ts'

// Files in the origin private file system, through synchronous access handles. What differs from a disk:
//
// - A file has one handle for writing, and it is the browser's to give back: a worker that was terminated may keep its
//   handles for some moments. So whatever is refused for that reason is tried again for a while.
// - Names cannot be synced. Browsers keep them in a database of their own, written as files are made and renamed. That
//   outlives the browser's death; after a power failure the newest names may be missing, and nothing can be done.
// - A file that is open can be neither renamed nor replaced.
// - How much room there is can be asked, and the answer is made up: Chromium says 10 GiB whatever the quota. So there is
//   no `freeBytes`, and space counts as there when it has been written.

/**
 * The directory `location` of the origin private file system of this site. Throws `LIGHTNING_INVALID_ARGUMENT`. Files
 * can be opened in dedicated workers only; locking and removing works in pages, too. `whenLocked` is waited for when a
 * lock has been taken.
 */
export function opfsVfs(location: string, whenLocked?: () => Promise<unknown>): Vfs {
  return new OpfsVfs(opfsNames(location), whenLocked)
}

/** What browsers call it when somebody else has a file open. */
const taken = 'NoModificationAllowedError'

/** How long a handle is waited for that a dead worker still has: milliseconds a time, and times. */
const patience = { stepMs: 25, steps: 200 }

class OpfsVfs implements Vfs {
  readonly location: string
  readonly #path: string
  readonly #names: readonly string[]
  readonly #whenLocked: (() => Promise<unknown>) | undefined
  /** Files that this thread has open for writing. */
  readonly #open = new Map<string, SharedHandle>()

  constructor(names: readonly string[], whenLocked: (() => Promise<unknown>) | undefined) {
    this.#names = names
    this.#whenLocked = whenLocked
    this.#path = `/${names.join('/')}`
    this.location = `opfs:${this.#path}`
  }

  async prepare(options: { create: boolean }): Promise<boolean> {
    if ((await this.#find()) !== undefined) return true
    if (!options.create) return false
    // Before anything is made: without renaming, a new database could not appear whole (docs/durability.md, rule 19).
    if (!canAccess()) throw this.#unreachable()
    if (!canMove()) throw unavailable(this.location, renaming)
    await this.#find(true)
    return false
  }

  async lock(kind: VfsLockKind): Promise<VfsLock> {
    await this.#directory()
    const lock = await takeWebLock(this.#path, this.location, kind)
    try {
      await this.#whenLocked?.()
    } catch (error) {
      await lock.release()
      throw error
    }
    return lock
  }

  async open(name: string, options: VfsOpenOptions = {}): Promise<VfsFile> {
    checkFileName(name)
    const { create = false, exclusive = false, readOnly = false } = options
    if (create && exclusive && (await this.exists(name))) {
      const message = `Cannot create ${this.#of(name)}: it exists already. Choose another location or remove it.`
      throw new LightningError('LIGHTNING_EXISTS', message, { file: this.#of(name) })
    }
    const shared = this.#open.get(name)
    if (shared !== undefined) return new OpfsFile(name, shared, readOnly)
    const directory = await this.#directory()
    const file = await this.#try('open', name, () => directory.getFileHandle(name, { create }))
    if (readOnly) return new OpfsFile(name, await this.#openForReading(name, file), true)
    const handle = await this.#access(name, file, 'readwrite')
    const opened = new SharedHandle(this.#of(name), handle, () => this.#open.delete(name))
    this.#open.set(name, opened)
    return new OpfsFile(name, opened, false)
  }

  async exists(name: string): Promise<boolean> {
    checkFileName(name)
    const directory = await this.#find()
    if (directory === undefined) return false
    try {
      await directory.getFileHandle(name)
    } catch (error) {
      if (nameOf(error) === 'NotFoundError') return false
      throw browserError(error, 'examine', this.#of(name))
    }
    return true
  }

  async list(): Promise<string[]> {
    const directory = await this.#find()
    if (directory === undefined) return []
    const names: string[] = []
    try {
      for await (const [name, handle] of directory.entries()) if (handle.kind === 'file') names.push(name)
    } catch (error) {
      throw browserError(error, 'list', this.location)
    }
    return names.sort()
  }

  async remove(name: string): Promise<void> {
    checkFileName(name)
    const directory = await this.#directory()
    await this.#try('remove', name, () => directory.removeEntry(name))
  }

  async rename(from: string, to: string): Promise<void> {
    checkFileName(from)
    checkFileName(to)
    const directory = await this.#directory()
    const file = await this.#try('rename', from, () => directory.getFileHandle(from))
    if (!isMovable(file)) throw unavailable(this.location, renaming)
    await this.#try('rename', from, () => file.move(directory, to))
  }

  async syncDirectory(): Promise<void> {
    // Browsers have no such call; what there is to say about it stands at the top.
  }

  async removeAll(): Promise<void> {
    for (const name of await this.list()) if (isDatabaseFile(name)) await this.remove(name)
    const parent = await this.#find(false, this.#names.slice(0, -1))
    const last = this.#names.at(-1)
    if (parent === undefined || last === undefined) return
    try {
      await parent.removeEntry(last)
    } catch (error) {
      // Somebody else's files: the directory may stay.
      if (!['InvalidModificationError', 'NotFoundError'].includes(nameOf(error))) {
        throw browserError(error, 'remove', this.location)
      }
    }
  }

  async #openForReading(name: string, file: FileSystemFileHandle): Promise<SharedHandle> {
    if (knowsReadOnlyMode()) {
      return new SharedHandle(this.#of(name), await this.#access(name, file, 'read-only'))
    }
    const blob = await this.#try('open', name, () => file.getFile())
    return new SharedHandle(this.#of(name), blobHandle(blob))
  }

  async #access(name: string, file: FileSystemFileHandle, mode: 'read-only' | 'readwrite'): Promise<AccessHandle> {
    if (!isAccessible(file)) throw this.#unreachable()
    return await this.#try('open', name, () => file.createSyncAccessHandle({ mode }))
  }

  /** Runs `operation`, again for a while as long as somebody else has the file open: that may be a dead worker. */
  async #try<T>(action: string, name: string, operation: () => Promise<T>): Promise<T> {
    for (let step = 0; ; step++) {
      try {
        return await operation()
      } catch (error) {
        // WebKit has a name of its own for it.
        const reason = nameOf(error) === 'InvalidStateError' ? taken : nameOf(error)
        const mayBeDying = reason === taken && !this.#open.has(name)
        if (!mayBeDying || step >= patience.steps) throw browserError(error, action, this.#of(name), reason)
      }
      await new Promise(resolve => setTimeout(resolve, patience.stepMs))
    }
  }

  async #directory(): Promise<FileSystemDirectoryHandle> {
    const found = await this.#find()
    if (found !== undefined) return found
    const message = `Cannot open ${this.location}: it does not exist. Check the location.`
    throw new LightningError('LIGHTNING_NOT_FOUND', message, { file: this.location })
  }

  async #find(create = false, names = this.#names): Promise<FileSystemDirectoryHandle | undefined> {
    try {
      let directory = await storage(this.location).getDirectory()
      for (const name of names) directory = await directory.getDirectoryHandle(name, { create })
      return directory
    } catch (error) {
      if (nameOf(error) === 'NotFoundError' && !create) return undefined
      throw browserError(error, 'open', this.location)
    }
  }

  #unreachable(): LightningError {
    const path = JSON.stringify(this.#names.join('/'))
    return unavailable(this.location, `only dedicated workers reach files synchronously. Use connect(${path}).`)
  }

  #of(name: string): string {
    return `${this.location}/${name}`
  }
}

const renaming = 'this browser cannot rename files. Use a newer one.'

function storage(location: string): StorageManager {
  if (typeof navigator !== 'undefined' && navigator.storage?.getDirectory !== undefined) return navigator.storage
  throw unavailable(
    location,
    "this page has no private file system. Serve it over HTTPS or from localhost, or use ':memory:'."
  )
}

function unavailable(what: string, why: string): LightningError {
  return new LightningError('LIGHTNING_UNAVAILABLE', `Cannot use ${what}: ${why}`, { file: what })
}
