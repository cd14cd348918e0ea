// Mixed traffic at a constant rate. Every answer is compared with the model at once; what is held open for a while
// (snapshots, iterators, transactions) with the model of the moment when it was begun.
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchOperation, Isolation } from '../../src/index.ts'
import { Random } from '../../test/support/random.ts'
import { Held } from './held.ts'
import type { PlantedFault } from './options.ts'
import { indexOf, keyOf, keysPerSpace, spaceNames, valueFor } from './population.ts'
import type { Stopwatch } from './sample.ts'
import { accounts, check, WrongAnswer, type World } from './world.ts'

const tickMs = 5
/** Writes and transactions that are not answered yet: more would only queue. */
const mostPending = 64
/** What could not be kept up with for so long is left out. */
const longestArrearsMs = 500

export class Traffic {
  /** Done since the begin. */
  operations = 0
  readonly #world: World
  readonly #watch: Stopwatch
  readonly #random: Random
  readonly #held: Held
  readonly #rate: number
  readonly #plant: PlantedFault | undefined
  readonly #pending = new Set<Promise<void>>()
  readonly #leaked: unknown[] = []
  #failure: { readonly error: unknown } | undefined
  #isPaused = false
  #isStopped = false
  #temporaries = 0

  constructor(
    world: World,
    watch: Stopwatch,
    options: { rate: number; seed: number; plant: PlantedFault | undefined }
  ) {
    this.#world = world
    this.#watch = watch
    this.#random = new Random(options.seed)
    this.#held = new Held(world, this.#random)
    this.#rate = options.rate
    this.#plant = options.plant
  }

