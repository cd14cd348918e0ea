import { assert } from '../errors.ts'

// Where a database keeps its bytes: one flat directory of files, and the lock that gives it a single owner.
//
// Only opening, naming and waiting are asynchronous. Open files are read and written synchronously: every platform can
// do that (node:fs, OPFS access handles in a worker, memory), and the engine is written that way. Errors of the system
// arrive as `LightningError`s (see `system-error.ts`). A file name that is not a plain name, or an offset that is
// negative or not an integer, is a bug of this package and fails an assertion.

/** One open file. Reads and writes name their position. Not usable after `close`. */
export interface VfsFile {
  /** The name it was opened under, for messages; a later rename does not change it. */
  readonly name: string

  /**
   * Reads up to `into.length` bytes at `offset` (bytes from the start) and returns how many: fewer only at the end of
   * the file, 0 beyond it. Throws `LIGHTNING_IO`.
   */
  readAt(into: Uint8Array, offset: number): number

  /**
   * Writes all of `bytes` at `offset`; a hole before it reads as zeros. A short write is continued once; after that it
   * is an error, and any prefix may have been written. Throws `LIGHTNING_DISK_FULL`, `LIGHTNING_READ_ONLY`,
   * `LIGHTNING_IO`.
   */
  writeAt(bytes: Uint8Array, offset: number): void

  /**
   * Returns when everything written, and the size, is on stable storage (fdatasync). Once a sync of this file has
   * failed, `sync` or `syncAsync`, every later one fails, too, because what the system still holds cannot be trusted
   * any more.
   */
  sync(): void

  /**
   * The same off this thread, where the platform has a thread pool. It covers what was written before the call; calls
   * that overlap share one sync. It uses a descriptor of its own, since of overlapping syncs on one only one reports a
   * fault.
   */
  syncAsync(): Promise<void>

  /** Cuts the file, or lengthens it with zeros, to `bytes`. Lengthening reserves no space on the disk; writing does. */
  truncate(bytes: number): void

  /** Size now, in bytes. */
  size(): number

  /** Closes the descriptors, after a running `syncAsync` has ended. Syncs nothing. May be called again. */
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

/** A lock that is held. It lasts as long as its thread: it needs no renewal, and a crash frees it. */
export interface VfsLock {
  readonly kind: VfsLockKind

  /**
   * Whether the lock is still this one's; asked before each write of a meta slot (docs/durability.md, rule 21). It
   * turns false only when somebody has removed or moved files by hand, and then it stays false.
   */
  ours(): boolean

  /** Frees the lock; when it resolves the next opener gets it. May be called again. Does not fail. */
  release(): Promise<void>
}

/** A place for one database. Names are plain file names, without any separator. */
export interface Vfs {
  /** What a message calls the place: an absolute path, or `:memory:`. */
  readonly location: string

  /**
   * Creates and syncs the directory and its parents if it is missing and `create` is set. Returns whether it was there.
   */
  prepare(options: { create: boolean }): Promise<boolean>

  /**
   * Takes the lock without waiting, or throws `LIGHTNING_LOCKED`, which names the holder. The directory must exist
   * (`LIGHTNING_NOT_FOUND`). On a medium that cannot be written, a shared lock leaves no mark, so it does not keep out
   * a writer that can reach the same files in another way.
   */
  lock(kind: VfsLockKind): Promise<VfsLock>

  /**
   * Throws `LIGHTNING_NOT_FOUND`, `LIGHTNING_EXISTS`, `LIGHTNING_PERMISSION`, `LIGHTNING_READ_ONLY`, `LIGHTNING_IO`.
   */
  open(name: string, options?: VfsOpenOptions): Promise<VfsFile>

  exists(name: string): Promise<boolean>

  /** The names of all files, sorted, without those that belong to the lock. A missing directory has none. */
  list(): Promise<string[]>

  /** Removes a file; a missing one is `LIGHTNING_NOT_FOUND`. Durable only after `syncDirectory`. */
  remove(name: string): Promise<void>

  /** Renames a file, replacing any file of that name. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>

  /**
   * Gives the file `to` the owner and the permissions of `from`, as far as that can be done. Absent where files have
   * none.
   */
  copyRights?(from: string, to: string): void

  /** Resolves when all names that were created, changed and removed so far survive a crash. */
  syncDirectory(): Promise<void>

  /**
   * Bytes that can still be written here; `Infinity` where only memory is the limit. Absent or undefined: it cannot be
   * found out, so only space that has been written counts. Throws `LIGHTNING_IO`.
   */
  freeBytes?(): number | undefined

  /**
   * Removes every database file (`isDatabaseFile`) and the files of the lock, then the directory if it is empty. Other
   * files are left alone. Only for the holder of the exclusive lock, who releases it afterwards.
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
