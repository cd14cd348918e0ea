// What a crash has left, against what was promised before it.
import { contentOf, type Content, someText } from '../../test/engine/content.ts'
import { expectContent } from '../../test/engine/support.ts'
import type { CrashMood } from '../../test/support/disk-state.ts'
import { Random } from '../../test/support/random.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import { type Counts, sumOf } from '../runner/trial.ts'
import { type Opened, openOtherwise, openSmall } from '../workload/opening.ts'
import { expectVerified, isMissing, isSame } from '../workload/subject.ts'
import type { CrashCase } from './crash-case.ts'
import type { Life, Note } from './crash-life.ts'

/** A moment of a life at which it may crash. */
export type Moment = ReturnType<SimulatedDisk<Note>['moments']> extends Iterable<infer M> ? M : never

/** Either the process alone dies, or the machine; then this says what becomes of changes that were not synced. */
const images: readonly ('process' | CrashMood)[] = ['process', 'lost', 'kept', 'mixed', 'mixed']

/** Examines what crashes of one life leave. A disk with the same content as one before is not examined again. */
export class Survivors {
  readonly #life: Life
  readonly #case: CrashCase
  /** By what the disk holds: the newest commit whose state was found there, -1 for no database. */
  readonly #found = new Map<string, number>()

  constructor(life: Life, testCase: CrashCase) {
    this.#life = life
    this.#case = testCase
  }

  /** Examines all images of a crash at a moment. */
  async examine(moment: Moment): Promise<Counts> {
    let counts: Counts = {}
    for (const [i, kind] of images.entries()) {
      const number = Math.imul(this.#case.seed, 0x9e3779b1) ^ Math.imul(moment.at * images.length + i, 31)
      const random = new Random(number)
      const others = new Random(~number)
      const disk = kind === 'process' ? moment.kill() : moment.crash(random.next(), kind)
      try {
        counts = sumOf(
          counts,
          { images: 1 },
          await this.#examineImage(disk, kind === 'process', moment.notes, random, others)
        )
      } catch (error) {
        throw new Error(`crash after change ${moment.at} of the disk, image ${i} (${kind})`, { cause: error })
      }
    }
    return counts
  }

  async #examineImage(
    disk: SimulatedDisk,
    isProcess: boolean,
    notes: readonly Note[],
    random: Random,
    others: Random
  ): Promise<Counts> {
    const acknowledged = Math.max(0, ...notes.filter(note => note.copy === undefined).map(note => note.commit))
    const state = disk.state()
    const print = `${isProcess ? 'process' : 'machine'} ${state.fingerprint()}`
    let recoveries = 0
    let found = this.#found.get(print)
    if (found === undefined) {
      recoveries = await this.#recover(disk, acknowledged, random, others, commit => {
        found = commit
      })
      this.#found.set(print, found ?? -1)
    }
    if ((found ?? -1) < acknowledged)
      throw new Error(`commit ${acknowledged} was promised, the state is that of ${found}`)
    let copies = 0
    for (const [folder, { commit, isDone }] of copiesOf(notes)) {
      const print = `${folder} ${state.fingerprint(folder)}`
      let seen = this.#found.get(print)
      if (seen === undefined) {
        seen = await this.#openCopy(disk, folder, commit)
        this.#found.set(print, seen)
        copies++
      }
      if (isDone && seen < 0) throw new Error(`${folder} was promised, but there is no database`)
    }
    return { recoveries, copies }
  }

  /** Opens, compares, verifies; writes, crashes again and looks again. Returns how often it was opened. */
  async #recover(
    image: SimulatedDisk,
    acknowledged: number,
    random: Random,
    others: Random,
    tell: (commit: number) => void
  ): Promise<number> {
    const { states } = this.#life
    const disk = new SimulatedDisk<number>(1, image.state()).record()
    const opened = await this.#open(disk, others)
    const found = this.#commitOf(opened, states, acknowledged)
    tell(found)
    await expectVerified(opened)
    // A crash of the process may have shown commits that a crash of the machine now takes away.
    const possible = states.slice(0, found + 1)
    for (let i = 0; i < 2; i++) {
      const [key, value] = [`afterwards ${i}`, someText(random, random.pick([10, 900, 30_000]))]
      await opened.db.put(key, value)
      if (this.#case.options.durability === 'relaxed') await opened.db.flush()
      possible.push(new Map(possible.at(-1)).set(`/${key}`, value))
      disk.note(possible.length - 1)
    }
    if (random.chance(0.3)) await opened.db.checkpoint()
    if (random.chance(0.5)) {
      await opened.db.close()
      return 1
    }
    await this.#expectLater(disk.crash(random.next()), possible, possible.length - 1, others)
    if (!random.chance(0.5)) return 2
    // The recovery itself crashes, at any moment.
    const chosen = random.below(disk.changes + 1)
    for (const moment of disk.moments()) {
      if (moment.at !== chosen) continue
      await this.#expectLater(moment.crash(random.next()), possible, Math.max(acknowledged, ...moment.notes), others)
    }
    return 3
  }

  async #expectLater(
    disk: SimulatedDisk,
    states: readonly Content[],
    acknowledged: number,
    others: Random
  ): Promise<void> {
    const opened = await this.#open(disk, others)
    const found = this.#commitOf(opened, states, acknowledged)
    if (found < acknowledged) throw new Error(`commit ${acknowledged} was promised, the state is that of ${found}`)
    await expectVerified(opened)
    await opened.db.close()
  }

  /** The newest commit whose state this is. */
  #commitOf({ engine }: Opened, states: readonly Content[], acknowledged: number): number {
    const content = contentOf(engine)
    for (let commit = states.length - 1; commit >= 0; commit--) {
      const state = states[commit]
      if (state !== undefined && isSame(state, content)) return commit
    }
    expectContent(content, states[acknowledged] ?? new Map())
    throw new Error('the state is that of no commit')
  }

  /** Opens a copy: -1 when there is none, otherwise the commit, which is the right one. */
  async #openCopy(disk: SimulatedDisk, folder: string, commit: number): Promise<number> {
    let opened: Opened
    try {
      opened = await openSmall(disk.vfs(folder), this.#case.options, false)
    } catch (error) {
      if (isMissing(error)) return -1
      throw new Error(`${folder} cannot be opened`, { cause: error })
    }
    expectContent(contentOf(opened.engine), this.#life.states[commit] ?? new Map())
    await expectVerified(opened)
    await opened.db.close()
    return commit
  }

  /** Who recovers need not have the options of who has written. */
  #open(disk: SimulatedDisk, others: Random): Promise<Opened> {
    return openOtherwise(disk.vfs(), this.#case.options, others)
  }
}

/** The copies that were begun, and whether they were promised. */
function copiesOf(notes: readonly Note[]): Map<string, { readonly commit: number; readonly isDone: boolean }> {
  return new Map(
    notes.flatMap(({ commit, copy }) => (copy === undefined ? [] : [[copy.folder, { commit, isDone: copy.isDone }]]))
  )
}
