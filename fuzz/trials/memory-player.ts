// Random operations on one database, with a sorted map as the model, snapshots held open, and memory that may run out at
// any of them: what is refused for want of memory has changed nothing, and what is read is right.
import { deepStrictEqual, ok } from 'node:assert/strict'
import { LocalDatabase } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { Engine } from '../../src/engine/engine.ts'
import { type Database, isLightningError, type Snapshot } from '../../src/index.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { someText } from '../../test/engine/content.ts'
import type { Random } from '../../test/support/random.ts'

/** Sizes in bytes. */
export interface Load {
  readonly pageSize: number
  /** May be less than `open` allows. */
  readonly cacheBytes: number
  /** Different keys. */
  readonly keys: number
  /** Values are at most so large, now and then 100 times as large. */
  readonly valueBytes: number
  readonly steps: number
  /** Snapshots held open at a time. */
  readonly snapshots: number
}

type Content = Map<string, string>

interface Held {
  readonly snapshot: Snapshot<string, string>
  readonly content: Content
}

export class Player {
  readonly model: Content = new Map()
  readonly counts = { operations: 0, refused: 0, answers: 0 }
  readonly #load: Load
  readonly #random: Random
  readonly #held: Held[] = []
  #db: Database<string, string> | undefined

  constructor(load: Load, random: Random) {
    this.#load = load
    this.#random = random
  }

  /** Throws `LIGHTNING_OUT_OF_MEMORY` when there is none. */
  async open(vfs: Vfs, wasm: WebAssembly.Module | 'off' | undefined): Promise<void> {
    const { pageSize, cacheBytes } = this.#load
    const parsed = parseOpenOptions({ pageSize, valueEncoding: 'utf8', walBytes: 1 << 20, ...(wasm && { wasm }) })
    const options = { ...parsed, cacheBytes }
    this.#db = new LocalDatabase<string, string>(await Engine.open(vfs, options), options)
  }

  /** Bytes of the kernel's memory. */
  get memoryBytes(): number {
    return this.#opened().stats().cache.memoryBytes
  }

  async play(): Promise<void> {
    const { keys, steps } = this.#load
    for (let from = 0; from < keys; from += 200)
      await this.#attempt(() => this.#putMany(from, Math.min(keys, from + 200)))
    for (let step = 0; step < steps; step++) {
      await this.#takeStep()
      if (step % 8 === 0) this.#lookAround()
    }
  }

