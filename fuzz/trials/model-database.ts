// A database on a simulated disk beside the model of it, and how the one is asked for what the other knows.
import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import type { Database, Keyspace, RangeOptions, Reads, Sublevel, ValueEncodingName } from '../../src/index.ts'
import type { Random } from '../../test/support/random.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import { allKeys, ModelDatabase, type ModelRange, type State, walk } from '../../test/txn/model.ts'
import type { ModelOptions } from './model-case.ts'
import { type KeyPool, keyCount, keyPool, valueOfNumber } from './model-data.ts'

/** The keyspaces of the model by their names from the root down; the root's own is empty. */
export const spaceNames = ['', 'one', 'two', 'one/in'] as const
export type SpaceName = (typeof spaceNames)[number]

export type AnyDatabase = Database<unknown, unknown>

/** A keyspace, and what its keys and values are. */
export interface Space {
  readonly name: SpaceName
  readonly pool: KeyPool
  readonly valueEncoding: ValueEncodingName
  readonly keyspace: Keyspace<unknown, unknown>
  /** The same unless it is the root. */
  readonly sublevel: Sublevel<unknown, unknown> | undefined
}

/** A range in both languages. */
export interface BothRanges {
  readonly real: RangeOptions<unknown>
  readonly model: ModelRange
}

export class ModelledDatabase {
  readonly options: ModelOptions
  disk: SimulatedDisk
  db: AnyDatabase
  model = new ModelDatabase()
  /** Whether the database is being closed, or has crashed, and what was under way has not ended yet. */
  ending: 'close' | 'crash' | undefined
  #spaces: readonly Space[]
  /** What each commit since the last opening has left. */
  readonly #states = new Map<number, Map<string, State>>()
  #acknowledged = 0

  private constructor(options: ModelOptions, disk: SimulatedDisk, db: AnyDatabase) {
    this.options = options
    this.disk = disk
    this.db = db
    this.#spaces = spacesOf(db, options)
    this.note()
  }

  static async open(options: ModelOptions, seed: number): Promise<ModelledDatabase> {
    const disk = new SimulatedDisk(seed)
    return new ModelledDatabase(options, disk, await openOn(disk, options))
  }

  space(name: SpaceName): Space {
    const space = this.#spaces.find(one => one.name === name)
    assert(space !== undefined, `there is a keyspace '${name}'`)
    return space
  }

  someSpace(random: Random): Space {
    return this.space(random.pick(['', '', ...spaceNames]))
  }

  /** To be called after everything that may have made a commit. */
  note(): void {
    this.#states.set(this.db.sequence(), this.model.copy())
  }

