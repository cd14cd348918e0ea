// One run: traffic, care and samples side by side until the time is over or something is wrong.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Care, type CareKind, careKinds } from './care.ts'
import type { SoakOptions } from './options.ts'
import { mostBytes } from './population.ts'
import { headingLines, lineOf } from './report.ts'
import { fileSizes, heldMemory, openDescriptors, type Sample, Stopwatch } from './sample.ts'
import { readState, writeState } from './state.ts'
import { Traffic } from './traffic.ts'
import type { Limits } from './verdict.ts'
import { soakOptions, World } from './world.ts'

/** At least so many samples in a run, fewer only where the machine is slow, and at least one a minute. */
const usualSamples = 24
const fewestSamples = 10
const longestIntervalSeconds = 60
/** Acts of care: one of every kind in at most two minutes, and no more than one a second. */
const mostCarePerInterval = 4

export interface SoakResult {
  readonly samples: readonly Sample[]
  /** How often each act of care was taken, by this process. */
  readonly care: Readonly<Record<CareKind, number>>
  readonly operations: number
  /** Whether the time was over. */
  readonly isComplete: boolean
}

export function limitsOf(options: SoakOptions): Limits {
  return { tolerance: options.tolerance, mostDataBytes: 1.5 * mostBytes, mostLogBytes: 4 * soakOptions.walBytes }
}

/** Rejects with the first wrong answer or error; `interrupted` ends it early. */
export async function soak(
  options: SoakOptions,
  print: (line: string) => void,
  interrupted: AbortSignal
): Promise<SoakResult> {
  const statePath = join(options.directory, 'state.json')
  const location = join(options.directory, 'db')
  const before = options.resume ? readState(statePath, options.seed, options.rate) : undefined
  if (before === undefined) rmSync(options.directory, { recursive: true, force: true })
  const life = (before?.lives ?? 0) + 1
  const samples: Sample[] = [...(before?.samples ?? [])]
  const startSeconds = samples.at(-1)?.at ?? 0
  const intervalSeconds = Math.min(longestIntervalSeconds, options.seconds / usualSamples)

  const acts = Math.max(1, Math.min(mostCarePerInterval, Math.floor(intervalSeconds)))
  const world = await World.open(location)
  const watch = new Stopwatch()
  // Another life makes other choices.
  const traffic = new Traffic(world, watch, { ...options, seed: options.seed + 1_000 * life })
  const care = new Care(world, traffic, join(options.directory, 'copy'))
  const end = new AbortController()
  interrupted.addEventListener('abort', () => end.abort())
  const meter = new Meter(startSeconds)
  const working = traffic.run().finally(() => end.abort())
  // It is awaited below; until then its failure only ends the samples.
  working.catch(() => undefined)
  const isOver = () => meter.seconds >= options.seconds && samples.length >= fewestSamples

  for (const line of headingLines()) print(line)
  let act = 0
  try {
    while (!isOver() && !end.signal.aborted) {
      for (let i = 0; i < acts && !end.signal.aborted; i++) {
        await pause((intervalSeconds * 1_000) / acts, end.signal)
        await care.take(careKinds[act++ % careKinds.length] ?? 'checkpoint')
      }
      if (end.signal.aborted) break
      const sample: Sample = {
        ...meter.take(traffic.operations),
        life,
        ...(await heldMemory()),
        wasmBytes: world.db.stats().cache.memoryBytes,
        descriptors: await openDescriptors(),
        ...fileSizes(location),
        latency: watch.take()
      }
      samples.push(sample)
      print(lineOf(sample))
      writeState(statePath, { seed: options.seed, rate: options.rate, lives: life, samples })
    }
  } finally {
    traffic.stop()
    watch.end()
  }
  await working
  await traffic.pausedFor(() => care.last())
  return {
    samples,
    care: care.counts,
    operations: traffic.operations,
    isComplete: isOver()
  }
}

/** Less when it is ended. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Time, work and processor time from one sample to the next. */
class Meter {
  readonly #begunMs = performance.now()
  readonly #startSeconds: number
  #lastSeconds: number
  #lastOperations = 0
  #lastCpu = process.cpuUsage()

  /** The run goes on at so many seconds. */
  constructor(startSeconds: number) {
    this.#startSeconds = this.#lastSeconds = startSeconds
  }

  /** Seconds since the begin of the run, interruptions left out. */
  get seconds(): number {
    return this.#startSeconds + (performance.now() - this.#begunMs) / 1_000
  }

  take(operations: number): Pick<Sample, 'at' | 'rate' | 'cpu'> {
    const at = this.seconds
    const span = at - this.#lastSeconds
    const { user, system } = process.cpuUsage(this.#lastCpu)
    const rate = (operations - this.#lastOperations) / span
    this.#lastSeconds = at
    this.#lastOperations = operations
    this.#lastCpu = process.cpuUsage()
    return { at, rate, cpu: (user + system) / 1e6 / span }
  }
}
