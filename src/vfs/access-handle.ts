// What is used of the origin private file system beyond what TypeScript's library for pages knows. Dedicated workers
// have more than pages, and renaming is in no library yet.

declare const FileSystemSyncAccessHandle: (new () => AccessHandle) | undefined
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer }

/** The synchronous access to one file that browsers give to dedicated workers. */
export interface AccessHandle {
  read(into: Uint8Array, options: { at: number }): number
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(bytes: number): void
  getSize(): number
  flush(): void
  close(): void
}

interface Accessible {
  createSyncAccessHandle(options?: { mode: 'read-only' | 'readwrite' }): Promise<AccessHandle>
}

interface Movable {
  move(parent: FileSystemDirectoryHandle, name: string): Promise<void>
}

/** Whether this thread may reach files synchronously. Only dedicated workers may. */
export function isAccessible<H extends object>(handle: H): handle is H & Accessible {
  return 'createSyncAccessHandle' in handle
}

/** Whether the browser can rename files. */
export function isMovable<H extends object>(handle: H): handle is H & Movable {
  return 'move' in handle
}

/** The same of all files, before there is one. */
export function canAccess(): boolean {
  return typeof FileSystemFileHandle !== 'undefined' && isAccessible(FileSystemFileHandle.prototype)
}

/** The same of all files, before there is one. */
export function canMove(): boolean {
  return typeof FileSystemFileHandle !== 'undefined' && isMovable(FileSystemFileHandle.prototype)
}

/** Whether several handles for reading may be open at once; a browser that does not know modes ignores them. */
export function knowsReadOnlyMode(): boolean {
  return typeof FileSystemSyncAccessHandle === 'function' && 'mode' in FileSystemSyncAccessHandle.prototype
}

/** A file opened for reading where handles are exclusive. Nobody may write it meanwhile: then reads fail. */
export function blobHandle(blob: Blob): AccessHandle {
  const reader = new FileReaderSync()
  const refuse = (): never => {
    throw new TypeError('a file opened for reading is not written')
  }
  return {
    read(into, { at }) {
      const bytes = new Uint8Array(reader.readAsArrayBuffer(blob.slice(at, at + into.length)))
      into.set(bytes)
      return bytes.length
    },
    getSize: () => blob.size,
    write: refuse,
    truncate: refuse,
    flush: () => undefined,
    close: () => undefined
  }
}
