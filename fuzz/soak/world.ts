// An open database and the model of what it must hold.
import { assert } from '../../src/errors.ts'
import { type Database, type Keyspace, open, type OpenOptions, type Reads, type Sublevel } from '../../src/index.ts'
import { Random } from '../../test/support/random.ts'
import {
  indexOf,
  keyOf,
  keysPerSpace,
  noVersions,
  spaceNames,
  valueFor,
  type Versions,
  versionOf
} from './population.ts'

export type Space = Keyspace<string, Uint8Array>
export type SoakDatabase = Database<string, Uint8Array>

export const soakOptions = {
  valueEncoding: 'view',
  cacheBytes: 8 << 20,
  walBytes: 4 << 20,
  durability: 'strict'
} as const satisfies OpenOptions

export const accounts = 40
const firstBalance = 1_000
const bankName = 'bank'

/** An answer is not as it must be. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
}

/** What is open, and what must be in it. Writes are noted at the call, for that is when they take effect. */
export class World {
  readonly location: string
  readonly versions: Versions = noVersions()
  db: SoakDatabase
  spaces: readonly Space[]
  bank: Sublevel<string, number>
  #version = 0
  readonly #journals = new Set<Journal>()

  private constructor(location: string, db: SoakDatabase) {
    this.location = location
    this.db = db
    this.spaces = spacesOf(db)
    this.bank = bankOf(db)
  }

  /** Opens what is there, or something new; what is there is believed as far as every value fits its key. */
  static async open(location: string): Promise<World> {
    const world = new World(location, await open(location, soakOptions))
    world.#learn()
    return world
  }

  async reopen(): Promise<void> {
    await this.db.close()
    this.db = await open(this.location, soakOptions)
    this.spaces = spacesOf(this.db)
    this.bank = bankOf(this.db)
  }

  space(number: number): Space {
    const space = this.spaces[number]
    assert(space !== undefined, `there is a keyspace ${number}`)
    return space
  }

  versionsOf(space: number): Uint32Array {
    const versions = this.versions[space]
    assert(versions !== undefined, `there is a keyspace ${space}`)
    return versions
  }

  /** To be called right after the write that does it; version 0 is a deletion. */
  set(space: number, index: number, version: number): void {
    this.versionsOf(space)[index] = version
    for (const journal of this.#journals) journal.note(this.db.sequence(), space, index, version)
  }

  /** Versions of now, which follow the writes up to any later one that is asked for. */
  follow(): Journal {
    const journal = new Journal(
      this.versions.map(space => space.slice()),
      () => this.#journals.delete(journal)
    )
    this.#journals.add(journal)
    return journal
  }

  /** A version that no value has yet. */
  next(): number {
    return ++this.#version
  }

  /** Throws `WrongAnswer` unless all of the database is as the model says. */
  compare(): void {
    for (const space of spaceNames.keys()) this.compareSpace(space, this.space(space), this.versionsOf(space))
    this.compareBank(this.bank)
  }

  compareSpace(space: number, reads: Reads<string, Uint8Array>, versions: Uint32Array): void {
    let index = 0
    for (const [key, value] of reads.entries()) {
      const found = indexOf(key)
      while (index < found && versions[index] === 0) index++
      if (index !== found) throw new WrongAnswer(`${name(space, index)} is missing, the next one is ${key}`)
      check(space, index, value, versions[index] ?? 0)
      index++
    }
    while (index < keysPerSpace && versions[index] === 0) index++
    if (index < keysPerSpace) throw new WrongAnswer(`${name(space, index)} is missing at the end`)
  }

  compareBank(bank: Reads<string, number>): void {
    let [sum, count] = [0, 0]
    for (const balance of bank.values()) {
      sum += balance
      count++
    }
    if (count !== accounts || sum !== accounts * firstBalance)
      throw new WrongAnswer(`the bank has ${sum} in ${count} accounts, not ${accounts * firstBalance} in ${accounts}`)
  }

  #learn(): void {
    for (const space of spaceNames.keys()) {
      const versions = this.versionsOf(space)
      for (const [key, value] of this.space(space).entries()) {
        const version = versionOf(space, indexOf(key), value)
        if (version === undefined) throw new WrongAnswer(`${name(space, indexOf(key))} holds no value of this key`)
        versions[indexOf(key)] = version
        this.#version = Math.max(this.#version, version)
      }
    }
    if (this.#version > 0) {
      this.compareBank(this.bank)
      return
    }
    this.#fill()
    const first = Array.from({ length: accounts }, (_, i) => keyOf(i))
    this.bank.batchSync(first.map(key => ({ type: 'put', key, value: firstBalance })))
  }

  /** The load is the same from the begin on. */
  #fill(): void {
    const random = new Random(1)
    for (const space of spaceNames.keys()) {
      const versions = this.versionsOf(space)
      for (let index = 0; index < keysPerSpace; index++) {
        if (!random.chance(filledPart)) continue
        const version = this.next()
        void this.space(space).put(keyOf(index), valueFor(space, index, version))
        versions[index] = version
      }
      this.db.flushSync()
    }
  }
}

/** The model of a moment, and what was written since. */
export class Journal {
  readonly #versions: Versions
  readonly #end: () => void
  readonly #notes: {
    readonly sequence: number
    readonly space: number
    readonly index: number
    readonly version: number
  }[] = []

  constructor(versions: Versions, end: () => void) {
    this.#versions = versions
    this.#end = end
  }

  note(sequence: number, space: number, index: number, version: number): void {
    this.#notes.push({ sequence, space, index, version })
  }

  /** What the commit with this number left; ends the journal. */
  at(sequence: number): Versions {
    this.#end()
    for (const note of this.#notes) {
      const versions = this.#versions[note.space]
      if (note.sequence <= sequence && versions !== undefined) versions[note.index] = note.version
    }
    return this.#versions
  }
}

/** Part of the keys that are there when as many come as go, by what the traffic puts and deletes. */
const filledPart = 0.74

/** Throws `WrongAnswer` unless the value is of this version; 0 is that there is none. */
export function check(space: number, index: number, value: Uint8Array | undefined, version: number): void {
  const found = value === undefined ? 0 : versionOf(space, index, value)
  if (found === version) return
  throw new WrongAnswer(`${name(space, index)} is of version ${found ?? '(damaged)'}, not ${version}`)
}

function name(space: number, index: number): string {
  return `${keyOf(index)} of keyspace '${spaceNames[space] ?? ''}'`
}

function spacesOf(db: SoakDatabase): Space[] {
  return spaceNames.map(space => (space === '' ? db : db.sublevel(space)))
}

function bankOf(db: SoakDatabase): Sublevel<string, number> {
  return db.sublevel<string, number>(bankName, { valueEncoding: 'json' })
}
