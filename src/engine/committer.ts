// From a commit in memory to a commit on stable storage: the log's buffer, group commit, and what happens when a write
// or a sync fails.
//
// Commits are applied and framed in memory at once; the frames wait in the kernel's log area. In strict mode the first
// commit of a group asks for a flush at the end of the current microtasks; all that were made until then share one write,
// one sync and one promise. In relaxed mode a timer does the same off this thread.
//
// Neither may keep the event loop from turning: a program that awaits one write after the other lives on microtasks alone,
// and then no timer fires (that of the relaxed sync neither), no message arrives and no checkpoint gets on. So now and
// then those who wait for a write wait for a turn as well.
import {
  DURABLE_LOW,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LOG,
  LOG_BYTES,
  LOG_CAPACITY,
  OK,
  TIME_LOW
} from '../../assembly/state.ts'
import { INCARNATION } from '../../assembly/log.ts'
import { NOTE } from '../../assembly/operations.ts'
import { LightningError } from '../errors.ts'
import { nextTurn } from './care.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'

/** A flush waits for so many turns of the microtask queue without a new commit, so that longer promise chains join. */
const quietTurns = 8
/** Work after which writes let the event loop turn, in bytes of log: a millisecond or two. By count, not by the clock, so that runs can be repeated. */
const turnBytes = 65_536
/** What a sync counts for. */
const syncCost = 4_096

/** Those who wait for the same commits. */
interface Group {
  /** Last commit that somebody in it waits for. */
  lsn: number
  /** Later commits wait in another group: a sync under way covers only the commits until now. */
  isCut: boolean
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Committer {
  readonly #core: Core
  readonly #rebuild: (cause: unknown) => void
  /** Oldest first. */
  #groups: Group[] = []
  #isScheduled = false
  #largeFlush: Promise<void> | undefined
  #turnsLeft = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #background: Promise<void> | undefined
  #hasIncarnation = false
  #settled: Promise<void> = Promise.resolve()
  /** The turn of the event loop that relaxed writes wait for. */
  #turn: Promise<void> | undefined
  /** The work that was done when the event loop last turned. */
  #turnedWork = 0
  /** An error of a relaxed sync that the next `flush` or `close` reports. */
  #owed: unknown
  /** Counts turns of the event loop that writes have waited for. */
  turns = 0
  readonly counts = { commits: 0, groups: 0, syncs: 0, bytes: 0 }

  /** `rebuild` brings memory back to the durable state; it is told why. */
  constructor(core: Core, rebuild: (cause: unknown) => void) {
    this.#core = core
    this.#rebuild = rebuild
  }

  /** Makes room for a frame with so many bytes of operations; call before anything of it is written. */
  prepare(operationBytes: number): void {
    const { memory, log } = this.#core
    if (!this.#hasIncarnation) this.#beginIncarnation()
    const bytes = operationBytes + 64
    if (memory.word(LOG_BYTES) + bytes > memory.word(LOG_CAPACITY)) this.#writeOut()
    log.reserve(memory.word(LOG_BYTES) + bytes)
    if (memory.word(LOG_BYTES) === 0) this.#setTime()
  }

  /** Something was committed: sees to it that it becomes durable. */
  committed(): void {
    this.counts.commits++
    if (this.#core.options.durability === 'strict') this.#turnsLeft = quietTurns
    else if (this.#timer === undefined) this.#startTimer()
  }

  /** Resolves when everything applied, or all until the commit `lsn`, is as durable as the option asks. */
  settled(lsn: number | undefined): Promise<void> {
    return this.#core.options.durability === 'strict' ? this.durable(lsn) : (this.#turn ?? this.#applied())
  }

  /** What relaxed writes wait for. */
  #applied(): Promise<void> {
    if (!this.#isTurnDue()) return this.#settled
    this.#turn = this.#nextTurn().then(() => {
      this.#turn = undefined
    })
    return this.#turn
  }

  #isTurnDue(): boolean {
    const work = this.#work
    // A rollback takes bytes back.
    if (work < this.#turnedWork) this.#turnedWork = work
    return work - this.#turnedWork >= turnBytes
  }

  get #work(): number {
    const { memory, largeWritten } = this.#core
    return this.counts.bytes + memory.word(LOG_BYTES) + this.counts.syncs * syncCost + largeWritten * turnBytes
  }

  async #nextTurn(): Promise<void> {
    await nextTurn()
    this.turns++
    this.#turnedWork = this.#work
  }

  /** Resolves when everything applied, or all until the commit `lsn`, is on stable storage. */
  durable(lsn: number | undefined): Promise<void> {
    return lsn !== undefined && lsn <= this.#core.durableLsn ? this.#settled : this.#joinGroup()
  }

