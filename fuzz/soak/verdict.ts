// What the series of a soak say: flat, or growing, and since when.
import type { Sample, TimedKind } from './sample.ts'
import { trendOf } from './statistics.ts'

const mib = 1 << 20
/** Part of a process's samples that is its warm-up: caches fill, code is compiled. */
const warmUp = 0.25
/** Fewer samples after the warm-up say nothing. */
const fewestSamples = 6

export interface Limits {
  /** Growth of memory and files that is allowed, as a part of one. */
  readonly tolerance: number
  readonly mostDataBytes: number
  readonly mostLogBytes: number
}

/** Over fewer seconds, files find their size, and times tell more about the machine than about the database. */
const fewestSecondsOfSlow = 600

/** One measure over a run. */
export interface Finding {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly growth: number
  /** What the growth may be. */
  readonly allowed: number
  /** Seconds at which it first stood above what is allowed; undefined: flat. */
  readonly since: number | undefined
}

interface Measure {
  /** Whether it says something only over a long time. */
  readonly isSlow?: boolean
  readonly name: string
  of(sample: Sample): number
  /** Growth that is allowed above the median of the first third. */
  allowed(first: number, limits: Limits): number
}

/** Less than the floor is no growth: noise of collectors and allocators, and of the scheduler for times. */
const partOrFloor = (floor: number) => (first: number, limits: Limits) => Math.max(first * limits.tolerance, floor)
/** Files breathe: how large they are depends on where checkpoint and compaction stand. */
const breath = (floor: number) => (first: number, limits: Limits) => Math.max(first * limits.tolerance * 4, floor)
const factorOrFloor = (factor: number, floor: number) => (first: number) => Math.max(first * (factor - 1), floor)

function latency(kind: TimedKind, part: 'p50' | 'p99', factor: number, floor: number): Measure {
  const name = `${kind} ${part} µs`
  return { isSlow: true, name, of: sample => sample.latency[kind][part], allowed: factorOrFloor(factor, floor) }
}

const measures: readonly Measure[] = [
  { name: 'resident memory', of: sample => sample.rssBytes, allowed: partOrFloor(4 * mib) },
  { name: 'JavaScript heap', of: sample => sample.heapBytes, allowed: partOrFloor(2 * mib) },
  { name: 'external memory', of: sample => sample.externalBytes, allowed: partOrFloor(2 * mib) },
  { name: 'kernel memory', of: sample => sample.wasmBytes, allowed: partOrFloor(mib) },
  { name: 'descriptors', of: sample => sample.descriptors, allowed: () => 0.5 },
  { isSlow: true, name: 'data file', of: sample => sample.dataBytes, allowed: breath(4 * mib) },
  { isSlow: true, name: 'log files', of: sample => sample.logBytes, allowed: breath(4 * mib) },
  latency('get', 'p50', 2, 100),
  latency('get', 'p99', 4, 2_000),
  latency('put', 'p50', 2, 2_000),
  latency('put', 'p99', 4, 50_000),
  latency('commit', 'p50', 2, 4_000),
  latency('commit', 'p99', 4, 100_000)
]

/** Every measure within every process that lasted long enough. */
export function findingsOf(samples: readonly Sample[], limits: Limits): Finding[] {
  const lives = [...new Set(samples.map(sample => sample.life))]
  return lives.flatMap(number => {
    const life = samples.filter(sample => sample.life === number)
    const warm = life.slice(Math.ceil(life.length * warmUp))
    if (warm.length < fewestSamples) return []
    const seconds = (warm.at(-1)?.at ?? 0) - (warm[0]?.at ?? 0)
    const told = measures.filter(({ isSlow }) => isSlow !== true || seconds >= fewestSecondsOfSlow)
    return told.map(measure => findingOf(measure, warm, limits))
  })
}

/** Sentences about what is wrong; none: everything is flat and bounded. */
export function complaintsOf(samples: readonly Sample[], limits: Limits): string[] {
  const grown = findingsOf(samples, limits).flatMap(({ name, first, last, growth, allowed, since }) => {
    if (since === undefined) return []
    const part = first === 0 ? '' : ` (${((growth / first) * 100).toFixed(1)} %)`
    return [
      `${name} grew by ${Math.round(growth)}${part}, ${Math.round(allowed)} is allowed: ` +
        `${Math.round(first)} in the first third, ${Math.round(last)} in the last, above the limit since ${Math.round(since)} s`
    ]
  })
  // Filling an empty database, with old images waiting for checkpoints, takes more for a while.
  const filled = samples.slice(Math.ceil(samples.length * warmUp))
  return [
    ...grown,
    ...overBound('data file', sample => sample.dataBytes, filled, limits.mostDataBytes),
    ...overBound('log files', sample => sample.logBytes, filled, limits.mostLogBytes)
  ]
}

function findingOf({ name, of, allowed }: Measure, warm: readonly Sample[], limits: Limits): Finding {
  const { first, last, growth } = trendOf(warm.map(of))
  const most = allowed(first, limits)
  const above = warm.find(sample => of(sample) > first + most) ?? warm.at(-1)
  const since = growth > most ? above?.at : undefined
  return { name, first, last, growth, allowed: most, since }
}

function overBound(name: string, of: (sample: Sample) => number, samples: readonly Sample[], most: number): string[] {
  const over = samples.find(sample => of(sample) > most)
  if (over === undefined) return []
  return [`${name}: ${of(over)} bytes at ${Math.round(over.at)} s, more than the bound of ${most}`]
}
