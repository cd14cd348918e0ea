// From a commit in memory to a commit on stable storage: the log's buffer, group commit, and what happens when a write
// or a sync fails.
//
// Commits are applied and framed in memory at once; the frames wait in the kernel's log area. In strict mode the first
// commit of a group asks for a flush at the end of the current microtasks; all that were made until then share one write,
// one sync and one promise. In relaxed mode a timer does the same off this thread.
import {
  DURABLE_LOW, INCARNATION_HIGH, INCARNATION_LOW, LOG, LOG_BYTES, LOG_CAPACITY, OK, TIME_LOW
} from '../../assembly/state.ts'
import { INCARNATION } from '../../assembly/log.ts'
import { NOTE } from '../../assembly/operations.ts'
import { LightningError } from '../errors.ts'
import type { Core } from './core.ts'

/** A flush waits for so many turns of the microtask queue without a new commit, so that longer promise chains join. */
const quietTurns = 8

interface Group {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Committer {
  readonly #core: Core
  readonly #rebuild: (cause: unknown) => void
  #group: Group | undefined
  #isScheduled = false
  #isFlushing = false
  #turnsLeft = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #background: Promise<void> | undefined
  #hasIncarnation = false
  #settled: Promise<void> = Promise.resolve()
  /** An error of a relaxed sync that the next `flush` or `close` reports. */
  #owed: unknown
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

  /** Resolves when everything applied is as durable as the option asks. */
  settled(): Promise<void> {
    if (this.#core.options.durability !== 'strict') return this.#settled
    return this.#joinGroup()
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

  /** Waits for what runs in the background. */
  async idle(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#background
  }

  /** Writes the buffer out without syncing; for checkpoints. */
  writeOut(): void {
    this.#guarded(() => this.#writeOut())
  }

  /** The log was rebuilt: a new incarnation begins with the next commit. */
  forgetIncarnation(): void {
    this.#hasIncarnation = false
  }

  /** Undoes everything that is not durable; the promises of undone commits reject with `error`. */
  rollBack(error: unknown): void {
    const group = this.#group
    this.#group = undefined
    this.#core.memory.setWord(LOG_BYTES, 0)
    this.#rebuild(error)
    group?.reject(error)
  }

  /** A sync failed: nothing is known of what was written since the last one, so this handle writes no more. */
  fail(cause: unknown): LightningError {
    const failure = new LightningError(
      'LIGHTNING_FAILED',
      `A sync of the database at ${this.#core.location} failed, so it is not known what is on disk since the last one. ` +
        'Close the database and open it again.',
      { cause }
    )
    this.#core.failure = failure
    this.#core.events.emit('degraded', { cause: failure })
    this.rollBack(failure)
    return failure
  }

  #joinGroup(): Promise<void> {
    const core = this.#core
    if (core.failure !== undefined) return Promise.reject(core.failure)
    if (core.durableLsn >= core.appliedLsn) return this.#settled
    if (this.#group === undefined) {
      let resolve: () => void = () => undefined
      let reject: (error: unknown) => void = () => undefined
      const promise = new Promise<void>((yes, no) => {
        resolve = yes
        reject = no
      })
      this.#group = { promise, resolve, reject }
    }
    this.#schedule()
    return this.#group.promise
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#turnsLeft = quietTurns
    queueMicrotask(this.#turn)
  }

  readonly #turn = (): void => {
    if (this.#turnsLeft-- > 0) {
      queueMicrotask(this.#turn)
      return
    }
    this.#isScheduled = false
    if (this.#core.isClosed && this.#group === undefined) return
    if (this.#core.holdsLarge) {
      void this.#flushLarge()
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
    if (this.#isFlushing) return
    this.#isFlushing = true
    try {
      await this.#syncLarge()
    } catch (error) {
      this.#isFlushing = false
      this.fail(error)
      return
    }
    this.#isFlushing = false
    if (this.#group !== undefined) this.#schedule()
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
      this.#noteDurable(lsn)
    }
    const group = this.#group
    this.#group = undefined
    group?.resolve()
  }

  #noteDurable(lsn: number): void {
    const core = this.#core
    this.counts.syncs++
    this.counts.groups++
    if (lsn > core.durableLsn) core.durableLsn = lsn
    core.memory.setLong(DURABLE_LOW, core.durableLsn)
  }

  /** Runs a write; when it fails everything not durable is undone. */
  #guarded(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (this.#core.failure === undefined) this.rollBack(error)
      throw error
    }
  }

  #writeOut(): void {
    const { memory, log, data } = this.#core
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
    if (core.isClosed || core.failure !== undefined) return
    const lsn = core.appliedLsn
    const generation = core.generation
    try {
      if (core.holdsLarge) await this.#syncLarge()
      this.#guarded(() => this.#writeOut())
    } catch (error) {
      this.#owed = error
      core.events.emit('degraded', { cause: error, lost: { from: core.durableLsn + 1, to: lsn } })
      return
    }
    try {
      await core.log.syncAsync()
    } catch (error) {
      if (core.failure === undefined) this.#owed = this.fail(error)
      return
    }
    if (generation === core.generation) this.#noteDurable(lsn)
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
    log.reserve(memory.word(LOG_BYTES) + 128)
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
