// One life with a fault, and what is asked of the database after every step of it and at its end.
import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { InternalError, isLightningError } from '../../src/errors.ts'
import type { Snapshot } from '../../src/index.ts'
import { contentOf, type Content } from '../../test/engine/content.ts'
import { expectContent } from '../../test/engine/support.ts'
import { Random } from '../../test/support/random.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import { type Opened, openSmall } from '../workload/opening.ts'
import { expectVerified, isMissing, isSame, type Step, Subject } from '../workload/subject.ts'
import { canStrike, type FaultsCase, strike } from './faults-case.ts'

export class FaultyLife {
  /** Calls that the fault has struck. */
  struck = 0
  readonly #case: FaultsCase
  readonly #random: Random
  readonly #copies = new Map<string, { readonly commit: number; readonly isDone: boolean }>()
  readonly #subject: Subject
  #disk: SimulatedDisk
  /** What the next opening may find in place of what the model says, after LIGHTNING_FAILED. */
  #alternatives: readonly Content[] = []
  /** Whether the handle has reported that it takes no more writes. */
  #isFailed = false

  /** The fault strikes the `at`th of the calls that it can strike. */
  constructor(testCase: FaultsCase, at: number) {
    this.#case = testCase
    this.#random = new Random(testCase.seed * 1_000 + at)
    const disk = new SimulatedDisk(testCase.seed)
    let calls = 0
    disk.fault = call => {
      if (!canStrike(testCase.fault, call)) return undefined
      calls++
      if (calls < at || (calls > at && !testCase.lasts)) return undefined
      this.struck++
      return strike(testCase.fault, this.#random)
    }
    this.#disk = disk
    const surroundings = {
      vfs: (folder?: string) => disk.vfs(folder),
      restart: () => disk.restart(),
      acknowledge: () => undefined,
      copying: (folder: string, commit: number, isDone: boolean) => void this.#copies.set(folder, { commit, isDone })
    }
    this.#subject = new Subject(surroundings, testCase.options)
  }

  async run(): Promise<void> {
    for (const step of this.#case.steps) await this.#takeStep(step)
    this.#disk.fault = undefined
    await this.#end()
  }

  /** Whether the fault goes unnoticed, so that no error may come of it. */
  get #isHarmless(): boolean {
    const { fault, lasts } = this.#case
    if (fault === 'short read' || fault === 'lying sync') return true
    return (fault === 'short write' || fault === 'write of nothing') && !lasts
  }

  async #takeStep(step: Step): Promise<void> {
    const subject = this.#subject
    if (step.kind === 'open') subject.abandon()
    if (subject.opened === undefined) await this.#open()
    const { opened } = subject
    if (opened === undefined || step.kind === 'open') return
    const before = subject.content
    const { generation } = opened.engine
    const snapshot = this.#snapshotOf(opened)
    for (const error of await subject.take(step)) this.#expectAllowed(error)
    if (step.kind === 'close') {
      await this.#expectClosed()
      return
    }
    this.#isFailed = isRefusing(opened)
    this.#readable(() => expectAnswers(opened, subject.content))
    if (snapshot !== undefined) this.#expectSnapshot(opened, snapshot, opened.engine.generation === generation, before)
  }

