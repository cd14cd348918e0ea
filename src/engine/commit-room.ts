// Room for commits. Before a commit changes anything, room is made for whatever it may take: space in the log and on the
// disk, frames in memory. While the log is long, or much space waits for it, a checkpoint is started and kept going.
import { LOG_BYTES, LOG_CAPACITY, PAGES_USED } from '../../assembly/state.ts'
import { blockBytes, sectorBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import type { Demand, Space } from './space.ts'

/**
 * While a checkpoint runs, commits do a slice of it each time that the log has grown by this fraction of `walBytes`.
 */
const stepsPerLog = 1_024
/** Slices that may become due while the checkpoint waits for a sync; then a commit does the sync itself. */
const mostWaitingSteps = 32
/** Pages that an operation may dirty besides its leaf: the path to the root, split or merged all the way up. */
export const pathPages = 15

export class CommitRoom {
  readonly #core: Core
  readonly #committer: Committer
  readonly #checkpoint: Checkpoint
  readonly #space: Space
  /** While the log's buffer holds no more than this, small commits need not be checked again. */
  #readyBytes = 0
  /** Bytes of live log at which the next slice of a checkpoint is due. */
  #nextStepBytes = 0
  /** Slices in a row that were due while the checkpoint waited for a sync and the event loop did not turn. */
  #waitingSteps = 0
  #turns = 0
  /** Too many frames are dirty: writing them out has failed. */
  #isOverfull = false

  constructor(core: Core, committer: Committer, checkpoint: Checkpoint, space: Space) {
    this.#core = core
    this.#committer = committer
    this.#checkpoint = checkpoint
    this.#space = space
  }

  /** Whether commits of so many bytes of log need no more room, by what was found when room was made last. */
  holds(logBytes: number): boolean {
    const buffered = this.#core.memory.word(LOG_BYTES)
    return buffered !== 0 && buffered + logBytes <= this.#readyBytes
  }

  /** Pages could not be written out. The next commit is refused unless they can be by then. */
  noteOverfull(): void {
    this.#isOverfull = true
    this.#readyBytes = 0
  }

  /**
   * Makes sure that a commit of so many operations and bytes cannot fail for want of space. Throws
   * `LIGHTNING_DISK_FULL`; then nothing has changed. `growthBytes`: by how much the data may grow, 0 when the commit
   * only deletes. `clears`: it deletes nothing but ranges.
   */
  make(
    logBytes: number,
    operations: number,
    growthBytes: number,
    values: readonly { readonly value: Uint8Array }[] = [],
    clears = false
  ): void {
    const core = this.#core
    const { walBytes } = core.options
    const { log, memory } = core
    const buffered = memory.word(LOG_BYTES)
    // What the last check found stays true until the buffer is written out.
    if (this.holds(logBytes)) return
    this.#readyBytes = 0
    core.snapshots.endOld()
    const live = log.liveBytes + buffered
    const capacity = memory.word(LOG_CAPACITY)
    const demand = (): Demand => ({
      logBytes,
      pages: this.#pagesOf(operations, growthBytes),
      blocks: blocksOf(values),
      grows: growthBytes > 0,
      clears
    })
    const find = () => {
      this.#advanceCheckpoint(live, walBytes)
      if (this.#isOverfull) {
        core.pager.limitDirty()
        this.#isOverfull = false
      }
      this.#space.ensure(demand)
      this.#committer.prepare(Math.min(logBytes, capacity - 128))
      if (logBytes > capacity) log.reserve(logBytes)
    }
    core.events.afterCall(() => this.#space.find(find, demand))
    if (logBytes <= capacity && walBytes >= capacity * 8 && !this.#space.isLimited) {
      const untilStep = this.#checkpoint.isRunning ? buffered + this.#nextStepBytes - live : capacity
      this.#readyBytes = Math.min(capacity, log.reservedBytes, untilStep) - 128
    }
  }

  /** Pages that so many operations may dirty: a leaf for each, the pages that splits make, and the pages above. */
  #pagesOf(operations: number, growthBytes: number): number {
    const { memory, meta } = this.#core
    const split = Math.ceil((growthBytes * 2) / meta.pageBytes) * 2
    return Math.min(memory.word(PAGES_USED), operations + (operations >>> 3)) + split + pathPages
  }

  /**
   * Starts a checkpoint when the log has grown beyond `walBytes`, or when much space waits for one to become free: large
   * values that are overwritten, and pages that are written to make room in the cache, fill the disk long before their
   * frames fill the log. One that runs already gets a slice done now and then, since commits may come so fast that the
   * event loop does not get to it. It is run to its end when the log is twice as long, or when as much waits for the one
   * after it: only large values do, since no page has more than one image that the last checkpoint has named.
   */
  #advanceCheckpoint(live: number, walBytes: number): void {
    const { pending, data } = this.#core
    const waiting = pending.sectors * sectorBytes
    const most = Math.max(walBytes, (data.blocks.usedBlocks * blockBytes - waiting) / 4)
    if (live > walBytes * 2) {
      this.#checkpoint.runSync()
      return
    }
    this.#attemptCheckpoint(() => {
      if (!this.#checkpoint.isRunning) {
        // Until then the event loop has its chance.
        this.#nextStepBytes = live + walBytes / 8
        if (live > walBytes || waiting > most) this.#checkpoint.trigger()
      } else if (pending.laterSectors * sectorBytes > most) {
        this.#checkpoint.runSync()
      } else if (live > this.#nextStepBytes) {
        this.#nextStepBytes = live + walBytes / stepsPerLog
        const { turns } = this.#committer
        this.#waitingSteps = this.#checkpoint.isWaiting && turns === this.#turns ? this.#waitingSteps + 1 : 0
        this.#turns = turns
        this.#checkpoint.stepSync(this.#waitingSteps > mostWaitingSteps || live > walBytes * 1.75)
      }
    })
  }

  /**
   * A checkpoint that is not urgent may fail without disturbing the commit, unless commits were rolled back with it.
   */
  #attemptCheckpoint(attempt: () => void): void {
    const { generation, options } = this.#core
    try {
      attempt()
    } catch (error) {
      if (this.#core.failure !== undefined || this.#core.generation !== generation) throw error
      options.logger?.warn('A checkpoint failed', error)
    }
  }
}

/** The most blocks that the segments of these values can take. */
export function blocksOf(values: readonly { readonly value: Uint8Array }[]): number {
  return values.reduce((sum, { value }) => sum + Math.ceil(value.length / blockBytes) + 2, 0)
}
