// Many iterators of all kinds at once, stepped in any order among writes, snapshots and transactions, with codecs that
// read and write while they decode. Every row is compared with what the model has when it comes, and again at the end.
import { type Codec, isLightningError, type KeyEncodingChoice, type ValueEncodingChoice } from '../../../src/index.ts'
import { type AnyDatabase, type AnyReads, type AnySublevel, within } from '../../support/either.ts'
import { Random } from '../../support/random.ts'
import {
  bytesCodec,
  isKey,
  isKeyBytes,
  isReadable,
  isTextual,
  isValue,
  type Kind,
  keyCount,
  keyFor,
  kinds,
  textCodec,
  valueFor
} from './data.ts'
import { type Attempt, kindAt, type Moment, type Rows, RowsModel } from './model.ts'

interface Kept {
  readonly kind: Kind
  readonly id: number
  readonly version: number
  readonly key: unknown
  readonly value: unknown
}

export interface Counts {
  rows: number
  kept: number
  refused: number
  meddled: number
  commits: number
  conflicts: number
}

/** For keys and values of plain keyspaces. */
type PlainEncoding = 'utf8' | 'view' | 'buffer' | Codec<string> | Codec<Uint8Array>

const absent = Symbol('absent')
const mostKept = 4_000

export class RowsPlay {
  readonly counts: Counts = { rows: 0, kept: 0, refused: 0, meddled: 0, commits: 0, conflicts: 0 }
  readonly #random: Random
  readonly #db: AnyDatabase<unknown, unknown>
  readonly #isRemote: boolean
  readonly #spaces: readonly AnySublevel<unknown, unknown>[]
  readonly #model = new RowsModel()
  readonly #codecs: { readonly text: ReturnType<typeof textCodec>; readonly bytes: ReturnType<typeof bytesCodec> }
  readonly #moments: Moment[] = []
  readonly #attempts: Attempt[] = []
  readonly #open: Rows[] = []
  readonly #kept: Kept[] = []
  /** The iterator that is taking a step, whose codec meddles. */
  #stepping: Rows | undefined
  #depth = 0

