// A database under test together with a model that says what each of its commits must have left.
import { deepStrictEqual } from 'node:assert/strict'
import { restore } from '../../src/engine/restore.ts'
import { isLightningError } from '../../src/index.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { type Content, contentOf } from '../../test/engine/content.ts'
import { Random } from '../../test/support/random.ts'
import { type Opened, openSmall, type SmallOptions } from './opening.ts'
import { type Write, type WriteKind, writesOf } from './writes.ts'

export const kinds = [
  'open',
  'put',
  'delete',
  'batch',
  'transaction',
  'clear',
  'large value',
  'checkpoint',
  'compact',
  'backup',
  'close'
] as const

/** The operations of sequences, and one in which compaction, a checkpoint and writes go on together. */
export type Kind = (typeof kinds)[number] | 'busy'

/** An operation of a case; the seed decides everything about it. */
export interface Step {
  readonly kind: Kind
  readonly seed: number
}

/** Where a subject lives. */
export interface Surroundings {
  /** The folder of the database, of a backup, or of what was restored from one. */
  vfs(folder?: string): Vfs
  /** The process that has the database open dies, and another one goes on with the same disk. */
  restart(): void
  /** Called when the state after this commit is durable: it must be found whatever happens to the machine. */
  acknowledge(commit: number): void
  /** A whole database that holds the state after a commit is begun in this folder, or is there to stay. */
  copying(folder: string, commit: number, isDone: boolean): void
}

export class Subject {
  /** What each commit must have left; the first is that of the beginning. */
  readonly states: Content[]
  /** What commits that were rejected would have left, after the last step. */
  rejected: Content[] = []
  opened: Opened | undefined
  readonly #surroundings: Surroundings
  readonly #options: SmallOptions
  #copies = 0

  constructor(surroundings: Surroundings, options: SmallOptions, content: Content = new Map()) {
    this.#surroundings = surroundings
    this.#options = options
    this.states = [content]
  }

  /** What the newest commit must have left. */
  get content(): Content {
    return this.states.at(-1) ?? new Map()
  }

  /** Opens what is closed. */
  async open(): Promise<Opened> {
    this.opened ??= await openSmall(this.#surroundings.vfs(), this.#options)
    return this.opened
  }

  /** The process that has it open dies. */
  abandon(): void {
    if (this.opened === undefined) return
    this.opened = undefined
    this.#surroundings.restart()
  }

  /** Takes a step and resolves with what the database has rejected; then the model is without it. */
  async take(step: Step): Promise<unknown[]> {
    this.rejected = []
    try {
      return await this.#take(step)
    } catch (error) {
      return [error]
    }
  }

  async #take({ kind, seed }: Step): Promise<unknown[]> {
    if (kind === 'open') this.abandon()
    const { db } = await this.open()
    switch (kind) {
      case 'open':
        this.#acceptLoss()
        return []
      case 'close':
        this.opened = undefined
        await db.close()
        break
      case 'checkpoint':
        await db.checkpoint()
        break
      case 'compact':
        await db.compact()
        break
      case 'backup':
        await this.#copy(new Random(seed))
        break
      case 'busy':
        return await this.#busy(new Random(seed))
      default:
        return await this.#write(kind, seed)
    }
    this.#acknowledge()
    return []
  }

  /** What a process that died had not written yet is gone, if nothing else was promised. */
  #acceptLoss(): void {
    if (this.opened === undefined || this.#options.durability !== 'relaxed') return
    const found = contentOf(this.opened.engine)
    const state = this.states.find(content => isSame(content, found))
    if (state !== undefined && state !== this.content) this.states.push(state)
  }

  async #busy(random: Random): Promise<unknown[]> {
    const { db } = await this.open()
    const work = [db.compact(), db.checkpoint()]
    const errors: unknown[] = []
    for (const kind of ['large value', 'put', 'delete', 'large value', 'clear', 'transaction'] as const) {
      errors.push(...(await this.#write(kind, random.next())))
    }
    for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') errors.push(result.reason)
    return errors
  }

  /** A backup, and sometimes a database from it. */
  async #copy(random: Random): Promise<void> {
    const { engine } = await this.open()
    const surroundings = this.#surroundings
    const commit = this.states.length - 1
    const backup = `backup-${++this.#copies}`
    surroundings.copying(backup, commit, false)
    await engine.backup(surroundings.vfs(backup))
    surroundings.copying(backup, commit, true)
    if (!random.chance(0.4)) return
    const restored = `restored-${this.#copies}`
    surroundings.copying(restored, commit, false)
    await restore(surroundings.vfs(backup), surroundings.vfs(restored))
    surroundings.copying(restored, commit, true)
  }

  async #write(kind: WriteKind, seed: number): Promise<unknown[]> {
    const { db } = await this.open()
    const before = this.states.length - 1
    const writes = writesOf(kind, seed, this.content, this.#options.longKeys)
    const reached = new Map(this.content)
    const states: Content[] = []
    const isRelaxed = this.#options.durability === 'relaxed'
    const promises = writes.map(async (write, i) => {
      const issued = write.issue(db)
      write.apply(reached)
      states.push(new Map(reached))
      await issued
      if (!isRelaxed) this.#surroundings.acknowledge(before + i + 1)
    })
    const results = await Promise.allSettled(promises)
    const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    if (errors.length === 0) this.states.push(...states)
    else this.#keepFulfilled(writes, results, states)
    if (isRelaxed && new Random(seed).chance(0.5)) {
      await db.flush()
      this.#acknowledge()
    }
    return errors
  }

  #keepFulfilled(writes: readonly Write[], results: readonly PromiseSettledResult<void>[], states: Content[]): void {
    this.rejected = states
    const model = new Map(this.content)
    for (const [i, write] of writes.entries()) {
      if (results[i]?.status !== 'fulfilled') continue
      write.apply(model)
      this.states.push(new Map(model))
    }
  }

  #acknowledge(): void {
    this.#surroundings.acknowledge(this.states.length - 1)
  }
}

export function isSame(a: Content, b: Content): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** Fails unless the database is sound. */
export async function expectVerified({ db }: Opened): Promise<void> {
  deepStrictEqual((await db.verify()).problems, [])
}

/** Whether something is LIGHTNING_NOT_FOUND. */
export function isMissing(error: unknown): boolean {
  return isLightningError(error, 'LIGHTNING_NOT_FOUND')
}
