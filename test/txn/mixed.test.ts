// Transactions of all kinds at once on few keys: with and without locks, in any order, over keys and ranges, some of them
// aborted. What they leave must be what they would have left one after the other, and nothing may be held any more.
import { expect, test } from 'vitest'
import type { Database, Sublevel, Transaction } from '../../src/index.ts'
import { inMemory, openNew } from '../support/database.ts'
import { Random } from '../support/random.ts'

const transactions = 100
/** So many entries a range may hold. */
const mostInside = 5
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

type Root = Transaction<string, unknown>

class Mixed {
  readonly #db: Database<string, unknown>
  readonly #rows: Sublevel<string, unknown, string, unknown>
  readonly #random: Random
  readonly #keys: readonly string[]
  readonly counted = new Map<string, number>()

  constructor(db: Database<string, unknown>, random: Random) {
    this.#db = db
    this.#rows = db.sublevel('rows')
    this.#random = random
    this.#keys = Array.from({ length: 2 + random.below(6) }, (_, i) => `k${i}`)
  }

  /** Runs one transaction to its end; gives the attempts that it took. */
  async run(name: number): Promise<number> {
    const random = this.#random
    const body = random.pick([this.#increments(), this.#increments(), this.#append, this.#bounded(name), this.#leave])
    const signal = random.chance(0.1) ? this.#abortLater(random.below(40)) : undefined
    let [counted, attempt]: [readonly string[], number] = [[], 0]
    try {
      await this.#db.transaction(
        async tx => {
          attempt = tx.attempt
          counted = await body(tx)
        },
        { signal }
      )
    } catch (error) {
      expect(error).toMatchObject({ code: 'LIGHTNING_ABORTED' })
      return attempt
    }
    for (const key of counted) this.counted.set(key, (this.counted.get(key) ?? 0) + 1)
    return attempt
  }

  /** Rejects unless everything is as after some serial order. */
  async check(): Promise<void> {
    for (const key of this.#keys) expect([key, this.#db.get(key) ?? 0]).toEqual([key, this.counted.get(key) ?? 0])
    expect(this.#rows.count({ prefix: 'line' })).toBe(this.counted.get('line') ?? 0)
    expect(this.#rows.count({ prefix: 'inside' })).toBeLessThanOrEqual(mostInside)
    expect(this.#db.getMany(['ann left', 'ben left'])).toContain(undefined)
    const probe = this.#db.begin()
    for (const key of this.#keys) await probe.getForUpdate(key, { lockTimeoutMs: 0 })
    probe.rollback()
    expect(this.#db.stats().snapshots.open).toBe(0)
  }

  /** Two keys are incremented, in any order, locked or not. */
  #increments(): (tx: Root) => Promise<string[]> {
    const random = this.#random
    const first = random.below(this.#keys.length)
    const second = (first + 1 + random.below(this.#keys.length - 1)) % this.#keys.length
    const keys = [first, second].map(i => this.#keys[i] ?? '')
    const locks = random.chance(0.5)
    return async tx => {
      const found: number[] = []
      for (const key of keys) {
        found.push(Number((locks ? await tx.getForUpdate(key) : tx.get(key)) ?? 0))
        await turn()
      }
      for (const [i, key] of keys.entries()) tx.put(key, (found[i] ?? 0) + 1)
      return keys
    }
  }

  /** A number is added behind the last; two that add the same would be one too few. */
  readonly #append = async (tx: Root): Promise<string[]> => {
    const rows = tx.sublevel(this.#rows)
    const [last = 'line000'] = rows.keys({ prefix: 'line', reverse: true, limit: 1 })
    await turn()
    const savepoint = tx.savepoint()
    rows.clear()
    tx.rollbackTo(savepoint)
    rows.put(`line${String(Number(last.slice(4)) + 1).padStart(3, '0')}`, true)
    return ['line']
  }

  /** A range is emptied when it is full. */
  #bounded(name: number): (tx: Root) => Promise<string[]> {
    return async tx => {
      const rows = tx.sublevel(this.#rows)
      const count = rows.count({ prefix: 'inside' })
      await turn()
      if (count === mostInside) rows.clear({ prefix: 'inside' })
      rows.put(`inside${name}`, true)
      return []
    }
  }

  /** Of two on call one may leave while the other is there. */
  readonly #leave = async (tx: Root): Promise<string[]> => {
    const [mine, other] = this.#random.chance(0.5) ? ['ann left', 'ben left'] : ['ben left', 'ann left']
    const isAlone = tx.has(other)
    expect(isAlone && tx.has(mine), 'both have left').toBe(false)
    await turn()
    if (!isAlone) tx.put(mine, true)
    else if (this.#random.chance(0.5)) tx.del(other)
    return []
  }

  #abortLater(turns: number): AbortSignal {
    const controller = new AbortController()
    void (async () => {
      for (let i = 0; i < turns; i++) await turn()
      controller.abort()
    })()
    return controller.signal
  }
}

test('transactions of all kinds at once leave what they would have left one after the other, and hold nothing', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    const mixed = new Mixed(db, new Random(seed))
    const attempts = await Promise.all(Array.from({ length: transactions }, (_, i) => mixed.run(i)))
    await mixed.check()
    expect(Math.max(...attempts)).toBeGreaterThan(3)
  }
})
