// The disk reports an error at every call, once or from then on: errors are typed, reads stay right, what was rejected is
// gone, what was acknowledged stays, and everything works again when the fault is over. The long form runs for
// FAULT_MINUTES minutes from FAULT_SEED on.
import { expect, test } from 'vitest'
import type { EngineOptions, Snapshot } from '../../src/engine/engine.ts'
import { InternalError, isLightningError } from '../../src/errors.ts'
import { Random } from '../support/random.ts'
import { type DiskCall, type DiskFault, SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound, type Kind, kinds, Subject } from './support.ts'

const longMinutes = Number(process.env.FAULT_MINUTES ?? 0)
const firstSeed = Number(process.env.FAULT_SEED ?? 1)

type Step = Kind | 'burst'

interface Run {
  readonly seed: number
  readonly steps: readonly Step[]
  readonly options: Partial<EngineOptions>
}

interface Trouble {
  readonly at: number
  readonly lasts: boolean
  readonly fault: DiskFault
}

/** Everything the caller sees is one of the package's own errors, and no bug of ours hides behind it. */
function expectTyped(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof InternalError) throw cause
  }
  if (!isLightningError(error)) throw error
  expect(error.message).toMatch(/^.{20,}[.?]$/s)
}

function isSame(a: Content, b: Content): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

class Sufferer {
  readonly disk: SimulatedDisk
  readonly #run: Run
  readonly #subject: Subject
  /** Only after LIGHTNING_FAILED: what may be found instead of the model. */
  #alternatives: readonly Content[] = []
  #isFailed = false
  #isOver = false

  private constructor(disk: SimulatedDisk, run: Run, subject: Subject) {
    this.disk = disk
    this.#run = run
    this.#subject = subject
  }

  static async open(disk: SimulatedDisk, run: Run): Promise<Sufferer> {
    const open = () =>
      Subject.open(
        () => disk.vfs(),
        run.options,
        new Random(run.seed),
        () => undefined
      )
    let subject: Subject
    try {
      subject = await open()
    } catch (error) {
      expectTyped(error)
      expect(disk.isLocked).toBe(false)
      disk.fault = undefined
      subject = await open()
    }
    return new Sufferer(disk, run, subject)
  }

