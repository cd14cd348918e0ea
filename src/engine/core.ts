// What the parts of the engine share: the kernel and its memory, the files, the state between them. Each part is a
// class of its own that is given the core; the core itself decides nothing.
import { BatchBuffers } from './batch-buffers.ts'
import { IMAGE, LSN_LOW, NEED_TREE, OK } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import { KernelMemory } from '../kernel/kernel-memory.ts'
import type { Kernel } from '../kernel/load.ts'
import type { DataFile } from '../store/data-file.ts'
import { ImageRun } from '../store/image-run.ts'
import type { Meta } from '../store/meta.ts'
import { PendingExtents } from '../store/pending-extents.ts'
import type { VfsLock } from '../vfs/vfs.ts'
import type { LogFiles } from '../wal/log-files.ts'
import { calm } from './calm-logger.ts'
import { Catalog } from './catalog.ts'
import type { CommitObserver } from './commit-observer.ts'
import { Directory } from './directory.ts'
import { Events } from './events.ts'
import { Health } from './health.ts'
import { Loan } from './loan.ts'
import type { EngineOptions } from './options.ts'
import { OpenSnapshots } from './open-snapshots.ts'
import { Pager } from './pager.ts'

/** Puts that are encoded but not applied yet (`staged-puts.ts`). */
interface Staged {
  readonly count: number
  /** The commit that the last of them is going to be. */
  readonly newestLsn: number
  /** Applies them. Does not throw: if it fails, their promises reject. */
  apply(): void
  /**
   * Applies them for who makes everything durable, and says so: throws, once, what puts of the current turn were rejected
   * with.
   */
  applyOrThrow(): void
  /** Drops them, when everything that is not durable is rolled back. */
  forget(): void
}

export class Core {
  readonly location: string
  readonly options: EngineOptions
  readonly kernel: Kernel
  readonly memory: KernelMemory
  readonly data: DataFile
  readonly log: LogFiles
  readonly lock: VfsLock
  readonly run: ImageRun
  readonly pager: Pager
  readonly pending: PendingExtents
  readonly catalog: Catalog
  readonly events: Events
  /** Chunks of the page table as the last durable checkpoint has them. */
  readonly directory = new Directory()
  /** For cursors. */
  readonly batches = new BatchBuffers()
  /** Free bytes of the disk; undefined where that cannot be found out. */
  readonly freeBytes: () => number | undefined
  /** The last durable meta. */
  meta: Meta
  /** The last LSN that is on stable storage. */
  durableLsn = 0
  /** Id for the next tree that is created. */
  nextTree = 2
  /**
   * Counts rebuilds of the memory. Whatever was handed out in an earlier generation belongs to a state that is gone.
   */
  generation = 0
  /** Why the last rebuild happened. */
  rollbackCause: unknown
  /** Counts changes of the catalog. After each, handles look their trees up again. */
  catalogVersion = 1
  /** Set for good when a sync has failed: writes are refused until the database is reopened. */
  failure: LightningError | undefined
  isClosed = false
  /** Set when memory could not be rebuilt: nothing can be read until the database is reopened. */
  unreadable: LightningError | undefined
  /** Snapshots that are open. */
  readonly snapshots: OpenSnapshots
  /** Large values written since the opening, and how many of these are known to be on stable storage. */
  largeWritten = 0
  largeSynced = 0
  /** A meta slot is being written, or that has failed: either meta may be the one on disk. */
  isMetaUncertain = false
  /** Whether writing works. */
  readonly health: Health
  /** What callbacks of `read` are being shown. */
  readonly loan = new Loan()
  /** An encoding is writing into kernel memory. What the caller's code does meanwhile is nested in that call. */
  isEncoding = false
  /** Whoever reads, writes or makes durable has these applied first. */
  staged: Staged = {
    count: 0,
    newestLsn: 0,
    apply: () => undefined,
    applyOrThrow: () => undefined,
    forget: () => undefined
  }
  /** Is told what commits change. */
  observer: CommitObserver | undefined

