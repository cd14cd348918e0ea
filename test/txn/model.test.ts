// Random transactions side by side, in one thread and step by step, against a model that does everything the slow way:
// every read, and whether every commit succeeds, must be as the model says.
import { describe, expect, it } from 'vitest'
import {
  type Database,
  isLightningError,
  type Transaction,
  type TransactionKeyspace,
  type TransactionSavepoint
} from '../../src/index.ts'
import { inMemory, openNew } from '../support/database.ts'
import { Random } from '../support/random.ts'
import { allKeys, ModelDatabase, type ModelRange, ModelTransaction, walk } from './model.ts'

const isolations = ['serializable', 'snapshot', 'read-committed'] as const
const spaces = ['', 'sub'] as const
const [firstKey = '', ...furtherKeys] = allKeys

interface Pair {
  readonly tx: Transaction<string, unknown>
  readonly model: ModelTransaction
  readonly savepoints: { real: TransactionSavepoint; model: ReturnType<ModelTransaction['savepoint']> }[]
}

class Run {
  readonly #db: Database<string, unknown>
  readonly #random: Random
  readonly #model = new ModelDatabase()
  readonly #open: Pair[] = []
  #value = 0
  readonly outcomes = { committed: 0, conflicts: 0, locks: { granted: 0, held: 0, conflict: 0 } }

  constructor(db: Database<string, unknown>, seed: number) {
    this.#db = db
    this.#random = new Random(seed)
  }

