import { assert, LightningError } from '../errors.ts'
import type { AccessHandle } from './access-handle.ts'
import { browserError, guardedBrowser } from './browser-error.ts'
import type { VfsFile } from './vfs.ts'

/**
 * After so many written bytes a file is synced. There is no thread pool here, so a sync blocks the owner's thread, and
 * several short ones are better than a long one (docs/durability.md, rule 22).
 */
const mostUnsyncedBytes = 8 << 20

/** A handle that several `VfsFile`s of one thread share, since browsers give out only one. */
export class SharedHandle {
  readonly path: string
  readonly handle: AccessHandle
  readonly #whenClosed: (() => void) | undefined
  #users = 0
  #unsyncedBytes = 0
  #syncFailure: LightningError | undefined

  constructor(path: string, handle: AccessHandle, whenClosed?: () => void) {
    this.path = path
    this.handle = handle
    this.#whenClosed = whenClosed
  }

  use(): void {
    this.#users++
  }

  leave(): void {
    this.#users--
    if (this.#users > 0) return
    this.#whenClosed?.()
    guardedBrowser('close', this.path, () => this.handle.close())
  }

  write(bytes: Uint8Array, offset: number): void {
    let done = this.#writeSome(bytes, offset)
    // The second call gets to the end, or makes the browser say what stopped the first.
    if (done < bytes.length) done += this.#writeSome(bytes.subarray(done), offset + done)
    if (done < bytes.length) {
      const what = `the browser took ${done} of ${bytes.length} bytes and named no reason`
      throw full('write', this.path, what, offset + done)
    }
    this.#unsyncedBytes += bytes.length
    if (this.#unsyncedBytes >= mostUnsyncedBytes) this.sync()
  }

  truncate(bytes: number): void {
    guardedBrowser('resize', this.path, () => this.handle.truncate(bytes))
    // Firefox reports no error when there is no space.
    if (this.size() !== bytes) throw full('resize', this.path, `it stays at ${this.size()} of ${bytes} bytes`)
  }

  size(): number {
    return guardedBrowser('examine', this.path, () => this.handle.getSize())
  }

  sync(): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    try {
      this.handle.flush()
    } catch (error) {
      this.#syncFailure = browserError(error, 'sync', this.path)
      throw this.#syncFailure
    }
    this.#unsyncedBytes = 0
  }

  #writeSome(bytes: Uint8Array, offset: number): number {
    return guardedBrowser('write', this.path, () => this.handle.write(bytes, { at: offset }))
  }
}

/** One opening of a file. */
export class OpfsFile implements VfsFile {
  readonly name: string
  readonly #shared: SharedHandle
  readonly #readOnly: boolean
  #isOpen = true

  constructor(name: string, shared: SharedHandle, readOnly: boolean) {
    this.name = name
    this.#shared = shared
    this.#readOnly = readOnly
    shared.use()
  }

  readAt(into: Uint8Array, offset: number): number {
    this.#check(offset)
    const { handle, path } = this.#shared
    let done = 0
    try {
      while (done < into.length) {
        const bytes = handle.read(done === 0 ? into : into.subarray(done), { at: offset + done })
        if (bytes === 0) break
        done += bytes
      }
    } catch (error) {
      throw browserError(error, 'read', path)
    }
    return done
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    this.#checkWritable(offset)
    if (bytes.length > 0) this.#shared.write(bytes, offset)
  }

  sync(): void {
    this.#check(0)
    if (!this.#readOnly) this.#shared.sync()
  }

  async syncAsync(): Promise<void> {
    this.sync()
  }

  truncate(bytes: number): void {
    this.#checkWritable(bytes)
    this.#shared.truncate(bytes)
  }

  size(): number {
    this.#check(0)
    return this.#shared.size()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#shared.leave()
  }

  #check(offset: number): void {
    assert(this.#isOpen, `${this.name} is used after close`)
    assert(Number.isSafeInteger(offset) && offset >= 0, `${offset} is no place in ${this.name}`)
  }

  #checkWritable(offset: number): void {
    this.#check(offset)
    if (!this.#readOnly) return
    const { path } = this.#shared
    const message = `Cannot write ${path}: it was opened for reading. Open the database without readOnly.`
    throw new LightningError('LIGHTNING_READ_ONLY', message, { file: path })
  }
}

/** Browsers say nothing else when the quota, or the disk, is full. */
function full(action: string, path: string, what: string, offset?: number): LightningError {
  const message =
    `Cannot ${action} ${path}: ${what}, which means that the quota of this site or the disk is full. ` +
    'Free some space, then try again.'
  return new LightningError('LIGHTNING_DISK_FULL', message, { file: path, offset })
}