  constructor(parts: {
    location: string
    options: EngineOptions
    kernel: Kernel
    data: DataFile
    log: LogFiles
    lock: VfsLock
    meta: Meta
    freeBytes?: () => number | undefined
  }) {
    this.location = parts.location
    const { logger } = parts.options
    this.options = logger === undefined ? parts.options : { ...parts.options, logger: calm(logger) }
    this.kernel = parts.kernel
    this.memory = new KernelMemory(parts.kernel)
    this.data = parts.data
    this.log = parts.log
    this.lock = parts.lock
    this.meta = parts.meta
    this.freeBytes = parts.freeBytes ?? (() => undefined)
    this.events = new Events(this.options.logger)
    this.health = new Health(this.events)
    this.snapshots = new OpenSnapshots(parts.options.maxSnapshotAgeMs)
    this.pending = new PendingExtents(parts.data)
    this.run = new ImageRun(parts.kernel, this.memory, parts.data, parts.options.compression === 'lz4')
    this.pager = new Pager(parts.kernel, this.memory, parts.data, this.run, this.pending, parts.options.readOnly)
    this.catalog = new Catalog(this)
  }

  /** Provides what a kernel call that returned `status` asks for, or throws. Afterwards the call is to be repeated. */
  provide(status: number): void {
    if (status === NEED_TREE) this.catalog.registerWanted()
    else this.pager.provide(status)
  }

  /** Repeats the kernel call that returned `status` until it is done, providing what it asks for. */
  complete(status: number, call: () => number): void {
    for (let last = status; last !== OK; last = call()) this.provide(last)
  }

  /** The newest commit that is visible. */
  get appliedLsn(): number {
    return this.memory.long(LSN_LOW) - 1
  }

  /** The newest commit, staged ones included: they are applied before any other. */
  get newestLsn(): number {
    return this.staged.count === 0 ? this.appliedLsn : this.staged.newestLsn
  }

  /**
   * Whether log frames in the buffer may name large values that are not synced. Such frames must not be written yet.
   */
  get holdsLarge(): boolean {
    return PLANTED_BUG !== 30 && this.largeSynced !== this.largeWritten
  }

  /** XXH32 of bytes outside kernel memory. */
  readonly checksum = (bytes: Uint8Array, seed: number): number => checksumOf(this.kernel, this.memory, bytes, seed)

  /** Whether `checkOpen` has something to do. */
  get mustCheck(): boolean {
    return this.isClosed || this.unreadable !== undefined || (PLANTED_BUG !== 38 && this.staged.count !== 0)
  }

  /** Throws `LIGHTNING_CLOSED` after `close`. Otherwise all commits are applied when it returns. */
  checkOpen(): void {
    this.staged.apply()
    if (this.unreadable !== undefined && !this.isClosed) throw this.unreadable
    if (this.isClosed) throw closedError(this.location)
  }

  /** Throws `LIGHTNING_LOCKED` when the lock is no longer this handle's (docs/durability.md, rule 21). */
  checkLock(): void {
    if (this.lock.ours()) return
    throw new LightningError(
      'LIGHTNING_LOCKED',
      `The lock of the database at ${this.location} was taken away. Close this handle.`
    )
  }

  /** Throws `LIGHTNING_FAILED` after a failed sync. */
  checkHealthy(): void {
    if (this.failure !== undefined) throw this.failure
  }

  /** Throws unless something may be written now. */
  checkWritable(): void {
    this.checkOpen()
    if (this.options.readOnly) {
      throw new LightningError(
        'LIGHTNING_READ_ONLY',
        `The database at ${this.location} was opened with readOnly. Reopen it without.`
      )
    }
    this.checkHealthy()
    this.loan.check()
  }
}

/** The error for the use of a database after its `close`. */
export function closedError(location: string): LightningError {
  return new LightningError('LIGHTNING_CLOSED', `The database at ${location} is closed. Open it again.`)
}

/** XXH32 of bytes outside kernel memory, by way of the kernel's image area. */
export function checksumOf(kernel: Kernel, memory: KernelMemory, bytes: Uint8Array, seed: number): number {
  const at = memory.word(IMAGE)
  memory.bytes.set(bytes, at)
  return kernel.exports.xxh32(at, bytes.length, seed) >>> 0
}
