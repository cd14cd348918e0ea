// What the keyspaces hold, at the moments that somebody sees, and what iterators must give.
import type { Isolation } from '../../../src/index.ts'
import type { AnySnapshot, AnyTransaction } from '../../support/either.ts'
import { type Kind, keyCount, kinds } from './data.ts'

/** Versions of values, by numbers of keys; one map for each keyspace. */
export type State = readonly ReadonlyMap<number, number>[]

/** A snapshot. */
export interface Moment {
  readonly snapshot: AnySnapshot<unknown, unknown>
  readonly state: State
  isOpen: boolean
}

/** A transaction. */
export interface Attempt {
  readonly tx: AnyTransaction<unknown, unknown>
  readonly isolation: Isolation
  /** What its snapshot sees. */
  readonly base: State
  /** Versions written, null: deleted. */
  readonly writes: readonly Map<number, number | null>[]
  readonly rows: Rows[]
  isOpen: boolean
}

/** An iterator and what it must give. */
export interface Rows {
  readonly iterator: { next(): unknown; return?(): unknown }
  readonly space: number
  readonly gives: 'entries' | 'keys' | 'values'
  /** Whether values are read as text. */
  readonly asText: boolean
  readonly from: number
  readonly to: number
  readonly reverse: boolean
  readonly limit: number
  readonly of: Moment | Attempt | undefined
  /** Undefined until the first step. */
  expected: (readonly [id: number, version: number])[] | undefined
  /** Steps that have begun. */
  at: number
  /** Rows that have come. */
  taken: number
  isDone: boolean
  isExhausted: boolean
}

export function kindAt(space: number): Kind {
  const kind = kinds[space]
  if (kind === undefined) throw new Error('there is no such keyspace')
  return kind
}

export class RowsModel {
  readonly #state: readonly Map<number, number>[] = kinds.map(() => new Map())
  #version = 0

  /** The state as it is now. */
  copy(): State {
    return this.#state.map(versions => new Map(versions))
  }

  newVersion(): number {
    return ++this.#version
  }

  /** Gives the version. */
  put(space: number, id: number): number {
    const version = this.newVersion()
    this.#state[space]?.set(id, version)
    return version
  }

  del(space: number, id: number): void {
    this.#state[space]?.delete(id)
  }

  /** What a transaction wrote becomes the state. */
  apply({ writes }: Attempt): void {
    for (const [space, written] of writes.entries()) {
      for (const [id, version] of written) {
        if (version === null) this.del(space, id)
        else this.#state[space]?.set(id, version)
      }
    }
  }

  /** What is seen of a keyspace now. */
  seen(of: Moment | Attempt | undefined, space: number): (id: number) => number | undefined {
    const newest = this.#state[space]
    if (of === undefined) return id => newest?.get(id)
    if ('snapshot' in of) return id => of.state[space]?.get(id)
    const base = of.isolation === 'read-committed' ? newest : of.base[space]
    return id => {
      const written = of.writes[space]?.get(id)
      return written === undefined ? base?.get(id) : (written ?? undefined)
    }
  }

  /** What an iterator gives that takes its first step now. */
  expected({ space, from, to, reverse, limit, of }: Rows): [number, number][] {
    const rows: [number, number][] = []
    const seen = this.seen(of, space)
    for (let id = from; id < Math.min(to, keyCount); id++) {
      const version = seen(id)
      if (version !== undefined) rows.push([id, version])
    }
    if (reverse) rows.reverse()
    return rows.slice(0, limit)
  }

  /** A row that iterators of the transaction have seen, or seen to be missing, and that is otherwise now. */
  changed({ rows, base }: Attempt): string | undefined {
    for (const { expected, taken, isExhausted, space, reverse, limit, ...range } of rows) {
      const last = taken === 0 ? undefined : expected?.[taken - 1]?.[0]
      // Whatever lies between the bound and the last row was read, and beyond it if the end came before the limit.
      const isWhole = isExhausted && taken < limit
      if (last === undefined && !isWhole) continue
      const from = isWhole || !reverse ? range.from : (last ?? 0)
      const to = isWhole || reverse ? range.to : (last ?? 0) + 1
      for (let id = from; id < Math.min(to, keyCount); id++) {
        if (base[space]?.get(id) !== this.#state[space]?.get(id)) return `${kindAt(space).name} ${id}`
      }
    }
    return undefined
  }
}
