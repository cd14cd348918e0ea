// How commits become durable: the log's buffer, group commit, and what happens when a write or a sync fails.
//
// A commit is applied and framed in memory at once; its frame waits in the kernel's log area. In strict mode the first
// commit of a group schedules a flush for the end of the current microtasks. All commits made until then share one
// write, one sync and one promise. In relaxed mode a timer starts the write and the sync, and the sync runs off this
// thread. Either way writes let the event loop turn now and then (`writer-turns.ts`).
import { DURABLE_LOW, LOG, LOG_BYTES, LOG_CAPACITY } from '../../assembly/state.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { CommitGroups } from './commit-groups.ts'
import type { Core } from './core.ts'
import { Incarnation } from './incarnation.ts'
import { turnBytes, WriterTurns } from './writer-turns.ts'

/** Turns of the microtask queue without a new commit before a group is flushed, so that promise chains can join it. */
const quietTurns = 8
/** Bytes that a sync counts for. */
const syncCost = 4_096
/**
 * After so many syncs the lock is looked at. Checkpoints do so, too, but there may be none for a long time, while what
 * is acknowledged goes into files that somebody has removed.
 */
const lockLookSyncs = 16
/** When fewer than one in so many commits is still to come, the sync is done on this thread. */
const fewExpected = 8

export class Committer {
  readonly #core: Core
  readonly #rebuild: (cause: unknown) => void
  readonly #groups = new CommitGroups()
  readonly #turns: WriterTurns
  /** What the first commit after an opening or a rollback needs before it. */
  readonly incarnation: Incarnation
  #isScheduled = false
  #largeFlush: Promise<void> | undefined
  /** A flush whose sync runs in the pool. */
  #poolFlush: Promise<void> | undefined
  /** Who will commit soon, and the commits, counted since the last flush of a group. */
  #expected = 0
  #commitsBefore = 0
  #turnsLeft = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #background: Promise<void> | undefined
  #settled: Promise<void> = Promise.resolve()
  /** An error of a relaxed sync, or of puts that a close had applied, for the next `flush` or `close` to report. */
  #owed: unknown
  readonly counts = { commits: 0, groups: 0, syncs: 0, bytes: 0 }

