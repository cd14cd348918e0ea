// What stands before the first commit after an opening or a rollback: the mark of a clean close is gone from the meta, and
// a frame names a new incarnation.
import { INCARNATION_HIGH, INCARNATION_LOW, LOG_BYTES, TIME_LOW } from '../../assembly/state.ts'
import { INCARNATION } from '../../assembly/log.ts'
import { NOTE } from '../../assembly/operations.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'

export class Incarnation {
  readonly #core: Core
  readonly #syncData: () => void
  #hasBegun = false

  /** `syncData` syncs the data file. */
  constructor(core: Core, syncData: () => void) {
    this.#core = core
    this.#syncData = syncData
  }

  /** Whether commits may follow. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** After a rollback: the next commit begins a new one. */
  forget(): void {
    this.#hasBegun = false
  }

  /**
   * Removes the mark of a clean close from the meta, before the first commit. The mark says that the log is empty; from
   * the first commit on it is not, and a missing log must be recognized as damage. If a write fails here, it is not
   * known what is on disk, so nothing is committed before this has succeeded.
   */
  markOpen(): void {
    const core = this.#core
    if (PLANTED_BUG === 31 || !core.meta.closed) return
    core.checkLock()
    // The log begins anew at the start of its file. Not where it ended: closing may have cut the file off before that.
    // Not where it goes on now: there may be frames already.
    const { offset } = chainStart(core).position
    const meta = { ...core.meta, number: core.meta.number + 1, logOffset: offset, closed: false }
    core.isMetaUncertain = true
    for (const slot of [0, 1]) {
      core.data.writeMeta(slot, meta, core.checksum)
      this.#syncData()
    }
    core.isMetaUncertain = false
    core.meta = meta
  }

  /**
   * Writes the first frame after an opening or a rollback, which names a new incarnation, so that frames left over from
   * before cannot continue the chain. It notes the one before.
   */
  begin(): void {
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
    this.setTime()
    this.#core.complete(kernel.exports.commit(20, INCARNATION), kernel.exports.resumeCommit)
    this.#hasBegun = true
  }

  /** Sets the time that the next frames carry, which never goes backwards. */
  setTime(): void {
    const now = Date.now()
    if (now > this.#core.memory.long(TIME_LOW)) this.#core.memory.setLong(TIME_LOW, now)
  }
}
