import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync
} from 'node:fs'
import { assert, LightningError } from '../errors.ts'
import { guarded, systemError } from './system-error.ts'
import type { VfsFile, VfsOpenOptions } from './vfs.ts'

/** What a file needs of node:fs; tests put a disk that fails below it. */
export interface FileCalls {
  openSync(path: string, flags: number): number
  closeSync(fd: number): void
  readSync(fd: number, into: Uint8Array, from: number, length: number, position: number): number
  writeSync(fd: number, bytes: Uint8Array, from: number, length: number, position: number): number
  fdatasyncSync(fd: number): void
  fdatasync(fd: number, callback: (error: Error | null) => void): void
  ftruncateSync(fd: number, bytes: number): void
  fstatSync(fd: number): { readonly size: number }
}

const nodeCalls: FileCalls = {
  openSync,
  closeSync,
  readSync,
  writeSync,
  fdatasyncSync,
  fdatasync,
  ftruncateSync,
  fstatSync
}

/** Opens the file at `path`, called `name`, through node:fs. Throws as `Vfs.open` says. */
export function openNodeFile(
  name: string,
  path: string,
  options: VfsOpenOptions,
  calls: FileCalls = nodeCalls
): VfsFile {
  const access = options.readOnly === true ? constants.O_RDONLY : constants.O_RDWR
  const creation = options.create === true ? constants.O_CREAT | (options.exclusive === true ? constants.O_EXCL : 0) : 0
  const fd = guarded('open', path, () => calls.openSync(path, access | creation))
  if (options.readOnly === true) return new NodeFile(name, path, calls, fd, undefined)
  try {
    return new NodeFile(name, path, calls, fd, calls.openSync(path, access))
  } catch (error) {
    calls.closeSync(fd)
    throw systemError(error, 'open', path)
  }
}

class NodeFile implements VfsFile {
  readonly name: string
  readonly #path: string
  readonly #calls: FileCalls
  #fd: number | undefined
  /** For syncs in the pool only (docs/durability.md, rule 16); undefined when the file is open for reading. */
  #poolFd: number | undefined
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined
  #syncFailure: LightningError | undefined

  constructor(name: string, path: string, calls: FileCalls, fd: number, poolFd: number | undefined) {
    this.name = name
    this.#path = path
    this.#calls = calls
    this.#fd = fd
    this.#poolFd = poolFd
  }

  readAt(into: Uint8Array, offset: number): number {
    const fd = this.#descriptor(offset)
    let done = 0
    try {
      while (done < into.length) {
        const bytes = this.#calls.readSync(fd, into, done, into.length - done, offset + done)
        if (bytes === 0) break
        done += bytes
      }
    } catch (error) {
      throw systemError(error, 'read', this.#path)
    }
    return done
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    const fd = this.#writable(offset)
    try {
      let done = this.#calls.writeSync(fd, bytes, 0, bytes.length, offset)
      // The second call gets to the end, or makes the system say what stopped the first.
      if (done < bytes.length) done += this.#calls.writeSync(fd, bytes, done, bytes.length - done, offset + done)
      if (done < bytes.length) throw shortWrite(this.#path, done, bytes.length, offset)
    } catch (error) {
      throw systemError(error, 'write', this.#path)
    }
  }

  sync(): void {
    const fd = this.#descriptor(0)
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    if (this.#poolFd === undefined) return
    try {
      this.#calls.fdatasyncSync(fd)
    } catch (error) {
      this.#syncFailure = systemError(error, 'sync', this.#path)
      throw this.#syncFailure
    }
  }

  syncAsync(): Promise<void> {
    this.#descriptor(0)
    if (this.#queued !== undefined) return this.#queued
    if (this.#running === undefined) return this.#startSync()
    // The one that runs may have begun before the newest writes; all who ask meanwhile share the next one.
    this.#queued = this.#running.then(() => {
      this.#queued = undefined
      return this.#startSync()
    })
    return this.#queued
  }

  truncate(bytes: number): void {
    const fd = this.#writable(bytes)
    guarded('resize', this.#path, () => this.#calls.ftruncateSync(fd, bytes))
  }

  size(): number {
    const fd = this.#descriptor(0)
    return guarded('examine', this.#path, () => this.#calls.fstatSync(fd).size)
  }

  close(): void {
    const fd = this.#fd
    if (fd === undefined) return
    this.#fd = undefined
    try {
      guarded('close', this.#path, () => this.#calls.closeSync(fd))
    } finally {
      if (this.#running === undefined) this.#closePool()
    }
  }

  #startSync(): Promise<void> {
    const fd = this.#poolFd
    if (this.#syncFailure !== undefined) return Promise.reject(this.#syncFailure)
    if (this.#fd === undefined) return Promise.reject(closedEarly(this.#path))
    if (fd === undefined) return Promise.resolve()
    this.#running = new Promise((resolve, reject) => {
      this.#calls.fdatasync(fd, error => {
        this.#running = undefined
        // Closing a descriptor under a pool thread could let it sync another file that got the same number.
        if (this.#fd === undefined) this.#closePool()
        if (!error) return resolve()
        this.#syncFailure ??= systemError(error, 'sync', this.#path)
        reject(this.#syncFailure)
      })
    })
    return this.#running
  }

  #closePool(): void {
    const fd = this.#poolFd
    this.#poolFd = undefined
    if (fd !== undefined) guarded('close', this.#path, () => this.#calls.closeSync(fd))
  }

  #descriptor(offset: number): number {
    assert(this.#fd !== undefined, `${this.name} is used after close`)
    assert(Number.isSafeInteger(offset) && offset >= 0, `${offset} is no place in ${this.name}`)
    return this.#fd
  }

  #writable(offset: number): number {
    const fd = this.#descriptor(offset)
    if (this.#poolFd !== undefined) return fd
    const message = `Cannot write ${this.#path}: it was opened for reading. Open the database without readOnly.`
    throw new LightningError('LIGHTNING_READ_ONLY', message, { file: this.#path })
  }
}

function shortWrite(path: string, done: number, length: number, offset: number): LightningError {
  const message = `Cannot write ${path}: the system took ${done} of ${length} bytes and named no reason. Check the disk.`
  return new LightningError('LIGHTNING_IO', message, { file: path, offset: offset + done })
}

function closedEarly(path: string): LightningError {
  return new LightningError('LIGHTNING_CLOSED', `Cannot sync ${path}: it was closed before the sync began.`, {
    file: path
  })
}
