// The checkpoint: a snapshot is written to free extents, slice by slice, while commits go on. Then both metas name it.
//
// It is a state machine. `#step` does one slice on this thread and says what must happen before the next one. There are
// two drivers: the asynchronous one lets other work run between slices and syncs off this thread; the synchronous one
// (`runSync`, `stepSync`) serves commits that cannot wait for the event loop.
// The order of the steps (docs/durability.md, rule 9):
//
//   places   space is taken for the second copies of chunks and directory, low in the file
//   images   the pages that are dirty in the snapshot are written, in runs
//   chunks   the changed chunks of the page table as of the snapshot, then the directory, each twice
//   sync     the data file is synced, then the log up to the snapshot's commit
//   slots    the meta goes into slot 0, which is synced, then into slot 1, which is synced
//   end      only now are the blocks and the log free that only the previous checkpoint needed
import {
  CHECKPOINT_SNAPSHOT,
  EPOCH_LOW,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  OUT_OF_MEMORY,
  PREVIOUS_CHECKSUM,
  TABLE_LIMIT,
  TIME_LOW
} from '../../assembly/state.ts'
import { assertStatus } from '../kernel/status.ts'
import { chunkIds } from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import { nextTurn } from './long-operations.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import { TableWriter } from './table-writer.ts'

/** What `#step` wants done before it is called again; `slice`: nothing, other work may run. */
type Need = 'slice' | 'sync data' | 'sync log' | 'done'

/** Bytes of images written in one slice: about half a millisecond of work. */
const sliceBytes = 256 * 1_024
/** Bytes of images after which a checkpoint that is stepped synchronously has the data file synced. */
const syncBytes = 8 * 1_024 * 1_024

// How far a checkpoint is, in the order in which it gets there.
const places = 0
const images = 1
const chunks = 2
const syncedData = 3
const syncedLog = 4
const firstSlot = 5
const secondSlot = 6

interface Progress {
  readonly snapshot: number
  readonly startedMs: number
  meta: Meta
  readonly chunks: readonly number[]
  readonly tables: TableWriter
  phase: number
  /** The sync that the next step waits for. */
  waiting: Need | undefined
  next: number
  nextId: number
  /** Images written, less what the pager had written early when it began. */
  pages: number
  /** Set when it has ended: durable, or given up and why. */
  ended: Ended | undefined
}

type Ended = { readonly isDurable: true } | { readonly isDurable: false; readonly cause: unknown }

export class Checkpoint {
  readonly #core: Core
  readonly #committer: Committer
  #progress: Progress | undefined
  #running: Promise<void> | undefined
  #syncedBytes = 0
  readonly counts = { checkpoints: 0, pages: 0, lastDurationMs: 0 }

  constructor(core: Core, committer: Committer) {
    this.#core = core
    this.#committer = committer
  }

  get isRunning(): boolean {
    return this.#progress !== undefined
  }

  /** Whether the next step has to wait for a sync. */
  get isWaiting(): boolean {
    return this.#progress?.waiting !== undefined
  }