  async takeSteps(): Promise<void> {
    for (const step of this.#run.steps) {
      if (this.#isOver) return
      await this.#takeStep(step)
    }
  }

  async #takeStep(step: Step): Promise<void> {
    if (step === 'reopen' && this.#isFailed) return this.#reopen()
    const subject = this.#subject
    const snapshot = this.#snapshot()
    const generation = subject.engine.generation
    const before = new Map(subject.content)
    const errors =
      step === 'burst' ? await subject.attemptBurst() : [await subject.attempt(step)].filter(e => e !== undefined)
    for (const error of errors) {
      expectTyped(error)
      if (isLightningError(error, 'LIGHTNING_FAILED') && !this.#isFailed) {
        this.#isFailed = true
        this.#alternatives = subject.failed
      }
    }
    if (step === 'reopen' && errors.length > 0) return this.#reopen()
    if (step === 'reopen') return
    this.#readable(() => {
      expectContent(contentOf(subject.engine), subject.content)
      if (snapshot === undefined) return
      if (subject.engine.generation === generation) {
        expectContent(contentOf(subject.engine, snapshot), before)
        return
      }
      let told: unknown
      try {
        contentOf(subject.engine, snapshot)
      } catch (error) {
        told = error
      }
      expect(isLightningError(told, 'LIGHTNING_CLOSED')).toBe(true)
      expect(told instanceof Error && told.cause).toBeInstanceOf(Error)
    })
    snapshot?.close()
  }

  /** None when memory could not even be rebuilt: then nothing can be read until the database is reopened. */
  #snapshot(): Snapshot | undefined {
    try {
      return this.#subject.engine.snapshot()
    } catch (error) {
      if (!this.#isFailed) throw error
      expectTyped(error)
      return undefined
    }
  }

  /** Reads; they may fail while the disk does, but only with a typed error. */
  #readable(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (this.disk.fault === undefined && !this.#isFailed) throw error
      if (!isLightningError(error)) throw error
      expectTyped(error)
    }
  }

  /** The fault is over: what was refused must work now, or after reopening. */
  async end(random: Random): Promise<void> {
    this.disk.fault = undefined
    const { engine } = this.#subject
    // Without another commit, too: what was rejected must not come back at its place.
    if (!this.#isOver && random.chance(0.5)) {
      try {
        engine.put(engine.tree(path('')), 'last', utf8, 'word', utf8)
        await engine.settled()
        this.#subject.set('/last', 'word')
        expect(this.#isFailed).toBe(false)
      } catch (error) {
        expect(isLightningError(error, 'LIGHTNING_FAILED')).toBe(true)
        expect(this.#isFailed).toBe(true)
      }
    }
    if (!this.#isOver) await this.#reopen(random.chance(0.5) ? random.next() : undefined)
  }

  async #reopen(crashSeed?: number): Promise<void> {
    this.#isOver = true
    const subject = this.#subject
    let { disk } = this
    disk.fault = undefined
    if (crashSeed === undefined) {
      await subject.engine.close().catch(expectTyped)
      expect(disk.isLocked).toBe(false)
    } else disk = disk.crash(crashSeed)
    const engine = await openEngine(disk.vfs(), this.#run.options)
    const found = new Map(contentOf(engine))
    if (!this.#alternatives.some(content => isSame(content, found))) expectContent(found, subject.content)
    await expectSound(engine)
    engine.put(engine.tree(path('')), 'after all', utf8, 'again', utf8)
    await engine.settled()
    found.set('/after all', 'again')
    // What was readable after a failed sync must have been made durable before anything was acknowledged on top of it.
    const last = await openEngine(disk.crash(found.size).vfs(), this.#run.options)
    expectContent(contentOf(last), found)
    await expectSound(last)
    await last.close()
  }
}

async function suffer(run: Run, trouble: Trouble): Promise<void> {
  const disk = new SimulatedDisk(run.seed)
  disk.fault = (call: DiskCall) => {
    if (call.number < trouble.at || (call.number > trouble.at && !trouble.lasts)) return undefined
    return call.kind === 'read' && trouble.fault.code === 'ENOSPC' ? undefined : trouble.fault
  }
  const sufferer = await Sufferer.open(disk, run)
  await sufferer.takeSteps()
  await sufferer.end(new Random(run.seed + trouble.at))
}

async function countCalls(run: Run): Promise<number> {
  const disk = new SimulatedDisk(run.seed)
  const sufferer = await Sufferer.open(disk, run)
  await sufferer.takeSteps()
  await sufferer.end(new Random(0))
  return disk.calls
}

async function sufferEverywhere(run: Run, moments: number): Promise<void> {
  const random = new Random(run.seed)
  const calls = await countCalls(run)
  for (let at = 1; at <= calls; at++) {
    if (!random.chance(moments / calls)) continue
    const code = random.pick(['EIO', 'EIO', 'ENOSPC', 'EACCES'] as const)
    const trouble = { at, lasts: random.chance(0.3), fault: { code, written: random.pick([0, 0.5, 1]) } }
    try {
      await suffer(run, trouble)
    } catch (error) {
      const how = `${code} ${trouble.lasts ? 'from' : 'at'} call ${at}, ${trouble.fault.written} written`
      throw new Error(`seed ${run.seed} (${run.steps.join(', ')}), ${how}`, { cause: error })
    }
  }
}

async function forSeeds(count: number, runOf: (seed: number) => Run, moments: number): Promise<void> {
  const endMs = performance.now() + longMinutes * 60_000
  for (let seed = firstSeed; longMinutes > 0 ? performance.now() < endMs : seed < firstSeed + count; seed++) {
    await sufferEverywhere(runOf(seed), moments)
  }
}

// While others work at the same time it is not known which step an error belongs to.
const steps: readonly [Step, ...Step[]] = ['burst', 'burst', ...kinds.filter(kind => kind !== 'busy')]
const timeoutMs = 120_000 + longMinutes * 120_000

test(
  'an error at any call of a short sequence is told, and nothing else goes wrong',
  async () => {
    const runOf = (seed: number): Run => {
      const random = new Random(seed)
      return { seed, steps: Array.from({ length: 1 + random.below(4) }, () => random.pick(steps)), options: {} }
    }
    await forSeeds(12, runOf, longMinutes > 0 ? 1_000 : 8)
  },
  timeoutMs
)

test(
  'an error at any call of a long sequence is told, and nothing else goes wrong',
  async () => {
    const runOf = (seed: number): Run => {
      const random = new Random(seed)
      const options: Partial<EngineOptions> = {
        walBytes: random.pick([8_192, 65_536]),
        verifyWrites: random.chance(0.2)
      }
      return { seed, steps: Array.from({ length: 12 }, () => random.pick(steps)), options }
    }
    await forSeeds(2, runOf, longMinutes > 0 ? 200 : 15)
  },
  timeoutMs
)