  /** Everything applied is as durable as the option asks when it returns. */
  settleSync(): void {
    if (this.#core.options.durability === 'strict') this.flushSync()
  }

  /** Resolves when everything applied is on stable storage. */
  async flush(): Promise<void> {
    this.payDebt()
    await this.#joinGroup()
    this.payDebt()
  }

  /** Everything applied is on stable storage when it returns. */
  flushSync(): void {
    this.payDebt()
    this.#flushNow()
  }

  /** The same for a close, which tells of earlier errors when all is done. */
  settleAll(): void {
    this.#flushNow()
  }

  /** Waits for what runs in the background. */
  async idle(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#background
    await this.#largeFlush
  }

  /** Writes the buffer out without syncing; for checkpoints. */
  writeOut(): void {
    this.#guarded(() => this.#writeOut())
  }

  /** The log was rebuilt: a new incarnation begins with the next commit. */
  forgetIncarnation(): void {
    this.#hasIncarnation = false
  }

  /**
   * A clean close says that nothing is in the log; from the first commit on something is, and a log that is missing then is
   * damage. A write that fails leaves it unknown what is on disk, so nothing is committed before it has been done.
   */
  markOpen(): void {
    const core = this.#core
    if (PLANTED_BUG === 31 || !core.meta.closed) return
    core.checkLock()
    // Where the log begins anew: neither where it had ended, which may lie behind what closing left of the file, nor where
    // it goes on, since there may be frames already.
    const { offset } = chainStart(core).position
    const meta = { ...core.meta, number: core.meta.number + 1, logOffset: offset, closed: false }
    core.isMetaUncertain = true
    for (const slot of [0, 1]) {
      core.data.writeMeta(slot, meta, core.checksum)
      try {
        core.data.sync()
      } catch (error) {
        throw this.fail(error)
      }
    }
    core.isMetaUncertain = false
    core.meta = meta
  }

  /** What is committed later waits apart from what is committed now; the last LSN of that. */
  cut(): number {
    const last = this.#groups.at(-1)
    if (last !== undefined) last.isCut = true
    return this.#core.appliedLsn
  }

  /** Everything up to `lsn` is on stable storage; `cut` gave it before the sync, or it is the newest commit. */
  noteDurable(lsn: number): void {
    const core = this.#core
    if (lsn > core.durableLsn) core.durableLsn = lsn
    core.memory.setLong(DURABLE_LOW, core.durableLsn)
    core.health.durable(core.durableLsn)
    while (this.#groups[0] !== undefined && this.#groups[0].lsn <= core.durableLsn) this.#groups.shift()?.resolve()
  }

  /**
   * Undoes everything that is not durable; the promises of undone commits reject. Returns what they reject with: `error`,
   * or the failure when what was undone could not be erased.
   */
  rollBack(error: unknown): unknown {
    // A listener that writes takes the numbers of what is undone: who waits for those must have been answered by then.
    return this.#core.events.after(() => this.#undoAll(error))
  }

  #undoAll(error: unknown): unknown {
    const core = this.#core
    const groups = this.#groups
    this.#groups = []
    core.kernel.exports.clearLog()
    this.#rebuild(error)
    const told = core.failure ?? error
    for (const group of groups) {
      if (group.lsn <= core.durableLsn) group.resolve()
      else group.reject(told)
    }
    return told
  }

  /**
   * Undoes a commit that is applied in part. Those before it are whole and made durable first, so that only this one
   * is undone. Returns what its caller is told.
   */
  undo(error: unknown): unknown {
    const { generation } = this.#core
    try {
      this.#flushNow()
    } catch {
      // If this has rolled back already, the commit is gone too.
    }
    if (this.#core.generation !== generation) return this.#core.failure ?? error
    return this.rollBack(error)
  }

  /** A sync failed: nothing is known of what was written since the last one, so this handle writes no more. */
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

  #joinGroup(): Promise<void> {
    const core = this.#core
    if (core.failure !== undefined) return Promise.reject(core.failure)
    if (core.durableLsn >= core.appliedLsn) return this.#settled
    if (PLANTED_BUG === 19) {
      this.#schedule()
      return this.#settled
    }
    let group = this.#groups.at(-1)
    if (group === undefined || group.isCut) {
      let resolve: () => void = () => undefined
      let reject: (error: unknown) => void = () => undefined
      const promise = new Promise<void>((yes, no) => {
        resolve = yes
        reject = no
      })
      group = { lsn: 0, isCut: false, promise, resolve, reject }
      this.#groups.push(group)
    }
    group.lsn = core.appliedLsn
    this.#schedule()
    return group.promise
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
    if (this.#isTurnDue()) void this.#nextTurn().then(() => this.#flushScheduled())
    else this.#flushScheduled()
  }

  #flushScheduled(): void {
    this.#isScheduled = false
    if (this.#groups.length === 0) return
    if (this.#core.holdsLarge) {
      this.#largeFlush ??= this.#flushLarge()
      return
    }
    try {
      this.#flushNow()
    } catch {
      // Those who wait have been told.
    }
  }

  /** Large values are synced off this thread before the frames that name them are written. */
  async #flushLarge(): Promise<void> {
    try {
      await this.#syncLarge()
    } catch (error) {
      this.fail(error)
    } finally {
      this.#largeFlush = undefined
    }
    if (this.#groups.length > 0) this.#schedule()
  }

  async #syncLarge(): Promise<void> {
    const core = this.#core
    const written = core.largeWritten
    await core.data.syncAsync()
    if (written > core.largeSynced) core.largeSynced = written
  }

  #flushNow(): void {
    const core = this.#core
    if (core.failure !== undefined) throw core.failure
    const lsn = core.appliedLsn
    if (core.durableLsn < lsn) {
      this.#guarded(() => this.#writeOut())
      try {
        core.log.sync()
      } catch (error) {
        throw this.fail(error)
      }
      this.counts.syncs++
    }
    this.counts.groups++
    this.noteDurable(lsn)
  }

