// A client's snapshot. One that is simply dropped is closed by the garbage collector.

import { asyncDispose } from '../db/disposal.ts'
import { RemoteReads } from './client-reads.ts'
import type { ClientPlace } from './client-session.ts'
import type { SnapshotScope } from './scope.ts'
import type { ClientReads, ClientSnapshot, ClientSublevel } from './types.ts'

export class RemoteSnapshot<K, V> extends RemoteReads<K, V> implements ClientSnapshot<K, V> {
  readonly sequence: number
  readonly #scope: SnapshotScope

  constructor(place: ClientPlace, scope: SnapshotScope, sequence: number) {
    super(place, scope, undefined)
    this.sequence = sequence
    this.#scope = scope
    place.session.addSnapshot(this, scope)
  }

  sublevel<SK, SV>(sublevel: ClientSublevel<SK, SV>): ClientReads<SK, SV>
  sublevel(sublevel: unknown): ClientReads<unknown, unknown> {
    const place = this.place.session.placeOf(sublevel, "the snapshot's sublevel()")
    return new RemoteReads<unknown, unknown>(place, this.#scope, this)
  }

  async close(): Promise<void> {
    this.place.session.unwatch(this)
    this.#scope.close()
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
