import type { Snapshot as EngineSnapshot } from '../engine/engine.ts'
import { dispose } from './disposal.ts'
import { LocalReads } from './reads.ts'
import type { Place } from './session.ts'
import type { Reads, Snapshot, Sublevel } from './types.ts'

/** A snapshot on an engine in this thread. One that is simply dropped is closed by the garbage collector. */
export class LocalSnapshot<K, V> extends LocalReads<K, V> implements Snapshot<K, V> {
  readonly sequence: number
  readonly #snapshot: EngineSnapshot

  constructor(place: Place, snapshot: EngineSnapshot) {
    super(place, snapshot)
    this.sequence = snapshot.sequence
    this.#snapshot = snapshot
    place.session.addSnapshot(this, snapshot)
  }

  sublevel<SK, SV>(sublevel: Sublevel<SK, SV>): Reads<SK, SV>
  sublevel(sublevel: unknown): Reads<unknown, unknown> {
    const place = this.place.session.placeOf(sublevel, "the snapshot's sublevel()")
    return new SnapshotSublevel<unknown, unknown>(place, this.#snapshot, this)
  }

  close(): void {
    this.place.session.unwatch(this)
    this.#snapshot.close()
  }

  [dispose](): void {
    this.close()
  }
}

/** A sublevel at a snapshot. */
class SnapshotSublevel<K, V> extends LocalReads<K, V> {
  /** The handle of the snapshot, kept because a collected handle closes it. */
  readonly owner: LocalSnapshot<unknown, unknown>

  constructor(place: Place, snapshot: EngineSnapshot, owner: LocalSnapshot<unknown, unknown>) {
    super(place, snapshot)
    this.owner = owner
  }
}