  /** Runs a write; when it fails everything not durable is undone. */
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
    if (this.#core.holdsLarge) {
      // A frame may name a large value only when that is on stable storage.
      try {
        data.sync()
      } catch (error) {
        throw this.fail(error)
      }
      this.#core.largeSynced = this.#core.largeWritten
    }
    const at = memory.word(LOG)
    log.reserve(bytes)
    log.append(memory.bytes.subarray(at, at + bytes))
    memory.setWord(LOG_BYTES, 0)
    this.counts.bytes += bytes
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#background = this.#syncInBackground()
    }, this.#core.options.syncIntervalMs)
  }

  /** The relaxed sync: what was committed up to now is durable when it ends. */
  async #syncInBackground(): Promise<void> {
    const core = this.#core
    try {
      if (core.holdsLarge) await this.#syncLarge()
    } catch (error) {
      if (core.failure === undefined) this.#owed = this.fail(error)
    }
    // Somebody may have waited for it already.
    if (core.isClosed || core.failure !== undefined || core.durableLsn >= core.appliedLsn) return
    const { generation } = core
    const lsn = this.cut()
    try {
      this.#guarded(() => this.#writeOut())
    } catch (error) {
      this.#owed = error
      return
    }
    try {
      await core.log.syncAsync()
    } catch (error) {
      if (core.failure === undefined) this.#owed = this.fail(error)
      return
    }
    this.counts.syncs++
    if (generation === core.generation) this.noteDurable(lsn)
    if (core.appliedLsn > core.durableLsn && this.#timer === undefined && !core.isClosed) this.#startTimer()
  }

  /** Throws an error of a relaxed sync that nobody was told yet. */
  payDebt(): void {
    if (this.#owed === undefined) return
    const owed = this.#owed
    this.#owed = undefined
    throw owed
  }

  /** The first frame of an opening, or after a rollback, names a new incarnation: older frames cannot follow it. */
  #beginIncarnation(): void {
    const { memory, kernel, log } = this.#core
    this.markOpen()
    log.reserve(memory.word(LOG_BYTES) + 128)
    const at = kernel.exports.frameOperations() >>> 0
    const view = new DataView(memory.bytes.buffer, at, 20)
    view.setUint32(0, NOTE, true)
    view.setUint32(4, 0, true)
    view.setUint32(8, 8, true)
    view.setUint32(12, memory.word(INCARNATION_LOW), true)
    view.setUint32(16, memory.word(INCARNATION_HIGH), true)
    const fresh = crypto.getRandomValues(new Uint32Array(2))
    memory.setWord(INCARNATION_LOW, fresh[0] ?? 0)
    memory.setWord(INCARNATION_HIGH, fresh[1] ?? 0)
    this.#setTime()
    let status = kernel.exports.commit(20, INCARNATION)
    while (status !== OK) {
      this.#core.provide(status)
      status = kernel.exports.resumeCommit()
    }
    this.#hasIncarnation = true
  }

  /** Wall-clock time of the next frames; never backwards. */
  #setTime(): void {
    const now = Date.now()
    if (now > this.#core.memory.long(TIME_LOW)) this.#core.memory.setLong(TIME_LOW, now)
  }
}
