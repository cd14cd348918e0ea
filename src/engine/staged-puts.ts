// Puts that are made in one turn of the event loop are staged and applied together, so that their waits for memory
// overlap (assembly/staged.ts). Each stays a commit of its own.
//
// Nobody can tell: whoever reads, writes or takes a snapshot has the staged puts applied first (`Core.checkOpen`), and
// so has everything that makes commits durable. They never wait longer than until the end of the current microtasks.
//
// The promise of a put is that of its whole group, so no single put of a group may fail. Only those are staged that
// cannot: their leaf is in memory, there is room in the log, and the disk has plenty of space. Should a leaf be evicted
// in between and then not be readable, the group is rolled back, as when its log cannot be written.
import { AHEAD_LENGTH } from '../../assembly/ahead.ts'
import { OPERATION_HEADER_BYTES } from '../../assembly/operations.ts'
import { FULL_STAGE_BYTES, MOST_STAGED_VALUE_BYTES } from '../../assembly/staged.ts'
import { FINGER, FINGER_MISSES, FRAME_LIMIT, FRAMES_DIRTY, MAX_KEY_BYTES, OK } from '../../assembly/state.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import type { CommitRoom } from './commit-room.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import type { TreeHandle } from './tree.ts'

/** The log that everything staged may take. */
const stageRoom = 32_768
/** Frames that applying everything staged may dirty: for each put its leaf, a copy of that, and what its split takes. */
const stageFrames = 4 * AHEAD_LENGTH

export class StagedPuts {
  /** How many puts are staged. */
  count = 0
  readonly #core: Core
  readonly #committer: Committer
  readonly #room: CommitRoom
  readonly #applied: (commits: number) => void
  readonly #inlineBytes: number
  #isScheduled = false
  /** Of the memory in which puts are staged. */
  #generation = 0
  /** The newest commit before them. */
  #before = 0
  /** What has kept puts of the current turn from being applied. */
  #failed: { readonly error: unknown } | undefined
  /** Where the key of the next one belongs, and from where on no more are staged. */
  #at = 0
  #end = 0

  /** `applied` is told of so many commits that were applied and framed. */
  constructor(core: Core, committer: Committer, room: CommitRoom, applied: (commits: number) => void) {
    this.#core = core
    this.#committer = committer
    this.#room = room
    this.#applied = applied
    this.#inlineBytes = core.kernel.exports.inlineBytes()
  }

  /** The commit that the last of them is going to be. */
  get newestLsn(): number {
    return this.#before + this.count
  }

  /**
   * Stages a put; false, and nothing has changed, when it has to be made by itself. Throws what encodings throw, and when
   * the stage is full what has kept it from being applied; then this put is gone with the others.
   */
  stage(
    tree: TreeHandle,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    value: unknown,
    valueEncoding: ValueEncoding<unknown>
  ): boolean {
    const core = this.#core
    if (core.isEncoding || keyEncoding.callsBack || valueEncoding.callsBack) return false
    // What holds for the first one holds for all: whatever could change it has the staged puts applied first.
    if (this.count === 0 && !this.#begin()) return false
    if (!tree.locate(core)) return false
    const { count } = this
    const generation = this.#generation
    const { commits } = this.#committer.counts
    const at = this.#at
    let keyBytes = -1
    let valueBytes = -1
    core.isEncoding = true
    try {
      const { bytes } = core.memory
      keyBytes = keyEncoding.write(key, bytes, at, MAX_KEY_BYTES)
      // A bad key is refused by the put that is made by itself.
      if (keyBytes <= 0) return false
      const room = Math.min(MOST_STAGED_VALUE_BYTES, this.#inlineBytes - keyBytes)
      valueBytes = valueEncoding.write(value, bytes, at + keyBytes, room)
    } finally {
      core.isEncoding = false
    }
    if (valueBytes < 0) return false
    // The caller's code, run by an encoding, may have used the database meanwhile. With puts staged before, that has
    // had them applied; without, it may have begun a transaction, flushed the log or closed the database.
    if (count !== this.count || commits !== this.#committer.counts.commits || generation !== core.generation)
      return false
    if (count === 0 && !this.#begin()) return false
    const staged = core.kernel.exports.stagePut(tree.id, keyBytes, valueBytes)
    if (staged === 0) return false
    this.count = staged
    this.#at = at + keyBytes + valueBytes + OPERATION_HEADER_BYTES
    if (staged === AHEAD_LENGTH || this.#at >= this.#end) {
      // Its caller has not joined the group that is rejected if this fails.
      if (!this.#apply()) throw this.#failed?.error
    } else if (!this.#isScheduled) {
      this.#isScheduled = true
      queueMicrotask(this.#applySoon)
    }
    return true
  }

  /** Applies what is staged. Does not throw: if it fails, the promises of the group reject. */
  apply(): void {
    if (this.count !== 0) this.#apply()
  }

  /** Applies what is staged. Throws, once, what puts of the current turn were rejected with. */
  applyOrThrow(): void {
    this.apply()
    const failed = this.#failed
    this.#failed = undefined
    if (failed !== undefined) throw failed.error
  }

  /** Drops what is staged; its promises are rejected by the caller. */
  forget(): void {
    this.count = 0
    this.#core.kernel.exports.forgetStaged()
  }

  /** Whether puts can be staged now. */
  #begin(): boolean {
    const core = this.#core
    // Relaxed promises do not wait for a group.
    if (core.options.durability !== 'strict' || core.options.readOnly) return false
    if (core.isClosed || core.unreadable !== undefined || core.failure !== undefined) return false
    if (core.loan.depth > 0 || core.observer !== undefined || !this.#room.holds(stageRoom)) return false
    const { memory } = core
    // Keys that come in order are faster one by one.
    if (memory.word(FINGER) !== 0 && memory.word(FINGER_MISSES) === 0) return false
    if (memory.word(FRAMES_DIRTY) + stageFrames > memory.word(FRAME_LIMIT) >>> 1) return false
    this.#generation = core.generation
    this.#before = core.appliedLsn
    this.#at = (core.kernel.exports.nextOperation() >>> 0) + OPERATION_HEADER_BYTES
    this.#end = this.#at + FULL_STAGE_BYTES
    return true
  }

  /** False: it has failed, and the group was rejected. */
  #apply(): boolean {
    const { count } = this
    this.count = 0
    const core = this.#core
    const { generation } = core
    const { beginStaged, commitStaged } = core.kernel.exports
    try {
      beginStaged()
      for (let status = commitStaged(); status !== OK; status = commitStaged()) core.provide(status)
      this.#applied(count)
      return true
    } catch (error) {
      this.#failed = { error: core.generation === generation ? this.#committer.rollBack(error) : error }
      return false
    }
  }

  readonly #applySoon = (): void => {
    this.#isScheduled = false
    this.apply()
    // Whoever has made the puts learns it from their promises.
    this.#failed = undefined
  }
}