  /**
   * Makes a checkpoint that contains everything committed before the call; one that runs already is waited for first.
   * `closed`: for a close, whose meta says that the log is empty.
   */
  async run(closed = false): Promise<void> {
    while (this.#running !== undefined) await this.idle()
    if (!closed) this.#core.checkOpen()
    if (this.#core.failure !== undefined) throw this.#core.failure
    const { meta, isMetaUncertain } = this.#core
    // A first commit that failed may have removed the mark of a clean close in one slot only.
    if (this.#isUpToDate() && (!closed || (meta.closed && !isMetaUncertain))) return
    await this.#start(closed)
  }

  /** Makes a checkpoint even if nothing was committed since the last one: compaction has moved images. */
  async runAlways(closed = false): Promise<void> {
    while (this.#running !== undefined) await this.idle()
    if (closed) this.#core.checkHealthy()
    else this.#core.checkWritable()
    await this.#start(closed)
  }

  /** Starts one in the background unless one runs. If it fails, the logger is told. */
  trigger(): void {
    if (this.#progress !== undefined || this.#core.failure !== undefined) return
    this.#start(false).catch(error => this.#core.options.logger?.warn('A checkpoint failed', error))
  }

  /**
   * Does one slice of the running checkpoint, from a synchronous call: commits come faster than the event loop turns. A
   * sync is started every few MiB, so that none takes long. `isUrgent`: the sync that the next step waits for is done
   * too.
   */
  stepSync(isUrgent: boolean): void {
    const progress = this.#progress
    if (progress === undefined || (progress.waiting !== undefined && !isUrgent)) return
    this.#attempt(() => {
      const need = this.#step()
      if (isUrgent) this.#satisfySync(need)
      else if (need === 'slice' && this.#core.run.written.bytes - this.#syncedBytes > syncBytes) this.#beginSync()
    })
  }

  /** Starts a sync that nobody waits for. It leaves less to do for the one that counts. */
  #beginSync(): void {
    const core = this.#core
    this.#syncedBytes = core.run.written.bytes
    core.data.syncAsync().catch(error => {
      if (!core.isClosed && core.failure === undefined) this.#committer.fail(error)
    })
  }

  /** Runs the running checkpoint to its end, or a new one if none runs. */
  runSync(closed = false): void {
    if (this.#progress === undefined) this.#begin(closed)
    this.#attempt(() => {
      while (this.#progress !== undefined) this.#satisfySync(this.#step())
    })
  }

  /** Drops the running checkpoint, because memory is being rebuilt after `cause`. */
  forget(cause: unknown): void {
    if (this.#progress !== undefined) this.#leave(this.#progress, { isDurable: false, cause })
  }

  /** Ends it. Its driver finds out at its next turn; another checkpoint may begin before that. */
  #leave(progress: Progress, ended: Ended): void {
    progress.ended = ended
    this.#core.memory.setWord(CHECKPOINT_SNAPSHOT, 0)
    this.#progress = undefined
    this.#running = undefined
  }

  /** Waits until no checkpoint runs. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined)
  }

  #isUpToDate(): boolean {
    return this.#core.meta.lsn === this.#core.appliedLsn
  }

  #start(closed: boolean): Promise<void> {
    this.#begin(closed)
    const running = this.#drive().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #drive(): Promise<void> {
    while (this.#progress !== undefined) {
      const mine = this.#progress
      const need = this.#attempt(() => this.#step())
      if (need === 'done') return
      const { phase } = mine
      if (need === 'slice') await nextTurn()
      else {
        try {
          await (need === 'sync log' ? this.#core.log : this.#core.data).syncAsync()
        } catch (error) {
          if (this.#progress === mine) throw this.#committer.fail(error)
        }
      }
      // Meanwhile a synchronous call may have continued it, or a rollback may have ended it.
      if (mine.ended?.isDurable === false) throw mine.ended.cause
      if (this.#progress !== mine) return
      if (need !== 'slice' && mine.phase === phase) this.#satisfied()
    }
  }

  #satisfySync(need: Need): void {
    if (need === 'slice' || need === 'done') return
    this.#committer.syncOrFail(need === 'sync log' ? this.#core.log : this.#core.data)
    this.#satisfied()
  }

  /** Runs a slice. If it fails, the checkpoint is given up and the database goes on as if it had not begun. */
  #attempt<T>(slice: () => T): T {
    try {
      return slice()
    } catch (error) {
      if (this.#progress !== undefined) this.#abandon(error)
      throw error
    }
  }

  #begin(closed: boolean): void {
    // Now, not later: a first commit that did this while the metas are being written would overwrite them with old
    // ones.
    if (!closed) this.#committer.incarnation.markOpen()
    const { memory, kernel, log, pending, pager, meta } = this.#core
    this.#committer.writeOut()
    const snapshot = kernel.exports.openSnapshot() >>> 0
    if (snapshot === 0) assertStatus(OUT_OF_MEMORY, 'a checkpoint')
    const start = log.switchFile()
    const tableLimit = memory.word(TABLE_LIMIT)
    const chunkCount = Math.ceil(tableLimit / chunkIds)
    const changed: number[] = []
    for (let chunk = 0; chunk < chunkCount; chunk++) if (kernel.exports.takeMark(chunk) !== 0) changed.push(chunk)
    pending.beginCheckpoint()
    this.#progress = {
      snapshot,
      startedMs: performance.now(),
      chunks: changed,
      tables: new TableWriter(this.#core, changed, chunkCount),
      phase: places,
      waiting: undefined,
      next: 0,
      nextId: (changed[0] ?? 0) * chunkIds,
      pages: -pager.counts.early,
      ended: undefined,
      meta: {
        ...meta,
        lsn: this.#committer.cut(),
        epoch: memory.long(EPOCH_LOW),
        timeMs: Math.max(memory.long(TIME_LOW), Date.now()),
        logFile: start.file,
        logOffset: start.offset,
        logPrevious: memory.word(PREVIOUS_CHECKSUM),
        incarnation: [memory.word(INCARNATION_LOW), memory.word(INCARNATION_HIGH)],
        tableLimit,
        chunkCount,
        nextTree: this.#core.nextTree,
        closed
      }
    }
    memory.setWord(CHECKPOINT_SNAPSHOT, snapshot)
  }

  #step(): Need {
    const progress = this.#progress
    if (progress === undefined) return 'done'
    if (progress.waiting !== undefined) return progress.waiting
    const need = this.#stepPhase(progress)
    if (need === 'sync data' || need === 'sync log') progress.waiting = need
    return need
  }

  #stepPhase(progress: Progress): Need {
    if (progress.phase === places) {
      if (!progress.tables.placeCopies()) return 'slice'
      progress.phase = images
    }
    if (progress.phase === images) return this.#writeImages(progress)
    if (progress.phase === chunks) return this.#writeChunks(progress)
    if (progress.phase === syncedData) return 'sync log'
    if (progress.phase === secondSlot) return this.#end(progress)
    return this.#writeSlot(progress, progress.phase - syncedLog)
  }

