// Commits. Before the call returns, the operations are encoded, applied to the trees in memory and framed for the log:
// all of them or none.
//
// Single operations take the short way: key and value are encoded straight into the log's buffer, and one kernel call
// does the rest. Whatever does not fit that (batches, ranges, large values, encodings that call the caller's code) is
// encoded into a `Staging` first and then copied into the buffer.
import {
  APPLY_AT,
  APPLY_PHASE,
  LOG_BYTES,
  LOG_CAPACITY,
  MAX_KEY_BYTES,
  OK,
  PAGES_USED,
  RELEASED_COUNT
} from '../../assembly/state.ts'
import { CONTINUES } from '../../assembly/log.ts'
import { CLEAR, DROP, OPERATION_HEADER_BYTES } from '../../assembly/operations.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { inOperation } from '../encoding/failure.ts'
import { isLightningError } from '../errors.ts'
import { blockBytes, sectorBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import { reportOperations } from './commit-observer.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import { releaseSegments, writeSegments } from './large-values.ts'
import type { EngineOperation } from './operation.ts'
import type { Demand, Space } from './space.ts'
import { checkKeyBytes, Staging } from './staging.ts'
import { handleOf, type TreeHandle } from './tree.ts'

/**
 * Bytes of log for any single operation whose key and value are stored in a page: header, key and value are shorter.
 */
const operationRoom = 32_768
/** Staging buffers, at most half a MiB each, that are kept for the next batches. */
const mostSpares = 4
/**
 * While a checkpoint runs, commits do a slice of it each time that the log has grown by this fraction of `walBytes`.
 */
const stepsPerLog = 1_024
/** Slices that may become due while the checkpoint waits for a sync; then a commit does the sync itself. */
const mostWaitingSteps = 32
const none: readonly Uint8Array[] = []
/** Pages that an operation may dirty besides its leaf: the path to the root, split or merged all the way up. */
const pathPages = 15

export class Writer {
  readonly #core: Core
  readonly #committer: Committer
  readonly #checkpoint: Checkpoint
  readonly #space: Space
  readonly #inlineBytes: number
  /** Counts encodings begun. One that has begun meanwhile was begun by the caller's code, run by this one. */
  #encodings = 0
  /** Staging buffers of earlier batches, for the next one. */
  readonly #spares: Uint8Array[] = []
  /** While the log's buffer holds no more than this, small commits need not call `#makeRoom`'s checks again. */
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
    this.#inlineBytes = core.kernel.exports.inlineBytes()
  }

  put(
    tree: TreeHandle,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): void {
    const core = this.#core
    core.checkWritable()
    if (keyEncoding.callsBack || valueEncoding.callsBack || !tree.locate(core)) {
      this.#alone({ type: 'put', tree, key, keyEncoding, value, valueEncoding })
      return
    }
    this.#makeRoom(operationRoom, 1, this.#inlineBytes)
    const { memory } = core
    const encoding = ++this.#encodings
    const { bytes } = memory
    const { generation } = core
    const at = this.#nextOperation()
    const keyBytes = keyEncoding.write(key, bytes, at, MAX_KEY_BYTES)
    if (keyBytes === 0) checkKeyBytes(0)
    const valueBytes =
      keyBytes < 0 ? -1 : valueEncoding.write(value, bytes, at + keyBytes, this.#inlineBytes - keyBytes)
    if (valueBytes < 0 || encoding !== this.#encodings || !this.#isNextOperation(at, generation)) {
      // Too long for a page, or a getter in the value has used the database meanwhile.
      this.#alone({ type: 'put', tree, key, keyEncoding, value, valueEncoding })
      return
    }
    core.observer?.key(tree.id, core.appliedLsn + 1, bytes, at, at + keyBytes)
    this.#finish(core.kernel.exports.commitPut(tree.id, keyBytes, valueBytes))
  }

  del(tree: TreeHandle, key: unknown, keyEncoding: KeyEncoding<unknown>): void {
    const core = this.#core
    core.checkWritable()
    if (keyEncoding.callsBack || !tree.locate(core)) {
      this.#alone({ type: 'del', tree, key, keyEncoding })
      return
    }
    this.#makeRoom(operationRoom, 1, 0)
    const { memory } = core
    const encoding = ++this.#encodings
    const { generation } = core
    const at = this.#nextOperation()
    const keyBytes = keyEncoding.write(key, memory.bytes, at, MAX_KEY_BYTES)
    if (keyBytes === 0) checkKeyBytes(0)
    if (keyBytes < 0 || encoding !== this.#encodings || !this.#isNextOperation(at, generation)) {
      this.#alone({ type: 'del', tree, key, keyEncoding })
      return
    }
    core.observer?.key(tree.id, core.appliedLsn + 1, memory.bytes, at, at + keyBytes)
    this.#finish(core.kernel.exports.commitDelete(tree.id, keyBytes))
  }

  /** Address at which the key of the next single operation is to be written. */
  #nextOperation(): number {
    return (this.#core.kernel.exports.nextOperation() >>> 0) + OPERATION_HEADER_BYTES
  }

  /** Whether `at` is still that address: the caller's code, run by an encoding, may have flushed the log. */
  #isNextOperation(at: number, generation: number): boolean {
    return at === this.#nextOperation() && generation === this.#core.generation
  }

  /** Finishes a commit that the kernel has begun: provides what it asks for until it is done. */
  #finish(begun: number): void {
    const core = this.#core
    let status = begun
    if (status !== OK) {
      try {
        do {
          core.provide(status)
          status = core.kernel.exports.resumeCommit()
        } while (status !== OK)
      } catch (error) {
        if (core.failure !== undefined || this.#isUntouched(undefined)) throw error
        throw this.#committer.undo(error)
      }
    }
    this.#committed()
  }

  /** Applies all operations as one commit. Everything is encoded before anything changes. */
  batch(operations: Iterable<EngineOperation>): void {
    const position = { index: -1 }
    try {
      this.#batch(operations, position)
    } catch (error) {
      throw inOperation(error, position.index)
    }
  }

  /** Commits one operation that cannot be encoded straight into the log's buffer. */
  #alone(operation: EngineOperation): void {
    this.#batch([operation], { index: -1 })
  }

  /** `position.index` is the operation that is being encoded, -1 when none is. */
  #batch(operations: Iterable<EngineOperation>, position: { index: number }): void {
    const core = this.#core
    core.checkWritable()
    this.#encodings++
    // The caller's code, run by an encoding, may begin another batch. It does not get the buffer of this one.
    const staging = new Staging(this.#inlineBytes, this.#spares)
    const made = new Map<TreeHandle, number>()
    let isShrinking = true
    const version = core.catalogVersion
    for (const operation of operations) {
      position.index++
      const tree = handleOf(operation.tree)
      let id = tree.locate(core) ? tree.id : (made.get(tree) ?? this.#madeElsewhere(made, tree))
      if (operation.type === 'put' || operation.type === 'name') {
        isShrinking = false
        if (id === 0) {
          id = core.nextTree++
          made.set(tree, id)
          staging.create(id, tree.path)
        }
        if (operation.type === 'name') staging.name(id, operation.key, operation.keyEncoding, operation.description)
        else staging.put(id, operation.key, operation.keyEncoding, operation.value, operation.valueEncoding)
      } else if (operation.type === 'clear') {
        if (id !== 0) staging.clear(id, operation.lower, operation.upper)
      } else {
        // Encoded even when there is nothing to delete, so that a bad key is refused.
        if (id === 0) checkKeyBytes(operation.keyEncoding.encode(operation.key).length)
        else staging.del(id, operation.key, operation.keyEncoding)
      }
    }
    position.index = -1
    core.checkWritable()
    if (core.catalogVersion !== version) {
      // The caller's code, run by an encoding, has created or dropped a keyspace: what is staged may name the wrong
      // tree.
      this.#batch(operations, position)
      return
    }
    this.#commit(staging, isShrinking)
    for (const buffer of staging.buffers) if (this.#spares.length < mostSpares) this.#spares.push(buffer)
    if (made.size > 0) core.catalogVersion++
  }

  /** Writes a large value that nothing names yet. The result describes it, for a later commit that names it. */
  writeValue(value: Uint8Array): Uint8Array {
    const core = this.#core
    core.checkWritable()
    const demand = (): Demand => ({
      logBytes: operationRoom,
      pages: pathPages,
      blocks: blocksOf([{ value }]),
      grows: true,
      clears: false
    })
    return core.events.afterCall(() => {
      this.#space.ensure(demand)
      return this.#writeSegments(value)
    })
  }

  /** Deletes the range [lower, upper) as one commit. */
  clear(tree: TreeHandle, lower: Uint8Array, upper: Uint8Array | undefined): void {
    this.#core.checkWritable()
    if (!tree.locate(this.#core)) return
    const staging = new Staging(this.#inlineBytes)
    staging.clear(tree.id, lower, upper)
    this.#commit(staging, true, true)
  }

  /** Deletes these keys as one commit. */
  delAll(tree: TreeHandle, keys: readonly Uint8Array[]): void {
    this.#core.checkWritable()
    if (!tree.locate(this.#core) || keys.length === 0) return
    const staging = new Staging(this.#inlineBytes)
    for (const key of keys) staging.delBytes(tree.id, key)
    this.#commit(staging, true)
  }

  /** Drops the keyspace at `path` and all below it as one commit. */
  drop(path: Uint8Array): void {
    const core = this.#core
    core.checkWritable()
    const staging = new Staging(this.#inlineBytes)
    const entries = core.catalog.list(path, 0)
    if (entries.length === 0) return
    for (const entry of entries) staging.drop(entry.id, entry.path)
    this.#commit(staging, true, true)
    core.catalogVersion++
  }

  /** The id that this batch has given to another handle for the same path; 0 if it has not. */
  #madeElsewhere(made: Map<TreeHandle, number>, tree: TreeHandle): number {
    for (const [other, id] of made) {
      if (other.path.length === tree.path.length && other.path.every((byte, i) => byte === tree.path[i])) return id
    }
    return 0
  }

  #commit(staging: Staging, isShrinking: boolean, clears = false): void {
    const core = this.#core
    const { memory } = core
    staging.finish()
    const { parts, values } = staging
    if (parts.length === 0) return
    const { totalBytes, count } = staging
    this.#makeRoom(totalBytes + parts.length * 128, count, isShrinking ? 0 : totalBytes, values, clears)
    const written = values.length === 0 ? none : core.events.afterCall(() => this.#writeValues(staging))
    // Read only now: the calls above may have ended transactions, and the observer with the last of them.
    const { observer } = core
    if (observer !== undefined) for (const part of parts) reportOperations(part, core.appliedLsn + 1, observer)
    const { commit, resumeCommit, frameOperations } = core.kernel.exports
    let done = 0
    let isBegun = false
    try {
      for (const part of parts) {
        this.#committer.prepare(part.length)
        memory.bytes.set(part, frameOperations() >>> 0)
        isBegun = true
        let status = commit(part.length, done + 1 < parts.length ? CONTINUES : 0)
        while (status !== OK) {
          core.provide(status)
          status = resumeCommit()
        }
        done++
        if (done === parts.length) break
        core.pager.drainReleased()
        core.pager.limitDirty()
      }
    } catch (error) {
      if (core.failure !== undefined) throw error
      if (isBegun && !(done === 0 && this.#isUntouched(parts[0]))) throw this.#committer.undo(error)
      for (const description of written) releaseSegments(core, description)
      throw error
    }
    this.#committed()
  }

  /** Writes the segments of large values and completes the operations that name them. */
  #writeValues(staging: Staging): Uint8Array[] {
    const written: Uint8Array[] = []
    try {
      for (const { part, at, value } of staging.values) {
        const description = this.#writeSegments(value)
        written.push(description)
        staging.parts[part]?.set(description, at)
      }
    } catch (error) {
      for (const description of written) releaseSegments(this.#core, description)
      throw error
    }
    return written
  }

  #writeSegments(value: Uint8Array): Uint8Array {
    try {
      return writeSegments(this.#core, value)
    } catch (error) {
      // There is no free piece that is long enough, or the disk is full although it has reported space.
      throw isLightningError(error, 'LIGHTNING_DISK_FULL') ? this.#space.refuse(error) : error
    }
  }

  /**
   * Makes sure that a commit of so many operations and bytes cannot fail for want of space. Throws
   * `LIGHTNING_DISK_FULL`; then nothing has changed. `growthBytes`: by how much the data may grow, 0 when the commit
   * only deletes. `clears`: it deletes nothing but ranges.
   */
  #makeRoom(
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
    if (buffered !== 0 && buffered + logBytes <= this.#readyBytes) return
    this.#readyBytes = 0
    core.endOldSnapshots()
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
      if (live > walBytes) this.#keepLogShort(live, walBytes)
      if (core.pending.sectors * sectorBytes > walBytes) this.#freeSpace()
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
      const untilStep = live <= walBytes ? capacity : buffered + this.#nextStepBytes - live
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
   * The log has grown beyond `walBytes`: starts a checkpoint. One that runs already gets a slice done now and then,
   * since commits may come so fast that the event loop does not get to it. At twice `walBytes` it is run to its end.
   */
  #keepLogShort(live: number, walBytes: number): void {
    if (live > walBytes * 2) {
      this.#checkpoint.runSync()
      return
    }
    this.#attemptCheckpoint(() => {
      if (!this.#checkpoint.isRunning) {
        this.#nextStepBytes = walBytes * 1.125
        this.#checkpoint.trigger()
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
   * Starts a checkpoint when much space waits for one to become free. Large values that are overwritten fill the disk
   * long before their frames fill the log.
   */
  #freeSpace(): void {
    const { pending, data, options } = this.#core
    const waiting = pending.sectors * sectorBytes
    const most = Math.max(options.walBytes, (data.blocks.usedBlocks * blockBytes - waiting) / 4)
    if (waiting <= most) return
    this.#attemptCheckpoint(() => {
      if (!this.#checkpoint.isRunning) this.#checkpoint.trigger()
      else if (waiting > most * 2) this.#checkpoint.runSync()
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

  #isUntouched(part: Uint8Array | undefined): boolean {
    const { memory, kernel } = this.#core
    const type = part?.[0]
    if (type === CLEAR || type === DROP) return false
    return memory.word(APPLY_PHASE) === 0 && memory.word(APPLY_AT) === kernel.exports.nextOperation() >>> 0
  }

  #committed(): void {
    const { memory, pager, options } = this.#core
    if (memory.word(RELEASED_COUNT) !== 0) pager.drainReleased()
    try {
      pager.limitDirty()
    } catch (error) {
      // This commit is complete and stays. The next one is refused unless the pages can be written by then.
      this.#isOverfull = true
      this.#readyBytes = 0
      if (isLightningError(error, 'LIGHTNING_DISK_FULL')) this.#space.noteFull()
      options.logger?.warn('Pages could not be written', error)
    }
    this.#committer.committed()
  }
}

/** The most blocks that the segments of these values can take. */
function blocksOf(values: readonly { readonly value: Uint8Array }[]): number {
  return values.reduce((sum, { value }) => sum + Math.ceil(value.length / blockBytes) + 2, 0)
}
