import { assert } from '../errors.ts'

// Where a database keeps its bytes: one flat directory of files, and the lock that makes one owner of it.
//
// Only opening, naming and waiting are asynchronous; the bytes of an open file are reached synchronously, because every
// target (node:fs, OPFS access handles in a worker, memory) can do so and the core is written that way. Whatever the
// system reports arrives as a `LightningError` (see `system-error.ts`); a file name that is not a plain name, an offset
// that is negative or no integer, is a bug of ours and an assertion.

/** One open file. Reads and writes are positional; nothing keeps a cursor. Not usable after `close`. */
export interface VfsFile {
  /** The name it was opened under, for messages; a later rename does not change it. */
  readonly name: string

  /**
   * Reads up to `into.length` bytes at `offset` (bytes from the start) and returns how many: fewer only at the end of
   * the file, 0 beyond it. Throws `LIGHTNING_IO`.
   */
  readAt(into: Uint8Array, offset: number): number

  /**
   * Writes all of `bytes` at `offset`; a hole before it reads as zeros. A short write is continued once, then it is an
   * error, and any prefix may have been written. Throws `LIGHTNING_DISK_FULL`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`.
   */
  writeAt(bytes: Uint8Array, offset: number): void

  /**
   * Returns when everything written, and the size, is on stable storage (fdatasync). Once a sync of this file has
   * failed, in either way, every later one fails too: what the system still holds can no longer be trusted.
   */
  sync(): void

  /**
   * The same off this thread where the platform has a pool. It covers what was written before the call; calls that
   * overlap share one sync. It uses a descriptor of its own, since overlapping syncs on one report a fault only once.
   */
  syncAsync(): Promise<void>

  /** Cuts the file, or lengthens it with zeros, to `bytes`. Lengthening reserves no space on the disk; writing does. */
  truncate(bytes: number): void

  /** Size now, in bytes. */
  size(): number

  /** Gives the descriptors back; may be called again. Syncs nothing. A `syncAsync` that is running ends first. */
  close(): void
}

/** How a file is opened; read and write unless `readOnly`. */
export interface VfsOpenOptions {
  /** Make the file, empty, if it is missing. Otherwise a missing file is `LIGHTNING_NOT_FOUND`. */
  create?: boolean
  /** With `create`: `LIGHTNING_EXISTS` if it is there. */
  exclusive?: boolean
  /** Nothing will be written; works on a medium that cannot be written. */
  readOnly?: boolean
}

/** `exclusive` for one owner that may write, `shared` for readers among themselves. */
export type VfsLockKind = 'exclusive' | 'shared'

/** A lock that is held. It lives as long as its thread: it needs no renewal, and a crash frees it. */
export interface VfsLock {
  readonly kind: VfsLockKind

  /**
   * Whether it is still the newest; asked before each write of a meta slot (docs/durability.md, rule 21). It can only turn
   * false when somebody removed lock files by hand, and then it never turns true again.
   */
  ours(): boolean

  /** Frees the lock; when it resolves the next opener gets it. May be called again. Does not fail. */
  release(): Promise<void>
}

/** A place for one database. Names are plain file names, without any separator. */
export interface Vfs {
  /** What a message calls the place: an absolute path, or `:memory:`. */
  readonly location: string

  /** Makes the directory and its parents, synced, if it is missing and `create` says so. Tells whether it was there. */
  prepare(options: { create: boolean }): Promise<boolean>

  /**
   * Takes the lock without waiting, or throws `LIGHTNING_LOCKED` naming who holds it. The directory must exist
   * (`LIGHTNING_NOT_FOUND`). On a medium that cannot be written a shared lock is given without leaving a mark: then a
   * writer that reaches the same bytes another way is not kept out.
   */
  lock(kind: VfsLockKind): Promise<VfsLock>

  /** Throws `LIGHTNING_NOT_FOUND`, `LIGHTNING_EXISTS`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`. */
  open(name: string, options?: VfsOpenOptions): Promise<VfsFile>

  exists(name: string): Promise<boolean>

  /** The names of all files, sorted, without those that belong to the lock. A missing directory has none. */
  list(): Promise<string[]>

  /** Removes a file; missing is `LIGHTNING_NOT_FOUND`. Lasting only after `syncDirectory`. */
  remove(name: string): Promise<void>

  /** Gives a file another name, in the place of any that has it. Lasting only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>

  /** Returns when names made, changed and removed so far will survive a crash. */
  syncDirectory(): Promise<void>

  /** Bytes that can still be written here, or undefined where the platform does not tell. */
  freeBytes(): Promise<number | undefined>

  /**
   * The same without waiting; `Infinity` where nothing but memory bounds it. Absent, or undefined: it cannot be told, so
   * space counts as there only when it has been written. Throws `LIGHTNING_IO`.
   */
  freeBytesNow?(): number | undefined

  /**
   * Removes every database file (`isDatabaseFile`) and the lock's own, then the directory if it is empty. Others' files
   * are left alone. Only for the holder of the exclusive lock, who releases it afterwards.
   */
  removeAll(): Promise<void>
}

/** Whether a file of this name is part of a database: `data.ldb`, `wal-0.ldb`, `data.ldb.new`. */
export function isDatabaseFile(name: string): boolean {
  return /^[\w-]+\.ldb(\.[\w-]+)*$/.test(name)
}

/** Asserts that `name` is a plain file name: letters, digits, `_`, `-`, `.`, and not a directory's. */
export function checkFileName(name: string): void {
  assert(/^[\w.-]+$/.test(name) && !/^\.+$/.test(name), `"${name}" is no plain file name`)
}
