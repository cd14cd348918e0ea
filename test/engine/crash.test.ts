// The power fails at every moment: what is found afterwards is the state after some commit, no acknowledged one is
// missing, everything is sound, and it can be written again.
//
// A run is recorded once; the disk as a crash after each of its changes could leave it is made from the record. The long
// form runs for CRASH_MINUTES minutes from CRASH_SEED on.
import { expect, test } from 'vitest'
import type { EngineOptions } from '../../src/engine/engine.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound, type Kind, kinds, Subject } from './support.ts'

const longMinutes = Number(process.env.CRASH_MINUTES ?? 0)
const firstSeed = Number(process.env.CRASH_SEED ?? 1)

interface Run {
  readonly seed: number
  readonly steps: readonly Kind[]
  readonly options: Partial<EngineOptions>
  /** How many moments are looked at (all, if there are fewer), each with three images. */
  readonly moments: number
}

type Acknowledged = number

/** Runs the steps on a recorded disk. */
async function perform(run: Run): Promise<{ disk: SimulatedDisk<Acknowledged>; states: ReadonlyMap<number, Content> }> {
  const disk = new SimulatedDisk<Acknowledged>(run.seed).record()
  const subject = await Subject.open(
    () => disk.vfs(),
    run.options,
    new Random(run.seed),
    lsn => disk.note(lsn)
  )
  for (const step of run.steps) await subject.take(step)
  expectContent(contentOf(subject.engine), subject.content)
  await subject.engine.close()
  return { disk, states: subject.states }
}

/** Opens what a crash left and compares it with the states; then writes, crashes again, and looks again. */
async function examine(
  image: SimulatedDisk,
  run: Run,
  states: ReadonlyMap<number, Content>,
  acknowledged: number,
  random: Random
): Promise<void> {
  const disk = new SimulatedDisk<Acknowledged>(run.seed, image.state()).record()
  const engine = await openEngine(disk.vfs(), run.options)
  const lsn = engine.sequence
  expect(lsn).toBeGreaterThanOrEqual(acknowledged)
  const state = states.get(lsn)
  expect(state).toBeDefined()
  if (state === undefined) return
  expectContent(contentOf(engine), state)
  await expectSound(engine)
  // A crash of the process may have shown commits that a crash of the machine now takes away.
  const again = new Map([...states].filter(([earlier]) => earlier <= lsn))
  const later = new Map(state)
  const last = lsn + 3
  for (let next = lsn + 1; next <= last; next++) {
    // Large values fill the space that only an older checkpoint needs.
    const value = someText(random, random.pick([10, 100_000]))
    engine.put(engine.tree(path('')), `afterwards ${next % 2}`, utf8, value, utf8)
    await engine.settled()
    disk.note(next)
    later.set(`/afterwards ${next % 2}`, value)
    again.set(next, new Map(later))
  }
  if (random.chance(0.5)) await engine.checkpoint()
  await expectOneOf(disk.crash(random.next()), run, again, last)
  // The recovery itself may crash, anywhere; a later crash of the machine takes away what only the process had seen.
  if (!random.chance(0.5)) return
  const chosen = random.below(disk.changes + 1)
  for (const moment of disk.moments()) {
    if (moment.at === chosen)
      await expectOneOf(moment.crash(random.next()), run, again, Math.max(acknowledged, ...moment.notes))
  }
}

async function expectOneOf(
  disk: SimulatedDisk,
  run: Run,
  states: ReadonlyMap<number, Content>,
  acknowledged: number
): Promise<void> {
  const engine = await openEngine(disk.vfs(), run.options)
  expect(engine.sequence).toBeGreaterThanOrEqual(acknowledged)
  const state = states.get(engine.sequence)
  expect(state).toBeDefined()
  if (state !== undefined) expectContent(contentOf(engine), state)
  await expectSound(engine)
  await engine.close()
}

async function crashEverywhere(run: Run): Promise<void> {
  const { disk, states } = await perform(run)
  const random = new Random(run.seed)
  const chance = run.moments / disk.changes
  for (const moment of disk.moments()) {
    if (!random.chance(chance)) continue
    const acknowledged = Math.max(0, ...moment.notes)
    const images = [moment.kill(), moment.crash(random.next()), moment.crash(random.next())]
    for (const [i, image] of images.entries()) {
      try {
        await examine(image, run, states, acknowledged, random)
      } catch (error) {
        const what = `seed ${run.seed} (${run.steps.join(', ')}), crash after change ${moment.at}, image ${i}`
        throw new Error(what, { cause: error })
      }
    }
  }
}

function someSteps(random: Random, count: number): Kind[] {
  return Array.from({ length: count }, () => random.pick(kinds))
}

/** Runs for so many seeds; in the long form, for as long as it was told. */
async function forSeeds(count: number, runOf: (seed: number) => Run): Promise<void> {
  const endMs = performance.now() + longMinutes * 60_000
  for (let seed = firstSeed; longMinutes > 0 ? performance.now() < endMs : seed < firstSeed + count; seed++) {
    await crashEverywhere(runOf(seed))
  }
}

const timeoutMs = 120_000 + longMinutes * 120_000

test(
  'a crash anywhere in a short sequence loses nothing acknowledged',
  async () => {
    await forSeeds(14, seed => {
      const random = new Random(seed)
      const steps = someSteps(random, 1 + random.below(3))
      return { seed, steps, options: {}, moments: longMinutes > 0 ? 1_000 : 4 }
    })
  },
  timeoutMs
)

test(
  'a crash anywhere in a long sequence loses nothing acknowledged',
  async () => {
    await forSeeds(2, seed => {
      const random = new Random(seed)
      const options: Partial<EngineOptions> = {
        pageSize: random.pick([4_096, 8_192]),
        compression: random.pick(['lz4', 'none']),
        walBytes: random.pick([8_192, 65_536]),
        wasm: random.chance(0.1) ? 'off' : undefined
      }
      return { seed, steps: someSteps(random, 40), options, moments: longMinutes > 0 ? 100 : 15 }
    })
  },
  timeoutMs
)

test(
  'a crash while compaction, checkpoints and commits go on together loses nothing acknowledged',
  async () => {
    await forSeeds(2, seed => {
      const steps: Kind[] = ['long batch', 'checkpoint', 'clear', 'checkpoint', 'busy', 'busy', 'clear', 'busy', 'busy']
      const options = { walBytes: 1 << 20, compression: 'none' } as const
      return { seed, steps, options, moments: longMinutes > 0 ? 1_000 : 8 }
    })
  },
  timeoutMs
)
