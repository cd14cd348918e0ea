// The engine: one open database in one thread. Reads and writes are synchronous; whatever waits for the disk or takes
// long is asynchronous. The engine is the entrance for the layers above. Its parts do the work:
//
//   Reader      reads of single keys                    EngineCursor  reads of ranges
//   Writer      a commit: encoded, applied, framed      Committer     makes commits durable, or takes them back
//   Space       promises the space that commits need    Checkpoint    writes the pages, so that the log can be cut off
//   openCore    opening and recovery                    foldLog       what a close does with the log and the files
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { invalidArgument } from '../encoding/failure.ts'
import { isDiskFull } from '../store/failures.ts'
import { onDemand } from '../kernel/on-demand.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { behind, type ByteRange, clampBounds } from './bounds.ts'
import { abortable, type CareOptions } from './long-operations.ts'
import { Checkpoint } from './checkpoint.ts'
import { closeFiles, foldLog } from './closing.ts'
import type { CommitObserver } from './commit-observer.ts'
import { Committer } from './committer.ts'
import type { Core } from './core.ts'
import { countRange, countSlices } from './counting.ts'
import { type BatchUse, type Cursor, EngineCursor } from './cursor.ts'
import type { EngineEvent, EngineEvents } from './events.ts'
import { nameBelow } from './keyspace-path.ts'
import { readWritten, releaseSegments } from './large-values.ts'
import { once } from './once.ts'
import { openCore } from './opening.ts'
import type { EngineOperation } from './operation.ts'
import type { EngineOptions } from './options.ts'
import { type PageMap, pageMapOf } from './page-map.ts'
import { Reader } from './reader.ts'
import { rebuild } from './rebuild.ts'
import { EngineSnapshot, type Snapshot } from './snapshots.ts'
import { Space } from './space.ts'
import { type EngineStats, statsOf } from './stats.ts'
import { handleOf, type Tree, TreeHandle } from './tree.ts'
import type { VerifyReport } from './verify.ts'
import { Writer } from './writer.ts'

export type { CareOptions, Progress } from './long-operations.ts'
export type { CommitObserver } from './commit-observer.ts'
export type { BatchUse, Cursor } from './cursor.ts'
export type { EngineEvent, EngineEvents } from './events.ts'
export type { HealthReport, HealthState, LostCommits } from './health.ts'
export type { EngineOperation, KeyOperation } from './operation.ts'
export type { EngineOptions } from './options.ts'
export type { Snapshot } from './snapshots.ts'
export type { PageMap } from './page-map.ts'
export type { EngineStats } from './stats.ts'
export type { Tree } from './tree.ts'
export type { VerifyProblem, VerifyReport } from './verify.ts'

export class Engine {
  readonly #core: Core
  readonly #reader: Reader
  readonly #writer: Writer
  readonly #committer: Committer
  readonly #checkpoint: Checkpoint
  readonly #space: Space
  readonly #closing = once(() => this.#close())

  /** Opens the database in `vfs`, or makes it, and recovers it. */
  static async open(vfs: Vfs, options: EngineOptions): Promise<Engine> {
    return new Engine(await openCore(vfs, options))
  }