  /** The sync that `#step` asked for has been done. */
  #satisfied(): void {
    const progress = this.#progress
    if (progress === undefined) return
    progress.waiting = undefined
    progress.phase++
    // From now on a meta may name these commits, so nothing may take them back.
    if (progress.phase === syncedLog) this.#committer.noteDurable(progress.meta.lsn)
  }

  #writeImages(progress: Progress): Need {
    const { kernel, run } = this.#core
    while (progress.next < progress.chunks.length) {
      const chunk = progress.chunks[progress.next] ?? 0
      const end = (chunk + 1) * chunkIds
      while (progress.nextId < end) {
        const frame = kernel.exports.nextDirtyAt(progress.nextId, end, progress.snapshot) >>> 0
        if (frame === 0) break
        run.add(frame)
        progress.nextId = this.#core.memory.word(frame) + 1
        if (run.bytes < sliceBytes && run.hasRoom) continue
        return this.#flushImages(progress)
      }
      progress.next++
      progress.nextId = (progress.chunks[progress.next] ?? 0) * chunkIds
    }
    progress.phase = chunks
    return this.#flushImages(progress)
  }

  #flushImages(progress: Progress): Need {
    const { run, pager } = this.#core
    progress.pages += run.length
    run.flush()
    pager.drainReleased()
    return 'slice'
  }

  #writeChunks(progress: Progress): Need {
    if (!progress.tables.writeChunks(progress.snapshot)) return 'slice'
    progress.meta = { ...progress.meta, ...progress.tables.writeDirectory() }
    if (PLANTED_BUG === 12) {
      progress.phase = syncedData
      return 'slice'
    }
    return 'sync data'
  }

  #writeSlot(progress: Progress, slot: number): Need {
    const { data, log, meta, checksum } = this.#core
    this.#core.checkLock()
    this.#core.isMetaUncertain = true
    if (slot === 0) {
      progress.meta = { ...progress.meta, number: meta.number + 1 }
      log.beginNaming({ file: progress.meta.logFile, offset: progress.meta.logOffset })
    }
    data.writeMeta(slot, progress.meta, checksum)
    if (PLANTED_BUG === 13 && slot === 0) {
      progress.phase = firstSlot
      return 'slice'
    }
    return 'sync data'
  }

  #end(progress: Progress): Need {
    const core = this.#core
    core.log.endNaming()
    core.isMetaUncertain = false
    core.meta = progress.meta
    core.directory.become(progress.tables.directory)
    for (const extent of progress.tables.replaced) core.pending.giveNamed(extent)
    core.pending.endCheckpoint()
    this.#leave(progress, { isDurable: true })
    core.kernel.exports.closeSnapshot(progress.snapshot)
    core.pager.drainReleased()
    const durationMs = performance.now() - progress.startedMs
    const pages = progress.pages + core.pager.counts.early
    this.counts.checkpoints++
    this.counts.pages += pages
    this.counts.lastDurationMs = durationMs
    core.events.emit('checkpoint', { lsn: progress.meta.lsn, pages, durationMs })
    return 'done'
  }

  /**
   * Gives up: what was written is not named by anything and so free. Changed chunks are marked again for the next one.
   */
  #abandon(cause: unknown): void {
    const progress = this.#progress
    if (progress === undefined) return
    this.#leave(progress, { isDurable: false, cause })
    const { kernel, run, data, pending, pager } = this.#core
    run.clear()
    for (const chunk of progress.chunks) kernel.exports.putMark(chunk)
    // A slot may have been written, and a recovery may choose it: then its blocks stay in use until the next
    // checkpoint.
    const mayBeNamed = progress.phase >= syncedLog
    for (const extent of progress.tables.written) {
      if (mayBeNamed) pending.giveNamed(extent)
      else data.release(extent)
    }
    pending.abandonCheckpoint()
    kernel.exports.closeSnapshot(progress.snapshot)
    pager.drainReleased()
  }
}
