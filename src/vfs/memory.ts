import { assert, LightningError } from '../errors.ts'
import {
  checkFileName,
  isDatabaseFile,
  type Vfs,
  type VfsFile,
  type VfsLock,
  type VfsLockKind,
  type VfsOpenOptions
} from './vfs.ts'

// Files in memory: for ':memory:' and for tests. Content lies in chunks, so growing copies nothing, and a chunk never
// written takes no memory and reads as zeros. As on a disk, a removed file lives on for the handles that have it open.

const chunkBytes = 65_536

interface Content {
  chunks: (Uint8Array | undefined)[]
  size: number
}

/** A new empty place in memory. Handles of one place share its files; another call makes another place. */
export function memoryVfs(): Vfs {
  return new MemoryVfs()
}

class MemoryVfs implements Vfs {
  readonly location = ':memory:'
  readonly #files = new Map<string, Content>()
  readonly #holders = new Set<MemoryLock>()
  #prepared = false

  async prepare(options: { create: boolean }): Promise<boolean> {
    const existed = this.#prepared
    if (options.create) this.#prepared = true
    return existed
  }

  async lock(kind: VfsLockKind): Promise<VfsLock> {
    for (const holder of this.#holders) {
      if (kind === 'shared' && holder.kind === 'shared') continue
      const how = holder.kind === 'shared' ? 'for reading' : 'for writing'
      throw new LightningError(
        'LIGHTNING_LOCKED',
        `The database in memory is open ${how} in this thread, since ${holder.since}. Close it there first.`
      )
    }
    const lock = new MemoryLock(kind, this.#holders)
    this.#holders.add(lock)
    return lock
  }

  async open(name: string, options: VfsOpenOptions = {}): Promise<VfsFile> {
    checkFileName(name)
    let content = this.#files.get(name)
    if (content !== undefined && options.create === true && options.exclusive === true) {
      throw new LightningError('LIGHTNING_EXISTS', `Cannot create ${name} in memory: it exists already.`, {
        file: name
      })
    }
    if (content === undefined) {
      if (options.create !== true) throw missing('open', name)
      content = { chunks: [], size: 0 }
      this.#files.set(name, content)
    }
    return new MemoryFile(name, content, options.readOnly === true)
  }

  async exists(name: string): Promise<boolean> {
    checkFileName(name)
    return this.#files.has(name)
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()].sort()
  }

  async remove(name: string): Promise<void> {
    checkFileName(name)
    if (!this.#files.delete(name)) throw missing('remove', name)
  }

  async rename(from: string, to: string): Promise<void> {
    checkFileName(from)
    checkFileName(to)
    const content = this.#files.get(from)
    if (content === undefined) throw missing('rename', from)
    this.#files.delete(from)
    this.#files.set(to, content)
  }

  async syncDirectory(): Promise<void> {}

  freeBytes(): number {
    return Number.POSITIVE_INFINITY
  }

  async removeAll(): Promise<void> {
    for (const name of [...this.#files.keys()]) if (isDatabaseFile(name)) this.#files.delete(name)
    if (this.#files.size === 0) this.#prepared = false
  }
}

class MemoryLock implements VfsLock {
  readonly kind: VfsLockKind
  readonly since = new Date().toISOString()
  readonly #holders: Set<MemoryLock>

  constructor(kind: VfsLockKind, holders: Set<MemoryLock>) {
    this.kind = kind
    this.#holders = holders
  }

  ours(): boolean {
    return this.#holders.has(this)
  }

  async release(): Promise<void> {
    this.#holders.delete(this)
  }
}

class MemoryFile implements VfsFile {
  readonly name: string
  readonly #content: Content
  readonly #readOnly: boolean
  #open = true

  constructor(name: string, content: Content, readOnly: boolean) {
    this.name = name
    this.#content = content
    this.#readOnly = readOnly
  }

  readAt(into: Uint8Array, offset: number): number {
    this.#check(offset)
    const { chunks, size } = this.#content
    const length = Math.max(0, Math.min(into.length, size - offset))
    forEachPart(offset, length, (index, from, at, bytes) => {
      const chunk = chunks[index]
      if (chunk === undefined) into.fill(0, at, at + bytes)
      else into.set(chunk.subarray(from, from + bytes), at)
    })
    return length
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    this.#checkWritable(offset)
    const { chunks } = this.#content
    forEachPart(offset, bytes.length, (index, from, at, length) => {
      const chunk = chunks[index] ?? newChunk(this.name)
      chunk.set(bytes.subarray(at, at + length), from)
      chunks[index] = chunk
    })
    if (bytes.length > 0) this.#content.size = Math.max(this.#content.size, offset + bytes.length)
  }

  sync(): void {
    this.#check(0)
  }

  async syncAsync(): Promise<void> {
    this.#check(0)
  }

  truncate(bytes: number): void {
    this.#checkWritable(bytes)
    const content = this.#content
    if (bytes < content.size) {
      const kept = Math.ceil(bytes / chunkBytes)
      if (content.chunks.length > kept) content.chunks.length = kept
      // What is cut off must read as zeros when the file grows over it again.
      if (bytes % chunkBytes !== 0) content.chunks[kept - 1]?.fill(0, bytes % chunkBytes)
    }
    content.size = bytes
  }

  size(): number {
    this.#check(0)
    return this.#content.size
  }

  close(): void {
    this.#open = false
  }

  #check(offset: number): void {
    assert(this.#open, `${this.name} is used after close`)
    assert(Number.isSafeInteger(offset) && offset >= 0, `${offset} is no place in ${this.name}`)
  }

  #checkWritable(offset: number): void {
    this.#check(offset)
    if (!this.#readOnly) return
    throw new LightningError('LIGHTNING_READ_ONLY', `Cannot write ${this.name} in memory: it was opened for reading.`, {
      file: this.name
    })
  }
}

/** Calls `visit(chunk, place in the chunk, place in the buffer, bytes)` for each piece of a range of the file. */
function forEachPart(
  offset: number,
  length: number,
  visit: (index: number, from: number, at: number, bytes: number) => void
): void {
  for (let at = 0; at < length; ) {
    const from = (offset + at) % chunkBytes
    const bytes = Math.min(chunkBytes - from, length - at)
    visit(Math.floor((offset + at) / chunkBytes), from, at, bytes)
    at += bytes
  }
}

function newChunk(name: string): Uint8Array {
  try {
    return new Uint8Array(chunkBytes)
  } catch (cause) {
    const message = `Cannot grow ${name} in memory: there is no memory left. Delete something, then try again.`
    throw new LightningError('LIGHTNING_DISK_FULL', message, { cause, file: name })
  }
}

function missing(action: string, name: string): LightningError {
  return new LightningError('LIGHTNING_NOT_FOUND', `Cannot ${action} ${name} in memory: it does not exist.`, {
    file: name
  })
}
