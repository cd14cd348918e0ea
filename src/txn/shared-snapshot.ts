// Snapshots that are taken only when they are needed. As long as nothing has been committed since a transaction began,
// the newest state is its snapshot; just before the next commit is applied, one snapshot is taken for all transactions
// that have none yet. So a transaction that runs alone costs no snapshot, and a thousand that begin between two commits
// cost one.
import type { Engine, Snapshot } from '../engine/engine.ts'

/** One snapshot of the engine, closed when the last of its holders lets go. */
export class SharedSnapshot {
  readonly snapshot: Snapshot
  #holders = 0

  constructor(engine: Engine) {
    this.snapshot = engine.snapshot()
  }

  hold(): void {
    this.#holders++
  }

  letGo(): void {
    if (--this.#holders === 0) this.snapshot.close()
  }
}