  /** Works until it is stopped. Rejects with the first error, a `WrongAnswer` as a rule. */
  async run(): Promise<void> {
    let lastMs = performance.now()
    let due = 0
    while (!this.#isStopped) {
      await sleep(tickMs)
      const nowMs = performance.now()
      if (!this.#isPaused) due += (Math.min(nowMs - lastMs, longestArrearsMs) * this.#rate) / 1_000
      lastMs = nowMs
      for (; due >= 1 && !this.#isPaused && this.#pending.size < mostPending; due--) {
        this.#one()
        this.operations++
      }
      due = Math.min(due, (longestArrearsMs * this.#rate) / 1_000)
      this.#check()
    }
    await this.#settled()
    this.#check()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Does something while there is no traffic, and nothing is held open. */
  async pausedFor(act: () => Promise<void>): Promise<void> {
    this.#isPaused = true
    try {
      await this.#settled()
      this.#held.end()
      await act()
      this.#held.expectClosed()
    } finally {
      this.#isPaused = false
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  #one(): void {
    const way = this.#random.below(1_000)
    if (way < 350) this.#get()
    else if (way < 420) this.#otherReads()
    else if (way < 500) this.#scan()
    else if (way < 700) this.#put()
    else if (way < 760) this.#del()
    else if (way < 810) this.#batch()
    else if (way < 815) this.#clear()
    else if (way < 820) this.#putLarge()
    else if (way < 823) this.#temporarySublevel()
    else if (way < 826) this.#putSync()
    else if (way < 866) this.#wait('commit', this.#transfer())
    else if (way < 867) this.#wait('put', this.#world.db.flush())
    else this.#held.step()
    if (way < 10) this.#leak()
  }

  #get(): void {
    const { space, index } = this.#place()
    const start = performance.now()
    const value = this.#world.space(space).get(keyOf(index))
    this.#watch.stop('get', start)
    check(space, index, value, this.#version(space, index))
  }

  #otherReads(): void {
    const { space, index } = this.#place()
    const reads = this.#world.space(space)
    const way = this.#random.below(3)
    if (way === 0) {
      if (reads.has(keyOf(index)) !== this.#version(space, index) > 0) throw new WrongAnswer(`has(${keyOf(index)})`)
    } else if (way === 1) {
      const isThere = reads.read(keyOf(index), bytes => {
        check(space, index, bytes, this.#version(space, index))
        return true
      })
      if (isThere === undefined) check(space, index, undefined, this.#version(space, index))
    } else {
      const indexes = Array.from({ length: 8 }, () => this.#random.below(keysPerSpace))
      for (const [i, value] of reads.getMany(indexes.map(keyOf)).entries())
        check(space, indexes[i] ?? 0, value, this.#version(space, indexes[i] ?? 0))
    }
  }

  #scan(): void {
    const { space, index } = this.#place()
    const to = Math.min(keysPerSpace, index + 1 + this.#random.below(60))
    const reverse = this.#random.chance(0.3)
    const limit = this.#random.chance(0.5) ? 1 + this.#random.below(20) : to - index
    const range = { gte: keyOf(index), lt: keyOf(to), reverse, limit }
    const wanted: number[] = []
    for (let i = index; i < to; i++) if (this.#version(space, i) > 0) wanted.push(i)
    if (reverse) wanted.reverse()
    const reads = this.#world.space(space)
    if (reads.count(range) !== Math.min(limit, wanted.length)) throw new WrongAnswer(`count from ${keyOf(index)}`)
    let at = 0
    for (const [key, value] of reads.entries(range)) {
      const next = wanted[at++]
      if (indexOf(key) !== next) throw new WrongAnswer(`a scan gave ${key}, not ${keyOf(next ?? -1)}`)
      check(space, next, value, this.#version(space, next))
    }
    if (at !== Math.min(limit, wanted.length)) throw new WrongAnswer(`a scan from ${keyOf(index)} ended early`)
  }

  #put(): void {
    const { space, index } = this.#place()
    const version = this.#world.next()
    this.#wait('put', this.#world.space(space).put(keyOf(index), valueFor(space, index, version)))
    this.#set(space, index, this.#plant === 'lie' && this.#random.chance(0.05) ? version - 1 : version)
  }

  #putSync(): void {
    const { space, index } = this.#place()
    const version = this.#world.next()
    this.#world.space(space).putSync(keyOf(index), valueFor(space, index, version))
    this.#set(space, index, version)
  }

  #putLarge(): void {
    const space = this.#random.below(spaceNames.length)
    const index = this.#random.below(8)
    const version = this.#world.next()
    this.#wait('put', this.#world.space(space).put(keyOf(index), valueFor(space, index, version)))
    this.#set(space, index, version)
  }

  #del(): void {
    const { space, index } = this.#place()
    this.#wait('put', this.#world.space(space).del(keyOf(index)))
    this.#set(space, index, 0)
  }

  #batch(): void {
    const { db } = this.#world
    const operations: BatchOperation<string, Uint8Array>[] = []
    const written: [space: number, index: number, version: number][] = []
    for (let i = 2 + this.#random.below(8); i > 0; i--) {
      const { space, index } = this.#place()
      const sublevel = this.#world.space(space)
      const version = this.#random.chance(0.2) ? 0 : this.#world.next()
      const key = keyOf(index)
      operations.push(
        version === 0
          ? { type: 'del', key, sublevel }
          : { type: 'put', key, value: valueFor(space, index, version), sublevel }
      )
      written.push([space, index, version])
    }
    this.#wait('put', db.batch(operations))
    for (const [space, index, version] of written) this.#set(space, index, version)
  }

  #clear(): void {
    const { space, index } = this.#place()
    const to = Math.min(keysPerSpace, index + this.#random.below(12))
    this.#wait('put', this.#world.space(space).clear({ gte: keyOf(index), lt: keyOf(to) }))
    for (let i = index; i < to; i++) this.#set(space, i, 0)
  }

  /** A sublevel that is made, read and dropped again. */
  #temporarySublevel(): void {
    const { db } = this.#world
    const name = `temporary ${this.#temporaries++ % 5}`
    const sublevel = db.sublevel(name)
    const entries = Array.from({ length: 10 }, (_, i) => ({ key: keyOf(i), value: valueFor(0, i, i + 1) }))
    this.#wait('put', sublevel.batch(entries.map(entry => ({ type: 'put', ...entry }))))
    if (sublevel.count() !== entries.length)
      throw new WrongAnswer(`the sublevel '${name}' has ${sublevel.count()} keys`)
    this.#wait('put', db.dropSublevel(name))
    if (sublevel.count() !== 0) throw new WrongAnswer(`the sublevel '${name}' is still there`)
  }

  /** Money moves between two accounts, among others that do the same. */
  async #transfer(): Promise<void> {
    const { bank, db } = this.#world
    const random = this.#random
    const [from, to] = [keyOf(random.below(accounts)), keyOf(random.below(accounts))]
    const isolation: Isolation = random.chance(0.5) ? 'serializable' : 'snapshot'
    const locks = random.chance(0.3)
    const amount = random.below(20)
    await db.transaction(
      async tx => {
        const account = tx.sublevel(bank)
        const balance = (locks ? await account.getForUpdate(from) : account.get(from)) ?? 0
        account.put(from, balance - amount)
        await Promise.resolve()
        account.put(to, (account.get(to) ?? 0) + amount)
      },
      { isolation, retries: Number.POSITIVE_INFINITY }
    )
  }

  /** Counts an operation as pending until it is answered. */
  #wait(kind: 'put' | 'commit', answer: Promise<void>): void {
    const start = performance.now()
    const pending = answer.then(
      () => this.#watch.stop(kind, start),
      (error: unknown) => {
        this.#failure ??= { error }
      }
    )
    this.#pending.add(pending)
    void pending.then(() => this.#pending.delete(pending))
  }

  #leak(): void {
    if (this.#plant !== 'leak') return
    this.#leaked.push(Buffer.alloc(2 << 20, 1), openSync(process.execPath, 'r'))
    this.#keepMore()
  }

  /** Keys that nobody deletes. */
  #keepMore(): void {
    const value = new Uint8Array(60_000)
    for (let i = 0; i < value.length; i++) value[i] = this.#random.next()
    this.#wait('put', this.#world.db.sublevel('more').put(keyOf(this.#temporaries++), value))
  }

  #place(): { space: number; index: number } {
    return { space: this.#random.below(spaceNames.length), index: this.#random.below(keysPerSpace) }
  }

  #version(space: number, index: number): number {
    return this.#world.versionsOf(space)[index] ?? 0
  }

  #set(space: number, index: number, version: number): void {
    this.#world.set(space, index, version)
  }
}