  /** Everything up to this commit survives. */
  acknowledge(sequence: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, sequence)
  }

  /** Closes and opens. */
  async reopen(): Promise<void> {
    const sequence = this.db.sequence()
    this.ending = 'close'
    await this.db.close()
    this.db = await openOn(this.disk, this.options)
    assert.equal(this.db.sequence(), sequence, 'the newest commit after a clean close')
    this.#begin(sequence)
  }

  /** The power fails, or the process is killed; the model goes back to the commit that is found. */
  async crash(random: Random): Promise<void> {
    const { db, disk } = this
    this.ending = 'crash'
    this.disk = random.chance(0.25) ? disk.kill() : disk.crash(random.next())
    // What is left of it cannot reach the disk any more.
    await db.close().catch(() => undefined)
    this.db = await openOn(this.disk, this.options)
    const found = this.db.sequence()
    const context = `${this.#acknowledged} was acknowledged, ${found} is found`
    assert(found >= this.#acknowledged, `a commit is lost: ${context}`)
    assert(this.#states.has(found), `there was no such commit: ${context}`)
    this.#begin(found)
  }

  /** Throws unless everything is as the model says. */
  compare(db = this.db, spaces = this.#spaces): void {
    for (const space of spaces) {
      const wanted = this.entriesOf(space, this.model.state(space.name), {})
      expectEqual([...space.keyspace.entries()], wanted, `everything in '${space.name}'`)
    }
    expectEqual(db.sublevels(), this.names(''), 'the sublevels')
  }

  /** Everything in a copy of it. */
  compareCopy(copy: AnyDatabase): void {
    this.compare(copy, spacesOf(copy, this.options))
  }

  /** Entries of a range as they must be, of a state of the keyspace. */
  entriesOf(space: Space, state: State, range: ModelRange): [unknown, unknown][] {
    return walk(state, range).keys.map(key => [this.keyOf(space, key), this.valueOf(space, state.get(key))])
  }

  keyOf(space: Space, key: string): unknown {
    return space.pool.keys[allKeys.indexOf(key)]
  }

  valueOf(space: Space, number: number | undefined): unknown {
    return number === undefined ? undefined : valueOfNumber(number, space.valueEncoding)
  }

  /** Names directly below a keyspace. */
  names(parent: string, spaces: ReadonlyMap<string, State> = this.model.spaces): string[] {
    const start = parent === '' ? '' : `${parent}/`
    const below = [...spaces.keys()].filter(name => name !== '' && name !== parent && name.startsWith(start))
    return [...new Set(below.map(name => name.slice(start.length).split('/')[0] ?? ''))].sort()
  }

  /**
   * A range; a plain one has the bounds `gte` and `lt` alone. What lies between two neighbouring keys is a range to the
   * database and nothing to the model, so where conflicts are told the ranges must be plain.
   */
  range(space: Space, random: Random, isPlain: boolean): BothRanges {
    const { keys } = space.pool
    const place = () => random.below(keyCount)
    let [from, to] = [0, keyCount]
    const real: { -readonly [N in keyof RangeOptions<unknown>]: RangeOptions<unknown>[N] } = {}
    const bound = (name: 'gt' | 'gte' | 'lt' | 'lte') => {
      const at = place()
      real[name] = keys[at]
      if (name === 'gt' || name === 'gte') from = Math.max(from, name === 'gt' ? at + 1 : at)
      else to = Math.min(to, name === 'lt' ? at : at + 1)
    }
    for (const name of ['gte', 'lt'] as const) if (random.chance(0.5)) bound(name)
    for (const name of ['gt', 'lte'] as const) if (!isPlain && random.chance(0.25)) bound(name)
    if (!isPlain && random.chance(0.2)) {
      const part = space.pool.prefix(place(), random.below(4))
      real.prefix = part.prefix
      from = Math.max(from, part.from)
      to = Math.min(to, part.to)
    }
    const limit = random.pick([undefined, undefined, -1, 0, 1, 2, 5])
    if (limit !== undefined) real.limit = limit
    const reverse = random.chance(0.4)
    if (reverse) real.reverse = true
    const model: ModelRange = {
      ...(from > 0 ? { gte: allKeys[from] ?? afterAll } : {}),
      ...(to < keyCount ? { lt: allKeys[to] ?? '' } : {}),
      ...(limit === undefined || limit === -1 ? {} : { limit }),
      ...(reverse ? { reverse } : {})
    }
    return { real, model }
  }

  #begin(sequence: number): void {
    const state = this.#states.get(sequence) ?? new Map<string, State>()
    this.model = new ModelDatabase()
    for (const [space, entries] of state) this.model.spaces.set(space, new Map(entries))
    this.#states.clear()
    this.#acknowledged = sequence
    this.#spaces = spacesOf(this.db, this.options)
    this.note()
    this.compare()
  }
}

/** Greater than every key of the model. */
const afterAll = 'z'

/** Throws with both sides, shortened: values may be long. */
export function expectEqual(found: unknown, wanted: unknown, what: string): void {
  if (isDeepStrictEqual(found, wanted)) return
  assert.fail(`${what}: found ${brief(found)}, not ${brief(wanted)}`)
}

function brief(value: unknown): string {
  return inspect(value, { depth: 5, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 40, maxArrayLength: 30 })
}

/** The same reads of a keyspace, at a snapshot. */
export type AnyReads = Reads<unknown, unknown>

function spacesOf(db: AnyDatabase, options: ModelOptions): Space[] {
  const { keyEncoding, valueEncoding } = options
  const own = { pool: keyPool(keyEncoding), valueEncoding }
  const other = { pool: keyPool('utf8'), valueEncoding: 'json' } as const
  const below = (name: SpaceName, sublevel: Sublevel<unknown, unknown>) => ({ name, sublevel, keyspace: sublevel })
  const one = db.sublevel<unknown, unknown>('one')
  return [
    { name: '', keyspace: db, sublevel: undefined, ...own },
    { ...below('one', one), ...own },
    {
      ...below('two', db.sublevel<unknown, unknown>('two', { keyEncoding: 'utf8', valueEncoding: 'json' })),
      ...other
    },
    { ...below('one/in', one.sublevel<unknown, unknown>('in')), ...own }
  ]
}

/** Opens with sizes smaller than `open` allows, so that a few commits make checkpoints, log switches and evictions. */
function openOn(disk: SimulatedDisk, options: ModelOptions): Promise<AnyDatabase> {
  const { frames, walBytes, ...rest } = options
  const parsed = parseOpenOptions({ ...rest, syncIntervalMs: 5 })
  return openIn<unknown, unknown>(disk.vfs(), { ...parsed, walBytes, cacheBytes: frames * options.pageSize })
}