  /** Opens what is closed, if the disk lets it. */
  async #open(): Promise<void> {
    const subject = this.#subject
    this.#isFailed = false
    try {
      const { engine } = await subject.open()
      this.#readable(() => this.#settle(contentOf(engine)))
    } catch (error) {
      this.#expectAllowed(error)
      await this.#expectClosed()
    }
  }

  /** What was unknown is known: the database has been opened again. */
  #settle(found: Content): void {
    const alternative = this.#alternatives.find(content => isSame(content, found))
    if (alternative === undefined) expectContent(found, this.#subject.content)
    else this.#subject.states.push(alternative)
    this.#alternatives = []
  }

  /** None when memory could not even be rebuilt: then nothing can be read until the database is opened again. */
  #snapshotOf({ db }: Opened): Snapshot<string, string> | undefined {
    try {
      return db.snapshot()
    } catch (error) {
      if (!this.#isFailed) throw error
      expectTyped(error)
      return undefined
    }
  }

  #expectSnapshot(
    opened: Opened,
    snapshot: Snapshot<string, string>,
    isSameGeneration: boolean,
    before: Content
  ): void {
    const read = () => {
      for (const [path, value] of before) {
        if (path.startsWith('/')) strictEqual(snapshot.get(path.slice(1)) === value, true)
      }
    }
    if (isSameGeneration) {
      this.#readable(read)
      snapshot.close()
      return
    }
    let told: unknown
    try {
      snapshot.get('key 000')
    } catch (error) {
      told = error
    }
    const isAnswer = isLightningError(told, 'LIGHTNING_CLOSED') || (this.#isFailed && isLightningError(told))
    if (!isAnswer) throw new Error('a snapshot outlived a rollback', { cause: told })
    strictEqual(told instanceof Error && told.cause instanceof Error, true)
    snapshot.close()
    strictEqual(opened.engine.rollbackCause instanceof Error, true)
  }

  /** Reads; they may fail while the disk does, but only with a typed error. */
  #readable(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!isLightningError(error)) throw error
      this.#expectAllowed(error)
      if (this.#disk.fault === undefined && !this.#isFailed) throw error
    }
  }

  #expectAllowed(error: unknown): void {
    expectTyped(error)
    if (this.#isHarmless || this.struck === 0) throw new Error('nothing was to be noticed', { cause: error })
    if (isLightningError(error, 'LIGHTNING_FAILED') && !this.#isFailed) this.#alternatives = this.#subject.rejected
  }

  /** Nothing is left behind. */
  async #expectClosed(): Promise<void> {
    // Descriptors under a running sync are closed after it.
    await nextTurn()
    await nextTurn()
    strictEqual(this.#disk.isLocked, false, 'the lock is free')
    strictEqual(this.#disk.descriptors, 0, 'no file is open')
  }

  /** The fault is over: what was refused must work now, or after reopening. */
  async #end(): Promise<void> {
    const subject = this.#subject
    const random = this.#random
    if (subject.opened !== undefined && random.chance(0.5)) await this.#writeLast(subject.opened)
    if (subject.opened !== undefined && random.chance(0.5)) {
      for (const error of await subject.take({ kind: 'close', seed: 0 })) this.#expectAllowed(error)
      await this.#expectClosed()
    }
    const mayHaveLost = this.#case.fault === 'lying sync'
    if (subject.opened !== undefined || mayHaveLost) {
      subject.opened = undefined
      this.#disk = random.chance(0.5) && !mayHaveLost ? this.#disk.kill() : this.#disk.crash(random.next())
    }
    if (mayHaveLost) await this.#expectPrefix()
    else await this.#expectAll()
  }

  async #writeLast({ db }: Opened): Promise<void> {
    const subject = this.#subject
    try {
      await db.put('last', 'word')
      subject.states.push(new Map(subject.content).set('/last', 'word'))
      strictEqual(this.#isFailed, false)
    } catch (error) {
      if (!this.#isFailed) throw error
      strictEqual(isLightningError(error, 'LIGHTNING_FAILED'), true)
    }
  }

  async #expectAll(): Promise<void> {
    const { options } = this.#case
    const opened = await openSmall(this.#disk.vfs(), options)
    this.#settle(contentOf(opened.engine))
    await expectVerified(opened)
    await opened.db.put('after all', 'again')
    const content = new Map(this.#subject.content).set('/after all', 'again')
    await this.#expectCopies()
    // What was readable after a failed sync must have been made durable before anything was acknowledged on top of it.
    const last = await openSmall(this.#disk.crash(this.#random.next()).vfs(), options)
    expectContent(contentOf(last.engine), content)
    await expectVerified(last)
    await last.db.close()
  }

  async #expectCopies(): Promise<void> {
    for (const [folder, { commit, isDone }] of this.#copies) {
      let opened: Opened
      try {
        opened = await openSmall(this.#disk.vfs(folder), this.#case.options, false)
      } catch (error) {
        if (isMissing(error) && !isDone) continue
        throw new Error(`${folder} cannot be opened`, { cause: error })
      }
      const state = this.#subject.states[commit]
      if (state !== undefined) expectContent(contentOf(opened.engine), state)
      await expectVerified(opened)
      await opened.db.close()
    }
  }

  /** The state after some commit, or LIGHTNING_CORRUPT: more cannot be asked of a disk that has lied. */
  async #expectPrefix(): Promise<void> {
    try {
      const opened = await openSmall(this.#disk.vfs(), this.#case.options)
      const { problems } = await opened.db.verify()
      const found = contentOf(opened.engine)
      if (problems.length === 0 && !this.#subject.states.some(state => isSame(state, found))) {
        expectContent(found, this.#subject.content)
      }
      await opened.db.close()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
    }
  }
}

function expectAnswers({ db, engine }: Opened, content: Content): void {
  expectContent(contentOf(engine), content)
  for (const [path, value] of content) if (path.startsWith('/')) strictEqual(db.get(path.slice(1)) === value, true)
  strictEqual(db.get('no such key'), undefined)
}

/** Everything the caller sees is one of the package's own errors, and no bug of ours hides behind it. */
function expectTyped(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof InternalError) throw cause
  }
  if (!isLightningError(error)) throw error
  deepStrictEqual(/^.{20,}[.?]$/s.test(error.message), true, error.message)
}

/** Whether the handle answers writes with LIGHTNING_FAILED. */
function isRefusing({ engine }: Opened): boolean {
  try {
    engine.checkWritable()
    return false
  } catch (error) {
    return isLightningError(error, 'LIGHTNING_FAILED')
  }
}
