// Snapshots as the engine hands them out. Those of the kernel are bare addresses; these know when their state is gone.
import { LightningError } from '../errors.ts'
import type { TreePlace } from './catalog.ts'
import { MAIN_ROOT, MAIN_TREE } from '../../assembly/operations.ts'
import { OUT_OF_MEMORY } from '../../assembly/state.ts'
import { assertStatus } from '../kernel/status.ts'
import type { Core } from './core.ts'
import type { TreeHandle } from './tree.ts'

/** A consistent state to read from. */
export interface Snapshot {
  /** Sequence number of the newest commit it sees. */
  readonly sequence: number
  readonly isOpen: boolean
  /** Releases the page versions that only this snapshot needs. May be called again. */
  close(): void
}

const mainPlace: TreePlace = { id: MAIN_TREE, root: MAIN_ROOT }

export class EngineSnapshot implements Snapshot {
  readonly sequence: number
  readonly openedMs = performance.now()
  readonly #core: Core
  readonly #generation: number
  readonly #address: number
  #places: Map<string, TreePlace | undefined> | undefined
  #isOpen = true
  #isTooOld = false

  constructor(core: Core) {
    core.checkOpen()
    this.#core = core
    this.sequence = core.appliedLsn
    this.#generation = core.generation
    this.#address = core.kernel.exports.openSnapshot() >>> 0
    if (this.#address === 0) assertStatus(OUT_OF_MEMORY, 'a snapshot')
    core.snapshots.add(this)
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#generation === this.#core.generation && !this.#core.isClosed
  }

  /** Whether it belongs to this database. */
  isOf(core: Core): boolean {
    return core === this.#core
  }

  /** The kernel's snapshot; throws `LIGHTNING_CLOSED`, or `LIGHTNING_TIMEOUT` when it has grown too old. */
  use(): number {
    this.#core.checkOpen()
    if (this.#isTooOld) throw this.#tooOld()
    if (!this.#isOpen) throw new LightningError('LIGHTNING_CLOSED', 'The snapshot is closed. Take a new one.')
    if (PLANTED_BUG !== 24 && this.#generation !== this.#core.generation) {
      throw new LightningError(
        'LIGHTNING_CLOSED',
        'What the snapshot saw was taken back because it could not be made durable. Take a new one.',
        {
          cause: this.#core.rollbackCause
        }
      )
    }
    const most = this.#core.options.maxSnapshotAgeMs
    if (most !== undefined && performance.now() - this.openedMs > most) {
      this.expire()
      throw this.#tooOld()
    }
    return this.#address
  }

  /** Ends it for its age: from now on every use is `LIGHTNING_TIMEOUT`. */
  expire(): void {
    this.#isTooOld = true
    this.close()
  }

  #tooOld(): LightningError {
    const most = this.#core.options.maxSnapshotAgeMs
    return new LightningError(
      'LIGHTNING_TIMEOUT',
      `The snapshot was open for more than ${most} ms (option maxSnapshotAgeMs). Take a new one.`
    )
  }

  /** Id and root of the tree when the snapshot was taken; undefined: it did not exist. */
  place(tree: TreeHandle): TreePlace | undefined {
    if (tree.path.length === 0) return mainPlace
    this.#places ??= new Map()
    if (!this.#places.has(tree.name)) this.#places.set(tree.name, this.#core.catalog.find(tree.path, this.use()))
    return this.#places.get(tree.name)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const core = this.#core
    core.snapshots.delete(this)
    if (this.#generation !== core.generation || core.isClosed) return
    core.kernel.exports.closeSnapshot(this.#address)
    core.pager.drainReleased()
  }
}
