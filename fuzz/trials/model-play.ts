// The steps of the trial `model`: each does something with the database and the model, and compares the answers.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BatchOperation,
  isLightningError,
  open,
  type RangeIterator,
  restore,
  type Snapshot
} from '../../src/index.ts'
import { Random } from '../../test/support/random.ts'
import type { ModelDatabase, State } from '../../test/txn/model.ts'
import type { Counts } from '../runner/trial.ts'
import type { ModelOptions, ModelStep, StepKind } from './model-case.ts'
import { type AnyReads, expectEqual, ModelledDatabase, type Space, spaceNames } from './model-database.ts'
import { ModelledTransactions, someKey } from './model-transactions.ts'

const mostOpen = 4

interface HeldSnapshot {
  readonly snapshot: Snapshot<unknown, unknown>
  readonly spaces: ReadonlyMap<string, State>
}

interface HeldIterator {
  readonly iterator: RangeIterator<[unknown, unknown]>
  /** What it has still to give; `undefined`: it has not taken its first step. */
  wanted: [unknown, unknown][] | undefined
  readonly wantedNow: () => [unknown, unknown][]
}

export class Play {
  readonly #at: ModelledDatabase
  readonly #transactions: ModelledTransactions
  readonly #counts = { steps: 0, commits: 0, crashes: 0, reopenings: 0, backups: 0 }
  #snapshots: HeldSnapshot[] = []
  #iterators: HeldIterator[] = []
  #pending: Promise<void>[] = []
  #failure: { readonly error: unknown } | undefined
  #number = 0

  private constructor(at: ModelledDatabase) {
    this.#at = at
    this.#transactions = new ModelledTransactions(at, () => ++this.#number)
  }

  static async begin(options: ModelOptions, seed: number): Promise<Play> {
    return new Play(await ModelledDatabase.open(options, seed))
  }