  constructor(db: AnyDatabase<unknown, unknown>, isRemote: boolean, seed: number) {
    this.#db = db
    this.#isRemote = isRemote
    this.#random = new Random(seed)
    const meddle = () => this.#meddle()
    this.#codecs = { text: textCodec(meddle), bytes: bytesCodec(meddle) }
    this.#spaces = kinds.map(({ name, keyEncoding, valueEncoding }) =>
      db.sublevel<KeyEncodingChoice, ValueEncodingChoice>(name, { keyEncoding, valueEncoding })
    )
  }

  async play(steps: number): Promise<Counts> {
    for (const space of kinds.keys()) await this.#putMany(space, 0, keyCount, 0.8)
    for (let i = 0; i < steps; i++) await this.#act()
    for (const rows of this.#open) await this.#step(rows, keyCount)
    for (const attempt of this.#attempts) await attempt.tx.rollback()
    for (const { snapshot } of this.#moments) await snapshot.close()
    for (const kept of this.#kept) this.#check(kept)
    this.counts.kept = this.#kept.length
    return this.counts
  }

  async #act(): Promise<void> {
    const random = this.#random
    const rows = this.#open[random.below(Math.max(1, this.#open.length))]
    const chance = random.below(100)
    if (rows === undefined || (chance < 12 && this.#open.length < 16)) return this.#begin()
    if (chance < 62) return this.#step(rows, 1 + random.below(3))
    if (chance < 72) return this.#step(rows, random.below(400))
    if (chance < 76) return this.#end(rows)
    if (chance < 82) return this.#write()
    if (chance < 85) return this.#read()
    if (chance < 88) return this.#moment()
    return this.#attempt()
  }

  /** Begins an iterator. */
  #begin(): void {
    const random = this.#random
    const space = random.below(kinds.length)
    const kind = kindAt(space)
    const of = random.pick<Moment | Attempt | undefined>([undefined, ...this.#moments, ...this.#attempts])
    const from = random.chance(0.4) ? random.below(keyCount) : 0
    const to = random.chance(0.4) ? from + random.below(keyCount) : keyCount
    const reverse = random.chance(0.4)
    const limit = random.chance(0.3) ? random.pick([1, 3, 99, 100, 127, 128, 129, 300]) : Number.POSITIVE_INFINITY
    const gives = random.pick(['entries', 'entries', 'keys', 'values'] as const)
    const keyEncoding = kind.isPlain ? random.pick(this.#choices()) : kind.keyEncoding
    const valueEncoding = kind.isPlain ? random.pick(this.#choices()) : kind.valueEncoding
    const range = {
      ...(from > 0 ? { gte: keyFor(kind, from, keyEncoding) } : {}),
      ...(to < keyCount ? { lt: keyFor(kind, to, keyEncoding) } : {}),
      reverse,
      ...(limit < keyCount ? { limit } : {}),
      keyEncoding,
      valueEncoding
    }
    const reads = this.#readsOf(of, space)
    const asText = isTextual(valueEncoding)
    const iterator = reads[gives](range)
    const rows = { iterator, space, gives, asText, from, to, reverse, limit, of }
    const made: Rows = { ...rows, expected: undefined, at: 0, taken: 0, isDone: false, isExhausted: false }
    this.#open.push(made)
    if (of !== undefined && 'tx' in of) of.rows.push(made)
  }

  #choices(): [PlainEncoding, ...PlainEncoding[]] {
    return ['utf8', 'view', 'buffer', this.#codecs.text, this.#codecs.bytes]
  }

  #readsOf(of: Moment | Attempt | undefined, space: number): AnyReads<unknown, unknown> {
    const sublevel = this.#spaces[space]
    if (sublevel === undefined) throw new Error('there is no such keyspace')
    if (of === undefined) return sublevel
    return within('tx' in of ? of.tx : of.snapshot, sublevel)
  }

  async #step(rows: Rows, count: number): Promise<void> {
    // Several steps of a client may be under way at once.
    const isAwaited = this.#random.chance(0.5)
    const steps: unknown[] = []
    for (let i = 0; i < count && !rows.isDone; i++) {
      const step = this.#stepOnce(rows)
      if (isAwaited || i % 50 === 49) await step
      else steps.push(step)
    }
    await Promise.all(steps)
    if (rows.isDone) this.#forget(rows)
  }

  /** Takes a step; what it gives is compared at once, or when it comes. */
  #stepOnce(rows: Rows): unknown {
    rows.expected ??= this.#model.expected(rows)
    const index = rows.at++
    const outer = this.#stepping
    this.#stepping = rows
    let result: unknown
    try {
      result = rows.iterator.next()
    } catch (error) {
      this.#stepping = outer
      this.#failed(rows, index, error)
      return undefined
    }
    this.#stepping = outer
    if (!(result instanceof Promise)) return this.#took(rows, index, result)
    return result.then(
      value => this.#took(rows, index, value),
      error => this.#failed(rows, index, error)
    )
  }

  #took(rows: Rows, index: number, result: unknown): undefined {
    const { space, gives } = rows
    const kind = kindAt(space)
    const [id, version] = rows.expected?.[index] ?? [-1, -1]
    if (Reflect.get(Object(result), 'done') === true) {
      if (id >= 0 && !rows.isDone) throw this.#wrong(rows, index, 'ended early')
      rows.isExhausted = rows.isExhausted || !rows.isDone
      rows.isDone = true
      return
    }
    if (id < 0) throw this.#wrong(rows, index, 'gave a row too many')
    if (gives !== 'keys' && rows.asText && !isReadable(kind, id, version)) {
      throw this.#wrong(rows, index, 'read what is no text')
    }
    this.counts.rows++
    rows.taken = Math.max(rows.taken, index + 1)
    const value: unknown = Reflect.get(Object(result), 'value')
    const [k, v]: unknown[] =
      gives === 'entries' && Array.isArray(value) ? value : gives === 'keys' ? [value, absent] : [absent, value]
    const kept = { kind, id, version, key: k, value: v }
    this.#check(kept)
    const random = this.#random
    if (random.chance(0.2)) {
      // It is the caller's: what is done to it shows nowhere else.
      if (k instanceof Uint8Array) k.fill(0x99)
      if (v instanceof Uint8Array) v.fill(0x99)
    } else if (this.#kept.length < mostKept) this.#kept.push(kept)
    else this.#kept[random.below(mostKept)] = kept
  }

  #failed(rows: Rows, index: number, error: unknown): void {
    const wasDone = rows.isDone
    rows.isDone = true
    const [id, version] = rows.expected?.[index] ?? [-1, -1]
    if (isLightningError(error, 'LIGHTNING_CLOSED')) {
      if (rows.of?.isOpen === false || wasDone) return
    } else if (isLightningError(error, 'LIGHTNING_DECODE') && id >= 0) {
      const isTold = isKeyBytes(id, error.keyRange?.from)
      if (isTold && rows.gives !== 'keys' && rows.asText && !isReadable(kindAt(rows.space), id, version)) {
        this.counts.refused++
        return
      }
    }
    throw new Error(this.#wrong(rows, index, 'failed').message, { cause: error })
  }

  #check({ kind, id, version, key, value }: Kept): void {
    if (key !== absent && !isKey(kind, id, key)) throw new Error(`${kind.name}: the key of row ${id} is ${String(key)}`)
    if (value !== absent && !isValue(kind, id, version, value)) {
      throw new Error(`${kind.name}: the value of row ${id}, version ${version} is ${JSON.stringify(value)}`)
    }
  }

  #wrong(rows: Rows, index: number, what: string): Error {
    const { space, gives, from, to, reverse, limit } = rows
    const range = JSON.stringify({ from, to, reverse, limit })
    return new Error(`${kindAt(space).name}: ${gives} of ${range} ${what} at ${index} of ${rows.expected?.length}`)
  }

  async #end(rows: Rows): Promise<void> {
    const random = this.#random
    this.#forget(rows)
    // Left alone, or ended as often as one likes.
    for (let i = random.below(3); i > 0; i--) {
      rows.isDone = true
      await rows.iterator.return?.()
    }
  }

  #forget(rows: Rows): void {
    const at = this.#open.indexOf(rows)
    if (at >= 0) this.#open.splice(at, 1)
  }

  async #write(): Promise<void> {
    const random = this.#random
    const space = random.below(kinds.length)
    const from = random.below(keyCount)
    if (random.chance(0.3)) return this.#putMany(space, from, from + random.below(200), 0.3)
    const kind = kindAt(space)
    if (random.chance(0.7)) {
      const version = this.#model.put(space, from)
      await this.#spaces[space]?.put(keyFor(kind, from), valueFor(kind, from, version))
    } else {
      this.#model.del(space, from)
      await this.#spaces[space]?.del(keyFor(kind, from))
    }
  }

  async #putMany(space: number, from: number, to: number, share: number): Promise<void> {
    const kind = kindAt(space)
    const operations = []
    for (let id = from; id < Math.min(to, keyCount); id++) {
      if (!this.#random.chance(share)) continue
      const version = this.#model.put(space, id)
      operations.push({ type: 'put' as const, key: keyFor(kind, id), value: valueFor(kind, id, version) })
    }
    await this.#spaces[space]?.batch(operations)
  }

  async #read(): Promise<void> {
    const random = this.#random
    const space = random.below(kinds.length)
    const kind = kindAt(space)
    const id = random.below(keyCount)
    const of = random.pick<Moment | Attempt | undefined>([undefined, ...this.#moments, ...this.#attempts])
    const version = this.#model.seen(of, space)(id)
    const value = await this.#readsOf(of, space).get(keyFor(kind, id))
    if (version === undefined) {
      if (value !== undefined) throw new Error(`${kind.name}: row ${id} should not be there`)
    } else this.#check({ kind, id, version, key: absent, value })
  }

  async #moment(): Promise<void> {
    const at = this.#random.below(4)
    const [moment] = this.#moments.splice(at, 1)
    if (moment === undefined) {
      const state = this.#model.copy()
      this.#moments.push({ snapshot: await this.#db.snapshot(), state, isOpen: true })
    } else {
      moment.isOpen = false
      await moment.snapshot.close()
    }
  }

  async #attempt(): Promise<void> {
    const random = this.#random
    const at = random.below(4)
    const attempt = this.#attempts[at]
    if (attempt === undefined) {
      const isolation = random.pick(['serializable', 'serializable', 'snapshot', 'read-committed'] as const)
      const tx = await this.#db.begin({ isolation })
      // Its snapshot is taken by the first read.
      const base = this.#model.copy()
      await tx.get('no such key')
      this.#attempts.push({ tx, isolation, base, writes: kinds.map(() => new Map()), rows: [], isOpen: true })
    } else if (random.chance(0.75)) await this.#writeWithin(attempt)
    else {
      this.#attempts.splice(at, 1)
      attempt.isOpen = false
      if (random.chance(0.3)) await attempt.tx.rollback()
      else await this.#commit(attempt)
    }
  }

  async #writeWithin(attempt: Attempt): Promise<void> {
    const random = this.#random
    const space = random.below(kinds.length)
    const kind = kindAt(space)
    const sublevel = this.#spaces[space]
    const writes = attempt.writes[space]
    if (sublevel === undefined || writes === undefined) return
    const inside = within(attempt.tx, sublevel)
    const from = random.below(keyCount)
    const to = Math.min(from + random.below(60), keyCount - 1)
    if (random.chance(0.2)) {
      const seen = this.#model.seen(attempt, space)
      for (let id = from; id < to; id++) if (seen(id) !== undefined) writes.set(id, null)
      await inside.clear({ gte: keyFor(kind, from), lt: keyFor(kind, to) })
      return
    }
    for (let id = from; id <= to; id += 1 + random.below(9)) {
      const version = this.#model.newVersion()
      writes.set(id, version)
      await inside.put(keyFor(kind, id), valueFor(kind, id, version))
    }
  }

  async #commit(attempt: Attempt): Promise<void> {
    const hasWritten = attempt.writes.some(writes => writes.size > 0)
    const changed = attempt.isolation === 'serializable' && hasWritten ? this.#model.changed(attempt) : undefined
    try {
      await attempt.tx.commit()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CONFLICT')) throw error
      this.counts.conflicts++
      return
    }
    if (changed !== undefined) throw new Error(`committed, though ${changed} was read and had changed`)
    this.counts.commits++
    this.#model.apply(attempt)
  }

  /** What a codec does while it decodes. */
  #meddle(): void {
    const random = this.#random
    if (this.#depth > 1 || !random.chance(0.05)) return
    this.counts.meddled++
    this.#depth++
    try {
      const rows = random.chance(0.4) ? this.#stepping : this.#open[random.below(Math.max(1, this.#open.length))]
      const chance = random.below(10)
      if (rows === undefined) return
      // (Steps of a client that nobody waits for would be lost.)
      if (chance < 7 && !this.#isRemote)
        for (let i = random.below(150); i >= 0 && !rows.isDone; i--) this.#stepOnce(rows)
      else if (chance < 8 && !rows.isDone) {
        rows.isDone = true
        void rows.iterator.return?.()
      } else if (!this.#isRemote) this.#putAtOnce()
    } finally {
      this.#depth--
    }
  }

  #putAtOnce(): void {
    const space = this.#random.below(kinds.length)
    const kind = kindAt(space)
    const id = this.#random.below(keyCount)
    const version = this.#model.put(space, id)
    this.#spaces[space]?.putSync(keyFor(kind, id), valueFor(kind, id, version))
  }
}
