// What is held open while writes go on: snapshots, iterators and transactions, a few of each, each for a while.
import {
  isLightningError,
  type RangeIterator,
  type Snapshot,
  type Transaction,
  type TransactionKeyspace
} from '../../src/index.ts'
import type { Random } from '../../test/support/random.ts'
import { indexOf, keyOf, keysPerSpace, spaceNames, valueFor, type Versions } from './population.ts'
import { check, WrongAnswer, type World } from './world.ts'

const mostOfEach = 4

/** A snapshot and the model of its moment. */
interface HeldSnapshot {
  readonly snapshot: Snapshot<string, Uint8Array>
  readonly versions: Versions
}

/** An iterator, and the entries that it has still to give. */
interface HeldIterator {
  readonly iterator: RangeIterator<[string, Uint8Array]>
  readonly space: number
  readonly wanted: { readonly index: number; readonly version: number }[]
}

interface Cell {
  readonly space: number
  readonly index: number
  /** When the transaction began. */
  readonly version: number
  /** What the transaction has written. */
  written?: number
}

interface HeldTransaction {
  readonly tx: Transaction<string, Uint8Array>
  readonly cells: readonly [Cell, ...Cell[]]
  steps: number
}

export class Held {
  readonly #world: World
  readonly #random: Random
  #snapshots: HeldSnapshot[] = []
  #iterators: HeldIterator[] = []
  #transactions: HeldTransaction[] = []
  #closed: HeldIterator | undefined

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
  }

  /** Begins, uses or ends something. */
  step(): void {
    const way = this.#random.below(10)
    if (way < 3) this.#stepSnapshot()
    else if (way < 6) this.#stepIterator()
    else if (way < 7) this.#abandon()
    else this.#stepTransaction()
  }

  /** Ends what cannot go on over a reopening. */
  end(): void {
    for (const { snapshot } of this.#snapshots.splice(0)) snapshot.close()
    for (const { tx } of this.#transactions.splice(0)) tx.rollback()
    this.#closed = this.#iterators.pop()
    for (const { iterator } of this.#iterators.splice(0)) iterator.return()
  }

  /** After `end`: if the database was closed meanwhile, the iterator that was left open says so; else it goes on. */
  expectClosed(): void {
    const held = this.#closed
    this.#closed = undefined
    if (held === undefined) return
    try {
      held.iterator.next()
      held.iterator.return()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CLOSED')) throw error
    }
  }

  #stepSnapshot(): void {
    const random = this.#random
    if (this.#snapshots.length < mostOfEach && random.chance(0.1)) {
      const versions = this.#world.versions.map(space => space.slice())
      this.#snapshots.push({ snapshot: this.#world.db.snapshot(), versions })
      return
    }
    const held = this.#snapshots[random.below(this.#snapshots.length)]
    if (held === undefined) return
    if (random.chance(0.05)) {
      held.snapshot.close()
      this.#snapshots = this.#snapshots.filter(other => other !== held)
      return
    }
    const { space, index } = this.#place()
    const version = held.versions[space]?.[index] ?? 0
    const options = { snapshot: held.snapshot }
    check(space, index, this.#world.space(space).get(keyOf(index), options), version)
    if (space === 0) check(space, index, held.snapshot.get(keyOf(index)), version)
    if (random.chance(0.02)) this.#world.compareBank(held.snapshot.sublevel(this.#world.bank))
    if (random.chance(0.005)) this.#world.compareSpace(0, held.snapshot, held.versions[0] ?? new Uint32Array())
  }

  #stepIterator(): void {
    const random = this.#random
    if (this.#iterators.length < mostOfEach && random.chance(0.2)) {
      this.#iterators.push(this.#iterate())
      return
    }
    const held = this.#iterators[random.below(this.#iterators.length)]
    if (held === undefined) return
    const isAtEnd = this.#take(held)
    if (!isAtEnd && random.chance(0.05)) held.iterator.return()
    else if (!isAtEnd) return
    this.#iterators = this.#iterators.filter(other => other !== held)
  }

  /** An iterator that nobody closes: the garbage collector has to. */
  #abandon(): void {
    const held = this.#iterate()
    for (let i = 0; i < 3; i++) this.#take(held)
  }

  #iterate(): HeldIterator {
    const { space, index } = this.#place()
    const to = Math.min(keysPerSpace, index + 2 + this.#random.below(400))
    const iterator = this.#world.space(space).entries({ gte: keyOf(index), lt: keyOf(to) })
    const wanted: HeldIterator['wanted'] = []
    const versions = this.#world.versionsOf(space)
    for (let i = to - 1; i >= index; i--) {
      const version = versions[i] ?? 0
      if (version > 0) wanted.push({ index: i, version })
    }
    const held = { iterator, space, wanted }
    // It sees the state of its first step.
    this.#take(held)
    return held
  }

  /** Takes one step; true at the end. */
  #take({ iterator, space, wanted }: HeldIterator): boolean {
    const next = wanted.pop()
    const { value } = iterator.next()
    if (value === undefined) {
      if (next === undefined) return true
      throw new WrongAnswer(`an iterator ended before ${keyOf(next.index)}`)
    }
    if (next === undefined || indexOf(value[0]) !== next.index)
      throw new WrongAnswer(`an iterator gave ${value[0]}, not ${next === undefined ? 'its end' : keyOf(next.index)}`)
    check(space, next.index, value[1], next.version)
    return false
  }

  #stepTransaction(): void {
    const random = this.#random
    if (this.#transactions.length < mostOfEach && random.chance(0.3)) {
      this.#transactions.push(this.#begin())
      return
    }
    const held = this.#transactions[random.below(this.#transactions.length)]
    if (held === undefined) return
    if (held.steps-- === 0) {
      this.#transactions = this.#transactions.filter(other => other !== held)
      this.#commit(held)
      return
    }
    const { tx, cells } = held
    const cell = random.pick(cells)
    const keyspace = this.#inside(tx, cell.space)
    if (random.chance(0.5)) {
      check(cell.space, cell.index, keyspace.get(keyOf(cell.index)), cell.written ?? cell.version)
      return
    }
    const version = random.chance(0.1) ? 0 : this.#world.next()
    if (version === 0) keyspace.del(keyOf(cell.index))
    else keyspace.put(keyOf(cell.index), valueFor(cell.space, cell.index, version))
    cell.written = version
  }

  #begin(): HeldTransaction {
    const cell = (): Cell => {
      const { space, index } = this.#place()
      return { space, index, version: this.#world.versionsOf(space)[index] ?? 0 }
    }
    const tx = this.#world.db.begin()
    // Keys of their own, or one cell would not know what is written to the other.
    const cells = [cell(), cell(), cell()].filter(
      (one, i, all) => all.findIndex(other => other.space === one.space && other.index === one.index) === i
    )
    return { tx, cells: [cells[0] ?? cell(), ...cells.slice(1)], steps: 2 + this.#random.below(8) }
  }

  #commit({ tx, cells }: HeldTransaction): void {
    if (this.#random.chance(0.1)) {
      tx.rollback()
      return
    }
    try {
      tx.commitSync()
    } catch (error) {
      if (isLightningError(error, 'LIGHTNING_CONFLICT')) return
      throw error
    }
    for (const { space, index, version, written } of cells) {
      if (written === undefined) continue
      if (this.#world.versionsOf(space)[index] !== version)
        throw new WrongAnswer(`a transaction overwrote a newer ${keyOf(index)}`)
      this.#world.set(space, index, written)
    }
  }

  #inside(tx: Transaction<string, Uint8Array>, space: number): TransactionKeyspace<string, Uint8Array> {
    return space === 0 ? tx : tx.sublevel(this.#world.db.sublevel(spaceNames[space] ?? ''))
  }

  #place(): { space: number; index: number } {
    return { space: this.#random.below(spaceNames.length), index: this.#random.below(keysPerSpace) }
  }
}
