// Transactions of the trial `model`, a few side by side: every read, and whether each commit succeeds, as the model says.
import assert from 'node:assert/strict'
import {
  type Isolation,
  isLightningError,
  type Transaction,
  type TransactionKeyspace,
  type TransactionSavepoint
} from '../../src/index.ts'
import type { Random } from '../../test/support/random.ts'
import { allKeys, ModelTransaction } from '../../test/txn/model.ts'
import { expectEqual, type ModelledDatabase, type Space } from './model-database.ts'

const mostOpen = 4
const isolations: readonly [Isolation, ...Isolation[]] = ['serializable', 'snapshot', 'read-committed']

interface Pair {
  readonly tx: Transaction<unknown, unknown>
  readonly model: ModelTransaction
  /** The newest commit that it could see when it began. */
  readonly sees: number
  readonly savepoints: {
    readonly real: TransactionSavepoint
    readonly model: ReturnType<ModelTransaction['savepoint']>
  }[]
}

export class ModelledTransactions {
  readonly counts = { committed: 0, conflicts: 0, locks: 0 }
  readonly #at: ModelledDatabase
  readonly #nextNumber: () => number
  #open: Pair[] = []

  constructor(at: ModelledDatabase, nextNumber: () => number) {
    this.#at = at
    this.#nextNumber = nextNumber
  }

  get areOpen(): boolean {
    return this.#open.length > 0
  }

  begin(random: Random): void {
    if (this.#open.length < mostOpen) this.#open.push(this.#pair(random.pick(isolations)))
  }

  /** They ended with the database. */
  forget(): void {
    for (const { tx } of this.#open.splice(0)) assert(!tx.isOpen, 'a transaction ends with its database')
  }

  read(random: Random): void {
    const pair = this.#some(random)
    if (pair !== undefined) this.#read(pair, random)
  }

  write(random: Random): void {
    const pair = this.#some(random)
    if (pair !== undefined) this.#write(pair, random)
  }

  /** Sets a savepoint, or goes back to one. */
  savepoint(random: Random): void {
    const pair = this.#some(random)
    if (pair === undefined) return
    const { tx, model, savepoints } = pair
    const chosen = savepoints[random.below(savepoints.length + 1)]
    if (chosen === undefined) {
      savepoints.push({ real: tx.savepoint(), model: model.savepoint() })
      return
    }
    savepoints.splice(savepoints.indexOf(chosen) + 1)
    tx.rollbackTo(chosen.real)
    model.rollbackTo(chosen.model)
  }

  async lock(random: Random): Promise<void> {
    const pair = this.#some(random)
    if (pair === undefined) return
    const { tx, model } = pair
    const space = this.#at.someSpace(random)
    const key = someKey(random)
    const newest = model.seen(space.name).get(key)
    const wanted = model.lock(space.name, key)
    const value = tx.isolation === 'read-committed' ? newest : model.seen(space.name).get(key)
    let found: typeof wanted = 'granted'
    try {
      const keyspace = inside(tx, space)
      expectEqual(
        await keyspace.getForUpdate(this.#at.keyOf(space, key)),
        this.#at.valueOf(space, value),
        'a locked value'
      )
    } catch (error) {
      if (isLightningError(error, 'LIGHTNING_TIMEOUT')) found = 'held'
      else if (isLightningError(error, 'LIGHTNING_CONFLICT')) found = 'conflict'
      else throw error
    }
    assert.equal(found, wanted, 'whether the lock is granted')
    this.counts.locks++
    if (found === 'conflict') this.#end(pair)
  }

  /** Commits or rolls back the one or the other. */
  async finish(random: Random): Promise<void> {
    const pair = this.#some(random)
    if (pair === undefined) return
    if (random.chance(0.15)) pair.tx.rollback()
    else {
      const isSync = random.chance(0.5)
      await this.#expectOutcome(pair, () => (isSync ? pair.tx.commitSync() : pair.tx.commit()))
    }
    this.#end(pair)
  }

  /** Begins, works and commits in one call of the database. */
  async whole(random: Random): Promise<void> {
    const { db } = this.#at
    const isolation = random.pick(isolations)
    const model = new ModelTransaction(this.#at.model, isolation)
    const body = (tx: Transaction<unknown, unknown>): void => {
      const pair: Pair = { tx, model, sees: db.sequence(), savepoints: [] }
      for (let i = random.below(5); i >= 0; i--) {
        if (random.chance(0.4)) this.#read(pair, random)
        else this.#write(pair, random)
      }
    }
    const isSync = random.chance(0.5)
    await this.#expectOutcome({ model, sees: db.sequence() }, () =>
      isSync
        ? db.transactionSync(body, { isolation })
        : db.transaction(body, { isolation, retries: 0, lockTimeoutMs: 0 })
    )
    model.end()
  }

  async #expectOutcome(
    { model, sees }: Pick<Pair, 'model' | 'sees'>,
    commit: () => void | Promise<void>
  ): Promise<void> {
    let hasCommitted = true
    const { db, options } = this.#at
    const before = db.sequence()
    // Its own commit, if it makes one, has been made when the call returns; others wait for nothing here.
    let own = before
    try {
      const committing = commit()
      own = db.sequence()
      await committing
    } catch (error) {
      // The timeout is that of the locks of others, which nobody waits for here.
      if (!isLightningError(error, 'LIGHTNING_CONFLICT') && !isLightningError(error, 'LIGHTNING_TIMEOUT')) throw error
      hasCommitted = false
    }
    assert.equal(hasCommitted, !model.conflicts, 'whether the transaction commits')
    if (hasCommitted) model.commit()
    this.counts[hasCommitted ? 'committed' : 'conflicts']++
    this.#at.note()
    if (hasCommitted && options.durability === 'strict') this.#at.acknowledge(own > before ? own : sees)
  }

  #end(pair: Pair): void {
    pair.model.end()
    assert(!pair.tx.isOpen, 'a transaction that has ended is not open')
    this.#open = this.#open.filter(other => other !== pair)
  }

  #pair(isolation: Isolation): Pair {
    const tx = this.#at.db.begin({ isolation, lockTimeoutMs: 0 })
    return { tx, model: new ModelTransaction(this.#at.model, isolation), sees: this.#at.db.sequence(), savepoints: [] }
  }

  #some(random: Random): Pair | undefined {
    return this.#open[random.below(this.#open.length)]
  }

  #read({ tx, model }: Pair, random: Random): void {
    const at = this.#at
    const space = at.someSpace(random)
    const keyspace = inside(tx, space)
    const key = someKey(random)
    const way = random.below(6)
    if (way < 2) {
      expectEqual(keyspace.get(at.keyOf(space, key)), at.valueOf(space, model.get(space.name, key)), 'a value inside')
      return
    }
    if (way === 2) {
      assert.equal(
        keyspace.has(at.keyOf(space, key)),
        model.get(space.name, key) !== undefined,
        'whether a key is there'
      )
      return
    }
    const range = at.range(space, random, true)
    if (way === 3) {
      assert.equal(keyspace.count(range.real), model.count(space.name, range.model), 'a count inside')
      return
    }
    const most = random.chance(0.5) ? Number.POSITIVE_INFINITY : 1 + random.below(4)
    const before = model.seen(space.name)
    const wanted = model.walk(space.name, range.model, most)
    const found: unknown[] = []
    for (const entry of keyspace.entries(range.real)) {
      found.push(entry)
      // Written after the first step, so it does not show.
      if (found.length === 1 && random.chance(0.3)) this.#put(model, keyspace, space, someKey(random))
      if (found.length === most) break
    }
    const pairs = wanted.map(one => [at.keyOf(space, one), at.valueOf(space, before.get(one))])
    expectEqual(found, pairs, `a scan inside ${JSON.stringify(range.model)}`)
  }