  private constructor(core: Core) {
    this.#core = core
    this.#reader = new Reader(core)
    this.#committer = new Committer(core, cause => {
      if (isDiskFull(cause)) this.#space.noteFull()
      rebuild(core, this.#checkpoint, cause)
      this.#committer.incarnation.forget()
    })
    this.#checkpoint = new Checkpoint(core, this.#committer)
    this.#space = new Space(core, this.#checkpoint)
    this.#writer = new Writer(core, this.#committer, this.#checkpoint, this.#space)
  }

  get location(): string {
    return this.#core.location
  }

  /** Sequence number of the newest commit. Throws `LIGHTNING_CLOSED`. */
  get sequence(): number {
    this.#core.checkOpen()
    return this.#core.appliedLsn
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#core.isClosed
  }

  /** Whether the log is empty. `close` folds it into the pages, unless the disk is too full for that. */
  get isFolded(): boolean {
    return this.#core.meta.closed
  }

  /** Counts rollbacks. What was read in an earlier generation may be gone. */
  get generation(): number {
    return this.#core.generation
  }

  /** Why the last rollback happened. */
  get rollbackCause(): unknown {
    return this.#core.rollbackCause
  }

  /** Throws unless something may be written now. */
  checkWritable(): void {
    this.#core.checkWritable()
  }

  /** From now on `observer` is told what commits change; undefined: nobody is. */
  observe(observer: CommitObserver | undefined): void {
    this.#core.staged.apply()
    this.#core.observer = observer
  }

  /** Id of the keyspace now; 0 when it does not exist. */
  treeId(tree: Tree): number {
    const handle = handleOf(tree)
    return handle.locate(this.#core) ? handle.id : 0
  }

  /** A handle for the keyspace at `path`. Nothing is looked up or created. */
  tree(path: Uint8Array): Tree {
    return new TreeHandle(path)
  }

  get(
    tree: Tree,
    snapshot: Snapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    valueEncoding: ValueEncoding<unknown>
  ): unknown {
    return this.#reader.get(handleOf(tree), this.#own(snapshot), key, keyEncoding, valueEncoding)
  }

  has(tree: Tree, snapshot: Snapshot | undefined, key: unknown, keyEncoding: KeyEncoding<unknown>): boolean {
    return this.#reader.has(handleOf(tree), this.#own(snapshot), key, keyEncoding)
  }

  /**
   * Runs the callback on the value's bytes, valid only inside it; undefined when there is no such key. A promise from it
   * is `LIGHTNING_INVALID_ARGUMENT`.
   */
  read(
    tree: Tree,
    snapshot: Snapshot | undefined,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    callback: (bytes: Uint8Array) => unknown
  ): unknown {
    return this.#reader.read(handleOf(tree), this.#own(snapshot), key, keyEncoding, callback)
  }

  count(tree: Tree, snapshot: Snapshot | undefined, range: ByteRange): number {
    this.#core.checkOpen()
    return countRange(this.#core, handleOf(tree), this.#own(snapshot), range)
  }

  /**
   * Counts in slices; each yields the number so far. When `snapshot` is given, other work may be done between slices.
   */
  countSlices(tree: Tree, snapshot: Snapshot | undefined, range: ByteRange): Generator<number, number, undefined> {
    return countSlices(this.#core, handleOf(tree), this.#own(snapshot), range)
  }

  /** Throws unless the snapshot (undefined: the newest state) can be read. */
  checkReadable(snapshot: Snapshot | undefined): void {
    this.#core.checkOpen()
    this.#own(snapshot)?.use()
  }

  /** A cursor over a range; it sees the state of its first `fill`. */
  cursor(
    tree: Tree,
    snapshot: Snapshot | undefined,
    range: ByteRange,
    keysOnly: boolean,
    use: BatchUse = 'reused'
  ): Cursor {
    this.#core.checkOpen()
    return new EngineCursor(this.#core, handleOf(tree), this.#own(snapshot), range, keysOnly, use)
  }

  snapshot(): Snapshot {
    return new EngineSnapshot(this.#core)
  }

  /** Names of the sublevels directly below a path, in order. */
  names(path: Uint8Array, snapshot?: Snapshot): string[] {
    this.#core.checkOpen()
    const version = this.#own(snapshot)?.use() ?? 0
    const names = new Set<string>()
    for (const entry of this.#core.catalog.list(path, version)) {
      if (entry.path.length > path.length) names.add(nameBelow(entry.path, path.length))
    }
    return [...names]
  }

  put(
    tree: Tree,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    this.#writer.put(handleOf(tree), key, keyEncoding, value, valueEncoding)
  }

  /**
   * The same for callers that wait for `settled` or `durable` next: only there can it be told that a put has failed
   * which is applied together with others.
   */
  putTogether(
    tree: Tree,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    this.#writer.putTogether(handleOf(tree), key, keyEncoding, value, valueEncoding)
  }

  del(tree: Tree, key: unknown, keyEncoding: KeyEncoding<unknown>): void {
    this.#writer.del(handleOf(tree), key, keyEncoding)
  }

  /** Applies all operations as one commit, or none. They may be walked through more than once. */
  batch(operations: Iterable<EngineOperation>): void {
    this.#writer.batch(operations)
  }

  /** Writes a value that is too large for a page, ahead of the commit that names it. The result says where it is. */
  writeValue(value: Uint8Array): Uint8Array {
    return this.#writer.writeValue(value)
  }

  /** Reads a value back that `writeValue` has written. */
  readValue(description: Uint8Array): Uint8Array {
    this.#core.checkOpen()
    return readWritten(this.#core, description)
  }

  /** Frees a value that `writeValue` has written and no commit has named. Only in the generation that wrote it. */
  discardValue(description: Uint8Array): void {
    releaseSegments(this.#core, description)
  }

  /** Deletes a range as one commit. */
  clear(tree: Tree, range: ByteRange): void {
    this.#core.checkWritable()
    if (range.empty) return
    const handle = handleOf(tree)
    if (range.limit !== Number.POSITIVE_INFINITY) {
      this.#writer.delAll(handle, this.#keysIn(handle, range))
      return
    }
    const { lower, lowerOpen, upper, upperOpen } = clampBounds(range)
    const from = lower === undefined ? new Uint8Array(0) : lowerOpen ? behind(lower) : lower
    const to = upper === undefined || upperOpen ? upper : behind(upper)
    this.#writer.clear(handle, from, to)
  }

  /** Frees the sublevel at `path` and all below it as one commit. */
  drop(path: Uint8Array): void {
    this.#writer.drop(path)
  }

  /** Resolves when everything applied so far, or all until a commit, is as durable as the option `durability` asks. */
  settled(sequence?: number): Promise<void> {
    return this.#committer.settled(sequence)
  }

  settleSync(): void {
    this.#committer.settleSync()
  }

  /**
   * Resolves when everything applied so far, or all until a commit, is on stable storage, whatever `durability` says.
   */
  durable(sequence?: number): Promise<void> {
    return this.#committer.durable(sequence)
  }

  /** Somebody will commit soon who has not yet: the next group may leave this thread to them while it is made durable. */
  expectCommit(): void {
    this.#committer.expectCommit()
  }

  async flush(): Promise<void> {
    this.#core.checkOpen()
    await this.#committer.flush()
  }

  flushSync(): void {
    this.#core.checkOpen()
    this.#committer.flushSync()
  }

  async checkpoint(signal?: AbortSignal): Promise<void> {
    this.#core.checkWritable()
    await abortable(this.#checkpoint.run(), signal)
  }

  async verify(options: CareOptions = {}): Promise<VerifyReport> {
    // The state to verify is that of the call, however long loading the script takes.
    const snapshot = new EngineSnapshot(this.#core)
    try {
      const { verify } = await onDemand('verify', () => import('./verify.ts'))
      return await verify(this.#core, snapshot, options)
    } finally {
      snapshot.close()
    }
  }

  async compact(options: CareOptions = {}): Promise<void> {
    this.#core.checkWritable()
    const { compact } = await onDemand('compact', () => import('./compact.ts'))
    this.#core.checkWritable()
    await compact(this.#core, this.#checkpoint, this.#space, options)
  }

  async backup(destination: Vfs, options: CareOptions = {}): Promise<void> {
    this.#core.checkOpen()
    const settle = async () => {
      if (!this.#core.options.readOnly) await this.#committer.flush()
    }
    await settle()
    const { backUp } = await onDemand('backup', () => import('./backup.ts'))
    await backUp(this.#core, destination, { ...options, settle })
  }

  stats(): EngineStats {
    this.#core.checkOpen()
    return statsOf(this.#core, this.#committer, this.#checkpoint)
  }

  pageMap(): PageMap {
    this.#core.checkOpen()
    return pageMapOf(this.#core)
  }

  on<E extends EngineEvent>(event: E, listener: (detail: EngineEvents[E]) => void): () => void {
    return this.#core.events.on(event, listener)
  }

  /** Waits for durability, folds the log into the pages and releases everything. Idempotent. */
  close(): Promise<void> {
    return this.#closing()
  }

  async #close(): Promise<void> {
    const core = this.#core
    this.#committer.applyStaged()
    core.events.emit('closing', {})
    core.isClosed = true
    try {
      if (core.options.readOnly) return
      await this.#checkpoint.idle()
      // Only now: while the checkpoint ended, the sync of a large value may have begun.
      await this.#committer.idle()
      if (core.failure === undefined && core.unreadable === undefined) {
        // What was written after an earlier fault is kept, even if the close then rejects because of that fault.
        this.#committer.settleAll()
        await foldLog(core, this.#checkpoint, this.#space)
      }
      this.#committer.payDebt()
    } finally {
      await closeFiles(core)
    }
  }

  #keysIn(tree: TreeHandle, range: ByteRange): Uint8Array[] {
    const cursor = new EngineCursor(this.#core, tree, undefined, range, true, 'reused')
    const keys: Uint8Array[] = []
    try {
      for (let rows = cursor.fill(); rows > 0; rows = cursor.fill()) {
        for (let i = 0; i < rows; i++) {
          cursor.row(i)
          keys.push(cursor.bytes.slice(cursor.keyStart, cursor.keyEnd))
        }
      }
    } finally {
      cursor.close()
    }
    return keys
  }

  #own(snapshot: Snapshot | undefined): EngineSnapshot | undefined {
    if (snapshot === undefined) return undefined
    if (snapshot instanceof EngineSnapshot && snapshot.isOf(this.#core)) return snapshot
    throw invalidArgument('The snapshot is of another database. Pass one of this database.')
  }
}