  get counts(): Counts {
    return { ...this.#counts, ...this.#transactions.counts }
  }

  async take({ kind, seed }: ModelStep): Promise<void> {
    await this.#steps[kind](new Random(seed))
    this.#counts.steps++
    this.#at.note()
    if (this.#counts.steps % 20 === 0) this.#at.compare()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Everything once more, and after a reopening, and by `verify`. */
  async end(): Promise<void> {
    this.#at.compare()
    await this.#reopen()
    await this.#verify()
    await this.#at.db.close()
  }

  readonly #steps: Readonly<Record<StepKind, (random: Random) => void | Promise<void>>> = {
    get: random => this.#get(random),
    getMany: random => this.#getMany(random),
    has: random => this.#has(random),
    read: random => this.#read(random),
    count: random => this.#count(random),
    scan: random => this.#scan(random),
    sublevels: random => this.#sublevels(random),
    put: random => this.#put(random),
    del: random => this.#del(random),
    batch: random => this.#batch(random),
    clear: random => this.#clear(random),
    drop: random => this.#drop(random),
    flush: random => this.#flush(random),
    snapshot: () => this.#snapshot(),
    readSnapshot: random => this.#readSnapshot(random),
    closeSnapshot: random => this.#closeSnapshot(random),
    iterator: random => this.#iterator(random),
    stepIterator: random => this.#stepIterator(random),
    closeIterator: random => this.#closeIterator(random),
    begin: random => this.#transactions.begin(random),
    readInside: random => this.#transactions.read(random),
    writeInside: random => this.#transactions.write(random),
    savepoint: random => this.#transactions.savepoint(random),
    lock: random => this.#transactions.lock(random),
    commit: random => this.#transactions.finish(random),
    transaction: random => this.#transactions.whole(random),
    checkpoint: random => this.#care(random, () => this.#at.db.checkpoint()),
    compact: random => this.#care(random, () => this.#at.db.compact()),
    verify: () => this.#verify(),
    backup: () => this.#backup(),
    reopen: () => this.#reopen(),
    crash: random => this.#crash(random)
  }

  // Reads of now

  #get(random: Random): void {
    const space = this.#at.someSpace(random)
    this.#compareGet(space, space.keyspace, this.#at.model.state(space.name), random)
  }

  #compareGet(space: Space, reads: AnyReads, state: State, random: Random): void {
    const key = someKey(random)
    const value = reads.get(this.#at.keyOf(space, key))
    expectEqual(value, this.#at.valueOf(space, state.get(key)), `${key} of '${space.name}'`)
  }

  #getMany(random: Random): void {
    const at = this.#at
    const space = at.someSpace(random)
    const state = at.model.state(space.name)
    const keys = Array.from({ length: random.below(6) }, () => someKey(random))
    const values = space.keyspace.getMany(keys.map(key => at.keyOf(space, key)))
    expectEqual(
      values,
      keys.map(key => at.valueOf(space, state.get(key))),
      `${keys} of '${space.name}'`
    )
  }

  #has(random: Random): void {
    const space = this.#at.someSpace(random)
    const key = someKey(random)
    const found = space.keyspace.has(this.#at.keyOf(space, key))
    assert.equal(found, this.#at.model.state(space.name).has(key), `whether ${key} is in '${space.name}'`)
  }

  #read(random: Random): void {
    const space = this.#at.someSpace(random)
    const key = someKey(random)
    const found = space.keyspace.read(this.#at.keyOf(space, key), bytes => Uint8Array.from(bytes))
    const value = this.#at.valueOf(space, this.#at.model.state(space.name).get(key))
    assert.equal(found === undefined, value === undefined, `whether ${key} can be read`)
    if (found === undefined || space.valueEncoding === 'msgpack') return
    const text = new TextDecoder().decode(found)
    if (space.valueEncoding === 'json') expectEqual(JSON.parse(text), value, `the bytes of ${key}`)
    else expectEqual(text, value instanceof Uint8Array ? new TextDecoder().decode(value) : value, `the bytes of ${key}`)
  }

  #count(random: Random): void {
    const space = this.#at.someSpace(random)
    const range = this.#at.range(space, random, false)
    const wanted = this.#at.entriesOf(space, this.#at.model.state(space.name), range.model).length
    assert.equal(space.keyspace.count(range.real), wanted, `the count of ${JSON.stringify(range.model)}`)
  }

  #scan(random: Random): void {
    const space = this.#at.someSpace(random)
    this.#compareScan(space, space.keyspace, this.#at.model.state(space.name), random)
  }