  #write({ tx, model }: Pair, random: Random): void {
    const at = this.#at
    const space = at.someSpace(random)
    const keyspace = inside(tx, space)
    const key = someKey(random)
    const way = random.below(10)
    if (way < 6) this.#put(model, keyspace, space, key)
    else if (way < 8) {
      keyspace.del(at.keyOf(space, key))
      model.del(space.name, key)
    } else if (way < 9) {
      const range = at.range(space, random, true)
      keyspace.clear(range.real)
      model.clear(space.name, range.model)
    } else {
      const number = this.#nextNumber()
      const [other = ''] = allKeys
      keyspace.batch([
        { type: 'put', key: at.keyOf(space, key), value: at.valueOf(space, number) },
        { type: 'del', key: at.keyOf(space, other) }
      ])
      model.put(space.name, key, number)
      model.del(space.name, other)
    }
  }

  #put(model: ModelTransaction, keyspace: TransactionKeyspace<unknown, unknown>, space: Space, key: string): void {
    const number = this.#nextNumber()
    keyspace.put(this.#at.keyOf(space, key), this.#at.valueOf(space, number))
    model.put(space.name, key, number)
  }
}

export function someKey(random: Random): string {
  return allKeys[random.below(allKeys.length)] ?? ''
}

function inside(tx: Transaction<unknown, unknown>, space: Space): TransactionKeyspace<unknown, unknown> {
  return space.sublevel === undefined ? tx : tx.sublevel(space.sublevel)
}