  /** Everything there is, everything that snapshots see, and the database itself. */
  async checkAll(): Promise<void> {
    const db = this.#opened()
    deepStrictEqual(new Map(db.entries()), sorted(this.model))
    this.counts.answers += this.model.size
    for (const { snapshot, content } of this.#held.splice(0)) {
      deepStrictEqual(new Map(snapshot.entries()), sorted(content))
      this.counts.answers += content.size
      snapshot.close()
    }
    deepStrictEqual((await db.verify()).problems, [])
    const { bytes } = db.stats().cache
    ok(bytes <= Math.max(this.#load.cacheBytes, 64 * this.#load.pageSize), `the frames take ${bytes} bytes`)
  }

  /** A write, which must work. */
  async write(): Promise<void> {
    await this.#opened().put('last', 'word')
    this.model.set('last', 'word')
  }

  /** Closing may be refused the memory for its checkpoint; it releases everything all the same. */
  async close(): Promise<void> {
    for (const { snapshot } of this.#held.splice(0)) snapshot.close()
    await this.#refusable(() => this.#opened().close())
    this.#db = undefined
  }

  #opened(): Database<string, string> {
    ok(this.#db !== undefined, 'it is open')
    return this.#db
  }

  async #takeStep(): Promise<void> {
    const random = this.#random
    const db = this.#opened()
    const kind = random.below(20)
    if (kind < 8) await this.#attempt(() => this.#put(1))
    else if (kind < 9) await this.#attempt(() => this.#put(100))
    else if (kind < 12) await this.#attempt(() => this.#putMany(random.below(this.#load.keys), undefined))
    else if (kind < 14) await this.#attempt(() => this.#delete())
    else if (kind < 15) await this.#attempt(() => this.#clear())
    else if (kind < 17) await this.#attempt(() => this.#transact())
    else if (kind < 19) await this.#refusable(async () => this.#hold())
    else await this.#refusable(() => db.checkpoint())
  }

  /** Runs a write that returns how it changes the model. */
  async #attempt(write: () => Promise<(model: Content) => void>): Promise<void> {
    const { refused } = this.counts
    await this.#refusable(async () => {
      const apply = await write()
      apply(this.model)
    })
    // Whatever was refused has changed nothing.
    if (this.counts.refused > refused) this.#lookAround()
  }

  async #refusable(work: () => Promise<void>): Promise<void> {
    this.counts.operations++
    try {
      await work()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_OUT_OF_MEMORY')) throw error
      this.counts.refused++
    }
  }

  async #put(times: number): Promise<(model: Content) => void> {
    const key = this.#key()
    const value = this.#value(times)
    await this.#opened().put(key, value)
    return model => model.set(key, value)
  }

  async #putMany(from: number, to = from + 1 + this.#random.below(60)): Promise<(model: Content) => void> {
    const entries = Array.from({ length: to - from }, (_, i) => [keyOf(from + i), this.#value(1)] as const)
    await this.#opened().batch(entries.map(([key, value]) => ({ type: 'put', key, value })))
    return model => {
      for (const [key, value] of entries) model.set(key, value)
    }
  }

  async #delete(): Promise<(model: Content) => void> {
    const key = this.#key()
    await this.#opened().del(key)
    return model => model.delete(key)
  }

  async #clear(): Promise<(model: Content) => void> {
    const from = this.#random.below(this.#load.keys)
    const [gte, lt] = [keyOf(from), keyOf(from + 1 + this.#random.below(20))]
    await this.#opened().clear({ gte, lt })
    return model => {
      for (const key of [...model.keys()]) if (key >= gte && key < lt) model.delete(key)
    }
  }

  async #transact(): Promise<(model: Content) => void> {
    const keys = [this.#key(), this.#key(), this.#key()]
    const text = this.#value(1)
    const changes = await this.#opened().transaction(async tx => {
      const made = new Map<string, string>()
      for (const key of keys) made.set(key, `${(tx.get(key) ?? '').length} ${text}`)
      for (const [key, value] of made) tx.put(key, value)
      return made
    })
    return model => {
      for (const [key, value] of changes) {
        deepStrictEqual(Number.parseInt(value, 10), (model.get(key) ?? '').length)
        model.set(key, value)
      }
    }
  }

  #hold(): void {
    if (this.#held.length >= this.#load.snapshots) this.#held.shift()?.snapshot.close()
    if (this.#load.snapshots === 0) return
    this.#held.push({ snapshot: this.#opened().snapshot(), content: new Map(this.model) })
  }

  /** Some answers, now and as an open snapshot sees it. A snapshot that saw what was taken back says so. */
  #lookAround(): void {
    const db = this.#opened()
    for (let i = 0; i < 12; i++) {
      const key = this.#key()
      deepStrictEqual(db.get(key), this.model.get(key))
      const held = this.#held[i]
      if (held === undefined) continue
      try {
        deepStrictEqual(held.snapshot.get(key), held.content.get(key))
      } catch (error) {
        if (!isLightningError(error, 'LIGHTNING_CLOSED')) throw error
        this.#held.splice(i, 1)
      }
    }
    this.counts.answers += 12
  }

  #key(): string {
    return keyOf(this.#random.below(this.#load.keys))
  }

  #value(times: number): string {
    return someText(this.#random, 1 + this.#random.below(this.#load.valueBytes) * times)
  }
}

function keyOf(number: number): string {
  return `key ${number.toString().padStart(7, '0')}`
}

function sorted(content: Content): Content {
  return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)))
}
