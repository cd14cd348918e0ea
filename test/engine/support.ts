// A database under test together with a model that says what each of its commits must have left. Free of the test runner:
// the trials of `fuzz/` use it too.
import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import type { Engine, EngineOptions, Tree } from '../../src/engine/engine.ts'
import { assert } from '../../src/errors.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import type { Random } from '../support/random.ts'
import { type Content, everything, openEngine, path, someText, utf8 } from './content.ts'

export async function expectSound(engine: Engine): Promise<void> {
  deepStrictEqual((await engine.verify()).problems, [])
}

/** Compares without printing values of a hundred thousand characters. */
export function expectContent(found: Content, wanted: Content): void {
  deepStrictEqual(brief(found), brief(wanted))
}

function brief(content: Content): Map<string, string> {
  const short = [...content].map(([key, value]): [string, string] => [
    key,
    value.length < 100 ? value : `${value.slice(0, 20)}… ${value.length} #${hash(value)}`
  ])
  return new Map(short.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function hash(text: string): number {
  let h = 7
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

export const kinds = [
  'put',
  'del',
  'batch',
  'long batch',
  'clear',
  'large value',
  'sublevel',
  'drop',
  'checkpoint',
  'compact',
  'busy',
  'backup',
  'reopen'
] as const
export type Kind = (typeof kinds)[number]

/** A database under test together with what it must hold after each of its commits. */
export class Subject {
  engine: Engine
  readonly states = new Map<number, Content>()
  readonly #vfs: () => Vfs
  readonly #options: Partial<EngineOptions>
  readonly #random: Random
  /** Told the sequence number of what has become durable. */
  readonly #acknowledge: (lsn: number) => void
  #model = new Map<string, string>()
  /** What the last step that failed would have left, commit after commit. */
  failed: readonly Content[] = []

  private constructor(
    engine: Engine,
    vfs: () => Vfs,
    options: Partial<EngineOptions>,
    random: Random,
    acknowledge: (lsn: number) => void
  ) {
    this.engine = engine
    this.#vfs = vfs
    this.#options = options
    this.#random = random
    this.#acknowledge = acknowledge
    this.#keep()
  }

  static async open(
    vfs: () => Vfs,
    options: Partial<EngineOptions>,
    random: Random,
    acknowledge: (lsn: number) => void
  ): Promise<Subject> {
    return new Subject(await openEngine(vfs(), options), vfs, options, random, acknowledge)
  }

  /** What the newest commit must have left. */
  get content(): Content {
    return this.#model
  }

  /** Something was put behind the subject's back. */
  set(key: string, value: string): void {
    this.#model.set(key, value)
  }

  /** Takes a step that may fail; then the model is as before. Returns the error. */
  async attempt(kind: Kind): Promise<unknown> {
    const before = new Map(this.#model)
    try {
      await this.take(kind)
      return undefined
    } catch (error) {
      this.failed = [this.#model]
      this.#model = before
      return error
    }
  }

  /** Puts several entries at once; the model has those that were acknowledged. Returns the errors. */
  async attemptBurst(): Promise<unknown[]> {
    const before = new Map(this.#model)
    const writes = Array.from({ length: 6 }, () => {
      const key = this.#key()
      const value = someText(this.#random, 1 + this.#random.below(900))
      return { key, value }
    })
    // A write that is refused at once has left nothing; one that is taken back later may be found, with those before it.
    const reached = new Map(before)
    const failed: Content[] = []
    const results = await Promise.allSettled(
      writes.map(async ({ key, value }) => {
        this.engine.put(this.engine.tree(path('')), key, utf8, value, utf8)
        failed.push(new Map(reached.set(`/${key}`, value)))
        await this.engine.settled()
      })
    )
    this.failed = failed
    for (const [i, { key, value }] of writes.entries())
      if (results[i]?.status === 'fulfilled') before.set(`/${key}`, value)
    this.#model = before
    return results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  }

  async take(kind: Kind): Promise<void> {
    const { engine } = this
    const random = this.#random
    if (kind === 'put') return this.#write(() => this.#put('', this.#key(), someText(random, 10 + random.below(900))))
    if (kind === 'sublevel')
      return this.#write(() => this.#put(random.pick(['one', 'two']), this.#key(), someText(random, 20)))
    if (kind === 'large value')
      return this.#write(() => this.#put('', this.#key(), someText(random, 20_000 + random.below(320_000))))
    if (kind === 'batch') return this.#write(() => this.#batch(2 + random.below(20), 300))
    if (kind === 'long batch') return this.#write(() => this.#batch(1_500, 900))
    if (kind === 'del') {
      return this.#write(() => {
        const key = this.#key()
        this.engine.del(engine.tree(path('')), key, utf8)
        this.#model.delete(`/${key}`)
      })
    }
    if (kind === 'clear') {
      return this.#write(() => {
        const [lower, upper] = [this.#key(), this.#key()].sort()
        assert(lower !== undefined && upper !== undefined, 'there are two bounds')
        engine.clear(engine.tree(path('')), {
          ...everything,
          lower: utf8.encode(lower),
          upper: utf8.encode(upper),
          upperOpen: true
        })
        for (const key of [...this.#model.keys()]) {
          if (key.startsWith('/') && key >= `/${lower}` && key < `/${upper}`) this.#model.delete(key)
        }
      })
    }
    if (kind === 'drop') {
      return this.#write(() => {
        const sublevel = random.pick(['one', 'two'])
        engine.drop(path(sublevel))
        for (const key of [...this.#model.keys()]) if (key.startsWith(`${sublevel}/`)) this.#model.delete(key)
      })
    }
    if (kind === 'busy') {
      const work = [engine.compact(), engine.checkpoint()]
      for (const next of ['large value', 'put', 'put', 'del', 'large value', 'clear', 'put'] as const)
        await this.take(next)
      await Promise.all(work)
    } else if (kind === 'checkpoint') await engine.checkpoint()
    else if (kind === 'compact') await engine.compact()
    else if (kind === 'backup') await engine.backup(memoryVfs())
    else await this.#reopen()
    this.#acknowledge(this.engine.sequence)
  }

  async #reopen(): Promise<void> {
    const before = this.engine.sequence
    await this.engine.close()
    this.#acknowledge(before)
    this.engine = await openEngine(this.#vfs(), this.#options)
    strictEqual(this.engine.sequence, before)
  }

  async #write(write: () => void): Promise<void> {
    write()
    this.#keep()
    const lsn = this.engine.sequence
    if (this.#random.chance(0.3)) this.engine.settleSync()
    else await this.engine.settled()
    this.#acknowledge(lsn)
  }

  #put(sublevel: string, key: string, value: string): void {
    this.engine.put(this.engine.tree(path(sublevel)), key, utf8, value, utf8)
    this.#model.set(`${sublevel}/${key}`, value)
  }

  #batch(operations: number, most: number): void {
    const tree: Tree = this.engine.tree(path(''))
    const random = this.#random
    const changes = new Map<string, string | undefined>()
    for (let i = 0; i < operations; i++) {
      const key = `${this.#key()}-${i % 400}`
      changes.set(key, random.chance(0.2) ? undefined : someText(random, 1 + random.below(most)))
    }
    this.engine.batch(
      [...changes].map(([key, value]) =>
        value === undefined
          ? { type: 'del', tree, key, keyEncoding: utf8 }
          : { type: 'put', tree, key, keyEncoding: utf8, value, valueEncoding: utf8 }
      )
    )
    for (const [key, value] of changes) {
      if (value === undefined) this.#model.delete(`/${key}`)
      else this.#model.set(`/${key}`, value)
    }
  }

  #key(): string {
    return `key ${this.#random.below(40).toString().padStart(3, '0')}`
  }

  #keep(): void {
    this.states.set(this.engine.sequence, new Map(this.#model))
  }
}