  #compareScan(space: Space, reads: AnyReads, state: State, random: Random): void {
    const range = this.#at.range(space, random, false)
    const wanted = this.#at.entriesOf(space, state, range.model)
    const what = `${JSON.stringify(range.model)} of '${space.name}'`
    const way = random.below(3)
    if (way === 0) expectEqual([...reads.entries(range.real)], wanted, `entries ${what}`)
    else if (way === 1)
      expectEqual(
        [...reads.keys(range.real)],
        wanted.map(([key]) => key),
        `keys ${what}`
      )
    else
      expectEqual(
        [...reads.values(range.real)],
        wanted.map(([, value]) => value),
        `values ${what}`
      )
  }

  #sublevels(random: Random): void {
    const name = random.pick(['', 'one', 'two'] as const)
    expectEqual(this.#at.space(name).keyspace.sublevels(), this.#at.names(name), `the sublevels of '${name}'`)
  }

  // Writes

  async #put(random: Random): Promise<void> {
    const space = this.#at.someSpace(random)
    const { keyspace } = space
    const key = someKey(random)
    const number = ++this.#number
    const [realKey, value] = [this.#at.keyOf(space, key), this.#at.valueOf(space, number)]
    await this.#write(
      random,
      () => keyspace.put(realKey, value),
      () => keyspace.putSync(realKey, value),
      model => model.put(space.name, key, number)
    )
  }

  async #del(random: Random): Promise<void> {
    const space = this.#at.someSpace(random)
    const key = someKey(random)
    const realKey = this.#at.keyOf(space, key)
    await this.#write(
      random,
      () => space.keyspace.del(realKey),
      () => space.keyspace.delSync(realKey),
      model => model.del(space.name, key)
    )
  }

  async #batch(random: Random): Promise<void> {
    const at = this.#at
    const operations: BatchOperation<unknown, unknown>[] = []
    const changes: ((model: ModelDatabase) => void)[] = []
    for (let i = random.below(8); i >= 0; i--) {
      const space = at.someSpace(random)
      const key = someKey(random)
      const shared = { key: at.keyOf(space, key), sublevel: space.keyspace }
      const number = ++this.#number
      if (random.chance(0.3)) {
        operations.push({ type: 'del', ...shared })
        changes.push(model => model.del(space.name, key))
      } else {
        operations.push({ type: 'put', ...shared, value: at.valueOf(space, number) })
        changes.push(model => model.put(space.name, key, number))
      }
    }
    const { db } = at
    await this.#write(
      random,
      () => db.batch(operations),
      () => db.batchSync(operations),
      model => {
        for (const change of changes) change(model)
      }
    )
  }

  async #clear(random: Random): Promise<void> {
    const space = this.#at.someSpace(random)
    const { real, model: range } = this.#at.range(space, random, this.#transactions.areOpen)
    await this.#write(
      random,
      () => space.keyspace.clear(real),
      () => space.keyspace.clearSync(real),
      model => model.clear(space.name, range)
    )
  }

  async #drop(random: Random): Promise<void> {
    const parent = random.pick(['', '', 'one'] as const)
    const name = parent === 'one' ? 'in' : random.pick(['one', 'two'])
    const { keyspace } = this.#at.space(parent)
    const path = parent === 'one' ? 'one/in' : name
    await this.#write(
      random,
      () => keyspace.dropSublevel(name),
      () => keyspace.dropSublevelSync(name),
      model => {
        for (const space of spaceNames) if (space === path || space.startsWith(`${path}/`)) model.drop(space)
      }
    )
  }

  /** Awaited, not awaited, or synchronous. The model follows at once, as reads do. */
  async #write(
    random: Random,
    write: () => Promise<void>,
    writeSync: () => void,
    change: (model: ModelDatabase) => void
  ): Promise<void> {
    const at = this.#at
    const isStrict = at.options.durability === 'strict'
    const before = at.db.sequence()
    const isSync = random.chance(0.3)
    if (isSync) writeSync()
    const writing = isSync ? undefined : write()
    change(at.model)
    at.note()
    const sequence = at.db.sequence()
    assert(sequence === before || sequence === before + 1, 'a write is at most one commit')
    this.#counts.commits += sequence - before
    const acknowledge = () => {
      if (isStrict) at.acknowledge(sequence)
    }
    if (writing === undefined) acknowledge()
    else if (random.chance(0.5)) {
      await writing
      acknowledge()
    } else this.#later(writing, false, acknowledge)
  }

  async #flush(random: Random): Promise<void> {
    const { db } = this.#at
    const sequence = db.sequence()
    if (random.chance(0.5)) db.flushSync()
    else await db.flush()
    this.#at.acknowledge(sequence)
  }

  /** It goes on beside the next steps. Writes are still done by a close, care may be given up; a crash ends everything. */
  #later(work: Promise<void>, isCare: boolean, then: () => void): void {
    const settled = work.then(then, (error: unknown) => {
      const { ending } = this.#at
      const isExpected =
        ending === 'crash' || (ending === 'close' && isCare && isLightningError(error, 'LIGHTNING_CLOSED'))
      if (!isExpected) this.#failure ??= { error }
    })
    this.#pending.push(settled)
  }

  // What is held open

  #snapshot(): void {
    if (this.#snapshots.length < mostOpen)
      this.#snapshots.push({ snapshot: this.#at.db.snapshot(), spaces: this.#at.model.copy() })
  }

  #readSnapshot(random: Random): void {
    const held = this.#snapshots[random.below(this.#snapshots.length)]
    if (held === undefined) return
    const space = this.#at.someSpace(random)
    const state = held.spaces.get(space.name) ?? new Map<string, number>()
    const reads: AnyReads = space.sublevel === undefined ? held.snapshot : held.snapshot.sublevel(space.sublevel)
    if (random.chance(0.4)) this.#compareGet(space, reads, state, random)
    else this.#compareScan(space, reads, state, random)
    const range = this.#at.range(space, random, false)
    const wanted = this.#at.entriesOf(space, state, range.model).length
    assert.equal(space.keyspace.count({ ...range.real, snapshot: held.snapshot }), wanted, 'a count at a snapshot')
    const names = this.#at.db.sublevels({ snapshot: held.snapshot })
    expectEqual(names, this.#at.names('', held.spaces), 'the sublevels at a snapshot')
  }

  #closeSnapshot(random: Random): void {
    const held = this.#snapshots[random.below(this.#snapshots.length)]
    held?.snapshot.close()
    this.#snapshots = this.#snapshots.filter(other => other !== held)
  }

  #iterator(random: Random): void {
    if (this.#iterators.length >= mostOpen) return
    const at = this.#at
    const space = at.someSpace(random)
    const range = at.range(space, random, false)
    const wantedNow = () => at.entriesOf(space, at.model.state(space.name), range.model)
    this.#iterators.push({ iterator: space.keyspace.entries(range.real), wanted: undefined, wantedNow })
  }

  #stepIterator(random: Random): void {
    const held = this.#iterators[random.below(this.#iterators.length)]
    if (held === undefined) return
    held.wanted ??= held.wantedNow()
    for (let steps = 1 + random.below(3); steps > 0; steps--) {
      const wanted = held.wanted.shift()
      expectEqual(held.iterator.next().value, wanted, 'a step of an iterator')
      if (wanted !== undefined) continue
      this.#iterators = this.#iterators.filter(other => other !== held)
      return
    }
  }

  /** Closes it, or leaves it to the garbage collector. */
  #closeIterator(random: Random): void {
    const held = this.#iterators[random.below(this.#iterators.length)]
    if (random.chance(0.7)) held?.iterator.return()
    this.#iterators = this.#iterators.filter(other => other !== held)
  }

  // Care

  async #care(random: Random, begin: () => Promise<void>): Promise<void> {
    const work = begin()
    if (random.chance(0.5)) await work
    else this.#later(work, true, () => undefined)
  }

  async #verify(): Promise<void> {
    const { problems, entries } = await this.#at.db.verify()
    assert.deepEqual(problems, [])
    const count = [...this.#at.model.spaces.values()].reduce((sum, state) => sum + state.size, 0)
    assert(entries >= count, `verify has seen ${entries} entries, at least ${count} are there`)
  }

  async #backup(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'lightning-model-'))
    try {
      await this.#at.db.backup(join(directory, 'backup'))
      await restore(join(directory, 'backup'), join(directory, 'restored'))
      const { keyEncoding, valueEncoding } = this.#at.options
      for (const name of ['backup', 'restored']) {
        const copy = await open<unknown, unknown>(join(directory, name), { keyEncoding, valueEncoding, readOnly: true })
        try {
          this.#at.compareCopy(copy)
          assert.equal(copy.sequence(), this.#at.db.sequence(), 'the newest commit of a copy')
          assert.deepEqual((await copy.verify()).problems, [])
        } finally {
          await copy.close()
        }
      }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
    this.#counts.backups++
  }

  async #reopen(): Promise<void> {
    await this.#lettingGo(() => this.#at.reopen())
    this.#counts.reopenings++
  }

  async #crash(random: Random): Promise<void> {
    await this.#lettingGo(() => this.#at.crash(random))
    this.#counts.crashes++
  }

  /** What was held of a database that is closed says so, unless it had nothing left to give. */
  async #lettingGo(act: () => Promise<void>): Promise<void> {
    const unfinished = this.#iterators.splice(0).filter(({ wanted, wantedNow }) => (wanted ?? wantedNow()).length > 0)
    await act()
    await Promise.all(this.#pending.splice(0))
    this.#at.ending = undefined
    this.#transactions.forget()
    for (const { snapshot } of this.#snapshots.splice(0)) expectClosed(() => snapshot.count())
    for (const { iterator } of unfinished) expectClosed(() => iterator.next())
  }
}

function expectClosed(use: () => unknown): void {
  assert.throws(use, (error: unknown) => isLightningError(error, 'LIGHTNING_CLOSED'))
}