  async step(): Promise<void> {
    const random = this.#random
    if (this.#open.length < 4 && random.chance(0.2)) this.#begin()
    else if (this.#open.length === 0 || random.chance(0.1)) this.#writeOutside()
    else {
      const i = random.below(this.#open.length)
      const pair = this.#open[i]
      if (pair === undefined) return
      if (random.chance(0.12)) {
        this.#open.splice(i, 1)
        this.#end(pair)
      } else if (random.chance(0.05)) {
        if (!(await this.#lock(pair))) this.#open.splice(i, 1)
      } else this.#act(pair)
    }
    this.#compareState()
  }

  finish(): void {
    for (const pair of this.#open.splice(0)) this.#end(pair)
    this.#compareState()
  }

  #begin(): void {
    const isolation = this.#random.pick(isolations)
    const tx = this.#db.begin({ isolation, lockTimeoutMs: 0 })
    this.#open.push({ tx, model: new ModelTransaction(this.#model, isolation), savepoints: [] })
  }

  #writeOutside(): void {
    const random = this.#random
    const space = random.pick(spaces)
    const target = space === '' ? this.#db : this.#db.sublevel(space)
    const key = this.#key()
    const kind = random.below(20)
    if (kind === 0) {
      const range = this.#range()
      target.clearSync(range)
      this.#model.clear(space, range)
    } else if (kind === 1) {
      this.#db.dropSublevelSync('sub')
      this.#model.drop('sub')
    } else if (kind < 6) {
      target.delSync(key)
      this.#model.del(space, key)
    } else {
      target.putSync(key, ++this.#value)
      this.#model.put(space, key, this.#value)
    }
  }

  /** False when the transaction has ended by it. */
  async #lock({ tx, model }: Pair): Promise<boolean> {
    const key = this.#key()
    const value = model.seen('').get(key)
    const expected = model.lock('', key)
    const newest = tx.isolation === 'read-committed' ? value : model.seen('').get(key)
    let outcome: unknown = 'granted'
    try {
      expect(await tx.getForUpdate(key)).toBe(newest)
    } catch (error) {
      if (isLightningError(error, 'LIGHTNING_TIMEOUT')) outcome = 'held'
      else if (isLightningError(error, 'LIGHTNING_CONFLICT')) outcome = 'conflict'
      else throw error
    }
    expect(outcome).toBe(expected)
    this.outcomes.locks[expected]++
    if (expected === 'conflict') model.end()
    return expected !== 'conflict'
  }

  #act({ tx, model, savepoints }: Pair): void {
    const random = this.#random
    const space = random.pick(spaces)
    const sublevel = this.#db.sublevel(space === '' ? 'unused' : space)
    const keyspace: TransactionKeyspace<string, unknown> = space === '' ? tx : tx.sublevel(sublevel)
    const key = this.#key()
    switch (random.below(12)) {
      case 0:
      case 1:
        expect(keyspace.get(key)).toBe(model.get(space, key))
        break
      case 2:
        expect(keyspace.has(key)).toBe(model.get(space, key) !== undefined)
        break
      case 3: {
        const range = this.#range()
        expect(keyspace.count(range)).toBe(model.count(space, range))
        break
      }
      case 4:
      case 5:
        this.#iterate(keyspace, model, space)
        break
      case 6:
      case 7:
        keyspace.put(key, ++this.#value)
        model.put(space, key, this.#value)
        break
      case 8:
        keyspace.del(key)
        model.del(space, key)
        break
      case 9: {
        if (random.chance(0.6)) break
        const range = this.#range()
        keyspace.clear(range)
        model.clear(space, range)
        break
      }
      case 10: {
        const chosen = savepoints[random.below(savepoints.length + 1)]
        if (chosen === undefined) savepoints.push({ real: tx.savepoint(), model: model.savepoint() })
        else {
          savepoints.splice(savepoints.indexOf(chosen) + 1)
          tx.rollbackTo(chosen.real)
          model.rollbackTo(chosen.model)
        }
        break
      }
      default:
        keyspace.batch([
          { type: 'put', key, value: ++this.#value },
          { type: 'del', key: firstKey }
        ])
        model.put(space, key, this.#value)
        model.del(space, firstKey)
    }
  }

  #iterate(keyspace: TransactionKeyspace<string, unknown>, model: ModelTransaction, space: string): void {
    const random = this.#random
    const range = this.#range()
    const most = random.chance(0.5) ? Number.POSITIVE_INFINITY : 1 + random.below(4)
    const before = model.seen(space)
    const expected = model.walk(space, range, most)
    const found: unknown[] = []
    for (const entry of keyspace.entries(range)) {
      found.push(entry)
      // Written after the first step, so it does not show.
      if (found.length === 1 && random.chance(0.3)) {
        const key = this.#key()
        keyspace.put(key, ++this.#value)
        model.put(space, key, this.#value)
      }
      if (found.length === most) break
    }
    expect(found).toEqual(expected.map(key => [key, before.get(key)]))
  }

  #end({ tx, model }: Pair): void {
    if (this.#random.chance(0.15)) {
      tx.rollback()
      model.end()
      return
    }
    const expected = model.conflicts ? 'conflict' : 'committed'
    let outcome = 'committed'
    try {
      tx.commitSync()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CONFLICT')) throw error
      outcome = 'conflict'
    }
    expect(outcome).toBe(expected)
    if (outcome === 'committed') {
      model.commit()
      this.outcomes.committed++
    } else {
      model.end()
      this.outcomes.conflicts++
    }
  }

  #compareState(): void {
    for (const space of spaces) {
      const real = space === '' ? this.#db : this.#db.sublevel(space)
      const state = this.#model.state(space)
      expect([...real.entries()]).toEqual(walk(state, {}).keys.map(key => [key, state.get(key)]))
    }
  }

  #key(): string {
    return this.#random.pick([firstKey, ...furtherKeys])
  }

  #range(): ModelRange {
    const random = this.#random
    return {
      ...(random.chance(0.6) ? { gte: this.#key() } : {}),
      ...(random.chance(0.6) ? { lt: this.#key() } : {}),
      ...(random.chance(0.4) ? { reverse: true } : {}),
      ...(random.chance(0.3) ? { limit: random.below(5) } : {})
    }
  }
}

describe('random transactions', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('read and commit as the model says: seed %i', async seed => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    const run = new Run(db, seed)
    for (let i = 0; i < 1_500; i++) await run.step()
    run.finish()
    expect(run.outcomes.committed).toBeGreaterThan(20)
    expect(run.outcomes.conflicts).toBeGreaterThan(20)
    expect(run.outcomes.locks.granted).toBeGreaterThan(5)
  })
})
