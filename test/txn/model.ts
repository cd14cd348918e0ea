// What transactions must do, by the letter: whole copies of the state as snapshots, and a list of everything committed
// that a validation walks from end to end. Slow and obvious.
import type { Isolation } from '../../src/index.ts'

/** Keys with their values. */
export type State = Map<string, number>

/** A range over keys: a test of each, and how it is walked. */
export interface ModelRange {
  readonly gte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
}

type Test = (key: string) => boolean

interface Change {
  readonly space: string
  readonly isOf: Test
  readonly isDrop: boolean
}

const inside =
  ({ gte, lt }: ModelRange): Test =>
  key =>
    (gte === undefined || key >= gte) && (lt === undefined || key < lt)

/** Keys of a range in its order, and the test of those that were covered by walking at most `most` of them. */
export function walk(
  state: State,
  range: ModelRange,
  most = Number.POSITIVE_INFINITY
): { keys: string[]; covered: Test } {
  const test = inside(range)
  const all = [...state.keys()].filter(test).sort()
  if (range.reverse === true) all.reverse()
  const stop = Math.min(range.limit ?? Number.POSITIVE_INFINITY, most)
  const keys = all.slice(0, stop)
  // Fewer than asked for: the walk came to the bound.
  if (keys.length < stop) return { keys, covered: test }
  const last = keys.at(-1)
  if (last === undefined) return { keys, covered: () => false }
  return { keys, covered: key => test(key) && (range.reverse === true ? key >= last : key <= last) }
}

/** A database of several keyspaces. A keyspace is there from its first key until it is dropped. */
export class ModelDatabase {
  readonly spaces = new Map<string, State>([['', new Map()]])
  /** Everything committed, in order. */
  readonly changes: Change[] = []
  /** Who holds the lock of `space/key`. */
  readonly locks = new Map<string, ModelTransaction>()

  state(space: string): State {
    return this.spaces.get(space) ?? new Map()
  }

  put(space: string, key: string, value: number): void {
    const state = this.spaces.get(space) ?? new Map<string, number>()
    this.spaces.set(space, state)
    state.set(key, value)
    this.#note(space, other => other === key)
  }

  del(space: string, key: string): void {
    if (!this.spaces.has(space)) return
    this.state(space).delete(key)
    this.#note(space, other => other === key)
  }

  clear(space: string, range: ModelRange): void {
    if (!this.spaces.has(space)) return
    for (const key of walk(this.state(space), range).keys) {
      this.state(space).delete(key)
      if (range.limit !== undefined) this.#note(space, other => other === key)
    }
    if (range.limit === undefined) this.#note(space, inside(range))
  }

  drop(space: string): void {
    if (this.spaces.delete(space)) this.changes.push({ space, isOf: () => true, isDrop: true })
  }

  copy(): Map<string, State> {
    return new Map([...this.spaces].map(([space, state]) => [space, new Map(state)]))
  }

  #note(space: string, isOf: Test): void {
    this.changes.push({ space, isOf, isDrop: false })
  }
}

interface Written {
  /** Latest write of each key; undefined deletes. */
  readonly entries: Map<string, number | undefined>
  readonly cleared: ModelRange[]
  readonly guarded: Test[]
}

interface Place {
  readonly reads: Test[]
  readonly locked: Map<string, number>
  written: Written
}

const copyOf = ({ entries, cleared, guarded }: Written): Written => ({
  entries: new Map(entries),
  cleared: [...cleared],
  guarded: [...guarded]
})
const nothing = (): Written => ({ entries: new Map(), cleared: [], guarded: [] })

export class ModelTransaction {
  readonly #db: ModelDatabase
  readonly #isolation: Isolation
  #snapshot: Map<string, State>
  #since: number
  #hasRead = false
  readonly #places = new Map<string, Place>()

  constructor(db: ModelDatabase, isolation: Isolation) {
    this.#db = db
    this.#isolation = isolation
    this.#snapshot = db.copy()
    this.#since = db.changes.length
  }

  /** What it sees of a keyspace, its own writes included. */
  seen(space: string): State {
    const below = this.#isolation === 'read-committed' ? this.#db.state(space) : this.#snapshot.get(space)
    const state: State = new Map(below)
    for (const [key, value] of this.#place(space).written.entries) {
      if (value === undefined) state.delete(key)
      else state.set(key, value)
    }
    return state
  }

  get(space: string, key: string): number | undefined {
    const place = this.#place(space)
    if (place.written.entries.has(key)) return place.written.entries.get(key)
    // What was cleared is known to be missing, whatever others did.
    if (place.written.cleared.some(range => inside(range)(key))) return undefined
    this.#hasRead = true
    place.reads.push(other => other === key)
    return this.seen(space).get(key)
  }

  /** The first `most` keys of a range. */
  walk(space: string, range: ModelRange, most?: number): string[] {
    const { keys, covered } = walk(this.seen(space), range, most)
    this.#hasRead = true
    this.#place(space).reads.push(covered)
    return keys
  }

