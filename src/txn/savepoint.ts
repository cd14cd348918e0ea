import { invalidArgument } from '../encoding/failure.ts'
import type { TreeView } from './tree-view.ts'
import type { WriteView } from './write-set.ts'

/** The write sets at some moment. */
export class Savepoint {
  readonly owner: Savepoints
  /** Counts from 1. */
  readonly number: number
  readonly writes: ReadonlyMap<TreeView, WriteView>

  constructor(owner: Savepoints, number: number, writes: ReadonlyMap<TreeView, WriteView>) {
    this.owner = owner
    this.number = number
    this.writes = writes
  }
}

/**
 * Which savepoints of a transaction can be returned to. Only numbers are kept here: what a savepoint holds goes with the
 * caller's last reference to it.
 */
export class Savepoints {
  /** Ascending. */
  readonly #alive: number[] = []
  #last = 0

  take(writes: ReadonlyMap<TreeView, WriteView>): Savepoint {
    this.#alive.push(++this.#last)
    return new Savepoint(this, this.#last, writes)
  }

  /** Forgets the savepoints taken after this one, which is returned to. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  returnTo(savepoint: Savepoint): void {
    const at = this.#alive.lastIndexOf(savepoint.number)
    if (savepoint.owner !== this || at < 0) {
      throw invalidArgument('rollbackTo: pass a savepoint of this transaction that was not undone itself.')
    }
    this.#alive.length = PLANTED_BUG === 26 ? at : at + 1
  }
}