  /** `rebuild` brings memory back to the durable state; it gets the cause. */
  constructor(core: Core, rebuild: (cause: unknown) => void) {
    this.#core = core
    this.#rebuild = rebuild
    this.incarnation = new Incarnation(core, () => this.syncOrFail(core.data))
    this.#turns = new WriterTurns(() => {
      const { memory, largeWritten } = core
      const { bytes, syncs } = this.counts
      return bytes + memory.word(LOG_BYTES) + syncs * syncCost + largeWritten * turnBytes
    })
  }

  /** Turns of the event loop that writes have waited for. */
  get turns(): number {
    return this.#turns.count
  }

  /** Makes room for a frame with so many bytes of operations. To be called before any of them is written. */
  prepare(operationBytes: number): void {
    const { memory, log } = this.#core
    if (!this.incarnation.hasBegun) this.incarnation.begin()
    const bytes = operationBytes + 64
    if (memory.word(LOG_BYTES) + bytes > memory.word(LOG_CAPACITY)) this.#writeOut()
    log.reserve(memory.word(LOG_BYTES) + bytes)
    if (memory.word(LOG_BYTES) === 0) this.incarnation.setTime()
  }

  /** Commits were made: makes sure that they become durable some time. */
  committed(commits: number): void {
    this.counts.commits += commits
    if (this.#core.options.durability === 'strict') this.#turnsLeft = quietTurns
    else if (this.#timer === undefined) this.#startTimer()
  }

  /** Resolves when all commits, or those up to `lsn`, are as durable as the option `durability` asks. */
  settled(lsn: number | undefined): Promise<void> {
    return this.#core.options.durability === 'strict' ? this.durable(lsn) : (this.#turns.shared() ?? this.#settled)
  }

  /** Resolves when all commits, or those up to `lsn`, are on stable storage. */
  durable(lsn: number | undefined): Promise<void> {
    if (lsn === undefined) return this.#joinGroup()
    if (lsn <= this.#core.durableLsn) return this.#settled
    // Whoever has only seen what is being synced need not wait for the commits since.
    return this.#groups.syncing(lsn) ?? this.#joinGroup()
  }

  /** When it returns, all commits are as durable as the option `durability` asks. */
  settleSync(): void {
    if (this.#core.options.durability === 'strict') this.#flushNow()
  }

  /**
   * Somebody will commit soon who has not yet. Where they are many, a sync on this thread would hold them up, and they
   * would need another one: the next flush syncs in the pool, and those who are ready when it ends share the one after it.
   */
  expectCommit(): void {
    this.#expected++
  }

  /**
   * Resolves when all commits are on stable storage. Rejects with the error of an earlier relaxed sync, if one is owed.
   */
  async flush(): Promise<void> {
    this.payDebt()
    this.#core.staged.applyOrThrow()
    await this.#joinGroup()
    this.payDebt()
  }

  /** When it returns, all commits are on stable storage. */
  flushSync(): void {
    this.payDebt()
    this.#core.staged.applyOrThrow()
    this.#flushNow()
  }

  /** Applies what is staged, for a close: if that fails, `payDebt` reports it. */
  applyStaged(): void {
    try {
      this.#core.staged.applyOrThrow()
    } catch (error) {
      this.#owed ??= error
    }
  }

  /** As `flushSync`, for a close, which reports earlier errors only after everything else (`payDebt`). */
  settleAll(): void {
    this.#flushNow()
  }

  /** Waits for syncs that run in the background. */
  async idle(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#background
    await this.#largeFlush
    await this.#poolFlush
  }

  /** Writes the log's buffer out without syncing; for checkpoints. */
  writeOut(): void {
    this.#core.staged.apply()
    this.#guarded(() => this.#writeOut())
  }

  /** Begins a new group: later commits do not wait with those made until now. Returns the newest LSN. */
  cut(): number {
    this.#core.staged.apply()
    this.#groups.cut()
    return this.#core.appliedLsn
  }

  /**
   * Everything up to `lsn` is on stable storage. `lsn` is what `cut` returned before the sync, or the newest commit.
   */
  noteDurable(lsn: number): void {
    const core = this.#core
    if (lsn > core.durableLsn) core.durableLsn = lsn
    core.memory.setLong(DURABLE_LOW, core.durableLsn)
    core.health.durable(core.durableLsn)
    this.#groups.resolve(core.durableLsn)
  }

  /**
   * Undoes everything that is not durable. The promises of undone commits reject with what is returned: `error`, or the
   * failure when the undone frames could not be erased.
   */
  rollBack(error: unknown): unknown {
    // A listener may write, and its commit reuses the numbers of undone ones. So whoever waits for these is told first.
    return this.#core.events.after(() => this.#undoAll(error))
  }

  #undoAll(error: unknown): unknown {
    const core = this.#core
    const tell = this.#groups.end()
    core.staged.forget()
    core.kernel.exports.clearLog()
    this.#rebuild(error)
    const told = core.failure ?? error
    tell(core.durableLsn, told)
    return told
  }

  /**
   * Undoes a commit that is applied only in part. The commits before it are made durable first, so that only this one
   * is undone. Returns the error for its caller.
   */
  undo(error: unknown): unknown {
    const { generation } = this.#core
    try {
      this.#flushNow()
    } catch {
      // If the flush has failed and rolled back, this commit is undone as well.
    }
    if (this.#core.generation !== generation) return this.#core.failure ?? error
    return this.rollBack(error)
  }

  /** A sync failed. What is on disk since the last one is unknown, so this handle writes no more. */
  fail(cause: unknown): LightningError {
    if (this.#core.failure !== undefined) return this.#core.failure
    const failure = new LightningError(
      'LIGHTNING_FAILED',
      `A sync of the database at ${this.#core.location} failed, so it is not known what is on disk since the last one. ` +
        'Close the database and open it again.',
      { cause }
    )
    this.#core.failure = failure
    this.rollBack(failure)
    return failure
  }

  /** Syncs the log, or the data file. If that fails, this handle writes no more. */
  syncOrFail(file: { sync(): void }): void {
    try {
      file.sync()
    } catch (error) {
      throw this.fail(error)
    }
  }

  #joinGroup(): Promise<void> {
    const core = this.#core
    if (core.failure !== undefined) return Promise.reject(core.failure)
    const lsn = core.newestLsn
    if (core.durableLsn >= lsn) return this.#settled
    if (PLANTED_BUG === 19) {
      this.#schedule()
      return this.#settled
    }
    const joined = this.#groups.join(lsn)
    this.#schedule()
    return joined
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#turnsLeft = quietTurns
    queueMicrotask(this.#quietTurn)
  }

  readonly #quietTurn = (): void => {
    if (this.#turnsLeft-- > 0) {
      queueMicrotask(this.#quietTurn)
      return
    }
    if (this.#turns.isDue) void this.#turns.next().then(() => this.#flushScheduled())
    else this.#flushScheduled()
  }

  #flushScheduled(): void {
    this.#isScheduled = false
    if (this.#groups.isEmpty) return
    if (this.#core.holdsLarge) {
      this.#largeFlush ??= this.#flushLarge()
      return
    }
    // Those who came meanwhile are in the next one.
    if (this.#poolFlush !== undefined) return
    const areManyExpected = this.#expected * fewExpected > this.counts.commits - this.#commitsBefore
    this.#expected = 0
    this.#commitsBefore = this.counts.commits
    if (areManyExpected) {
      this.#poolFlush = this.#flushInPool()
      return
    }
    try {
      this.#flushNow()
      this.#stepAhead()
    } catch {
      // The promises of the group have been rejected.
    }
  }

  /** Only where space is plentiful: otherwise what is written ahead is counted, and waited for (`space.ts`). */
  #stepAhead(): void {
    const { data, log, options } = this.#core
    if (!data.isDiskShort && options.maxBytes === undefined) log.stepAhead()
  }

  async #flushInPool(): Promise<void> {
    try {
      await this.#syncInPool()
      this.counts.groups++
    } catch {
      // The promises of the group have been rejected.
    } finally {
      this.#poolFlush = undefined
    }
    if (!this.#groups.isEmpty) this.#schedule()
  }

  /** Syncs large values off this thread; only then may the frames that name them be written. */
  async #flushLarge(): Promise<void> {
    try {
      await this.#syncLarge()
    } catch (error) {
      this.fail(error)
    } finally {
      this.#largeFlush = undefined
    }
    if (!this.#groups.isEmpty) this.#schedule()
  }

  async #syncLarge(): Promise<void> {
    const core = this.#core
    const written = core.largeWritten
    await core.data.syncAsync()
    if (written > core.largeSynced) core.largeSynced = written
  }

  #flushNow(): void {
    const core = this.#core
    core.staged.apply()
    if (core.failure !== undefined) throw core.failure
    const lsn = core.appliedLsn
    if (core.durableLsn < lsn) {
      this.#guarded(() => this.#writeOut())
      this.syncOrFail(core.log)
      this.counts.syncs++
    }
    this.counts.groups++
    this.noteDurable(lsn)
  }

  /** If the lock has been taken away, this handle writes no more: the files may be another's, or gone. */
  #checkLock(): void {
    try {
      this.#core.checkLock()
    } catch (error) {
      if (!isLightningError(error)) throw error
      this.#core.failure ??= error
      throw this.rollBack(error)
    }
  }

  /** Runs a write. If it fails, everything that is not durable is undone. */
  #guarded(write: () => void): void {
    try {
      write()
    } catch (error) {
      throw this.#core.failure ?? this.rollBack(error)
    }
  }

  #writeOut(): void {
    const { memory, kernel, log, data } = this.#core
    kernel.exports.closeFrame()
    const bytes = memory.word(LOG_BYTES)
    if (bytes === 0) return
    if (this.counts.syncs % lockLookSyncs === 0) this.#checkLock()
    if (this.#core.holdsLarge) {
      // A frame may name a large value only when that is on stable storage (docs/durability.md, rule 7).
      this.syncOrFail(data)
      this.#core.largeSynced = this.#core.largeWritten
    }
    const at = memory.word(LOG)
    log.reserve(bytes)
    log.append(memory.bytes.subarray(at, at + bytes))
    memory.setWord(LOG_BYTES, 0)
    this.counts.bytes += bytes
  }

  /** All commits until now are on stable storage when it resolves. Rejects with an error that no caller was told before. */
  async #syncInPool(): Promise<void> {
    const core = this.#core
    const { generation } = core
    const lsn = this.cut()
    this.#guarded(() => this.#writeOut())
    try {
      await core.log.syncAsync()
    } catch (error) {
      if (core.failure === undefined) throw this.fail(error)
      return
    }
    this.counts.syncs++
    if (generation === core.generation) this.noteDurable(PLANTED_BUG === 34 ? core.appliedLsn : lsn)
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#background = this.#syncInBackground()
    }, this.#core.options.syncIntervalMs)
  }

  /** The relaxed sync: when it ends, all commits made until it began are durable. */
  async #syncInBackground(): Promise<void> {
    const core = this.#core
    try {
      if (core.holdsLarge) await this.#syncLarge()
    } catch (error) {
      if (core.failure === undefined) this.#owed = this.fail(error)
    }
    // A flush may have made everything durable meanwhile.
    if (core.isClosed || core.failure !== undefined || core.durableLsn >= core.appliedLsn) return
    try {
      await this.#syncInPool()
    } catch (error) {
      this.#owed = error
      return
    }
    if (core.appliedLsn > core.durableLsn && this.#timer === undefined && !core.isClosed) this.#startTimer()
  }

  /** Throws the error that is owed, once, if nobody has been told about it yet. */
  payDebt(): void {
    if (this.#owed === undefined) return
    const owed = this.#owed
    this.#owed = undefined
    throw owed
  }
}