  count(space: string, range: ModelRange): number {
    return this.walk(space, range).length
  }

  put(space: string, key: string, value: number): void {
    this.#place(space).written.entries.set(key, value)
  }

  del(space: string, key: string): void {
    this.#place(space).written.entries.set(key, undefined)
  }

  clear(space: string, range: ModelRange): void {
    const { gte, lt, limit } = range
    if (limit === 0 || (gte !== undefined && lt !== undefined && gte >= lt)) return
    const { keys, covered } = walk(this.seen(space), range)
    const { reads, written } = this.#place(space)
    this.#hasRead = true
    const isLevelWithSnapshot = this.#isolation !== 'read-committed'
    if (isLevelWithSnapshot && range.limit === undefined) {
      written.cleared.push(range)
      written.guarded.push(inside(range))
      const test = inside(range)
      for (const key of [...written.entries.keys()].filter(test)) written.entries.delete(key)
      // What was hidden by an entry is there again below, and goes too.
      for (const key of walk(this.seen(space), range).keys) written.entries.set(key, undefined)
    } else {
      for (const key of keys) written.entries.set(key, undefined)
      if (isLevelWithSnapshot) {
        written.guarded.push(covered)
        reads.push(covered)
      }
    }
  }

  /** Whether the lock is free for it; `'conflict'` when the key is newer than the snapshot. */
  lock(space: string, key: string): 'granted' | 'held' | 'conflict' {
    const name = `${space}/${key}`
    const holder = this.#db.locks.get(name)
    if (holder !== undefined && holder !== this) return 'held'
    this.#db.locks.set(name, this)
    const place = this.#place(space)
    let since = this.#since
    if (this.#isolation === 'read-committed') since = this.#db.changes.length
    else if (!this.#hasRead) {
      this.#snapshot = this.#db.copy()
      since = this.#since = this.#db.changes.length
    } else if (this.#isChanged(space, other => other === key, since)) return 'conflict'
    this.#hasRead = true
    if (!place.locked.has(key)) place.locked.set(key, since)
    return 'granted'
  }

  savepoint(): Map<string, Written> {
    return new Map([...this.#places].map(([space, { written }]) => [space, copyOf(written)]))
  }

  rollbackTo(savepoint: Map<string, Written>): void {
    for (const [space, place] of this.#places) place.written = copyOf(savepoint.get(space) ?? nothing())
  }

  /** Whether it may commit without waiting. */
  get conflicts(): boolean {
    const { locks } = this.#db
    for (const [space, { written }] of this.#places) {
      for (const key of allKeys) {
        const holder = locks.get(`${space}/${key}`)
        const isWritten = written.entries.has(key) || written.cleared.some(range => inside(range)(key))
        if (isWritten && holder !== undefined && holder !== this) return true
      }
    }
    return this.loses
  }

  /** Whether another commit changed what it depends on; whatever locks there are. */
  get loses(): boolean {
    const usesSnapshot = this.#isolation !== 'read-committed'
    const hasWritten = [...this.#places.values()].some(
      ({ written }) => written.entries.size + written.guarded.length > 0
    )
    for (const [space, { locked, written, reads }] of this.#places) {
      for (const [key, since] of locked) if (this.#isChanged(space, other => other === key, since)) return true
      if (!usesSnapshot || !hasWritten) continue
      if (this.#db.changes.slice(this.#since).some(change => change.isDrop && change.space === space)) return true
      for (const key of written.entries.keys())
        if (this.#isChanged(space, other => other === key, this.#since)) return true
      for (const test of written.guarded) if (this.#isChanged(space, test, this.#since)) return true
      if (this.#isolation !== 'serializable') continue
      for (const test of reads) if (this.#isChanged(space, test, this.#since)) return true
    }
    return false
  }

  commit(): void {
    this.end()
    for (const [space, { written }] of this.#places) {
      for (const range of written.cleared) this.#db.clear(space, range)
      // In order: before its first key a keyspace is not there, and has nothing to delete.
      for (const [key, value] of [...written.entries].sort()) {
        if (value === undefined) this.#db.del(space, key)
        else this.#db.put(space, key, value)
      }
    }
  }

  end(): void {
    for (const [name, holder] of this.#db.locks) if (holder === this) this.#db.locks.delete(name)
  }

  /** Whether something that passes the test was changed, or its keyspace dropped, by a commit after the `since`th. */
  #isChanged(space: string, test: Test, since: number): boolean {
    return this.#db.changes.slice(since).some(change => {
      if (change.space !== space) return false
      return change.isDrop || allKeys.some(key => test(key) && change.isOf(key))
    })
  }

  #place(space: string): Place {
    const known = this.#places.get(space)
    if (known !== undefined) return known
    const place: Place = { reads: [], locked: new Map(), written: nothing() }
    this.#places.set(space, place)
    return place
  }
}

/** All keys there are in the model. */
export const allKeys: readonly string[] = Array.from({ length: 24 }, (_, i) => `k${String.fromCharCode(97 + i)}`)
