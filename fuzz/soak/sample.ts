// What is looked at once an interval.
import { readdirSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createHistogram,
  type IntervalHistogram,
  monitorEventLoopDelay,
  type RecordableHistogram
} from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Times in microseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const timedKinds = ['get', 'put', 'commit', 'eventLoop'] as const
export type TimedKind = (typeof timedKinds)[number]

export interface Sample {
  /** Seconds since the begin of the run, its interruptions left out. */
  readonly at: number
  /** Which process of the run it is from: what belongs to a process is compared within one. */
  readonly life: number
  readonly rssBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  /** Memory of the kernel. */
  readonly wasmBytes: number
  readonly descriptors: number
  readonly dataBytes: number
  readonly logBytes: number
  /** Operations a second since the last sample. */
  readonly rate: number
  /** Processor time since the last sample, as a part of one core. */
  readonly cpu: number
  readonly latency: Readonly<Record<TimedKind, Latency>>
}

/** Times of operations since they were last asked for, in memory of constant size. */
export class Stopwatch {
  readonly #histograms: Readonly<Record<Exclude<TimedKind, 'eventLoop'>, RecordableHistogram>> = {
    get: createHistogram(),
    put: createHistogram(),
    commit: createHistogram()
  }
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 })

  constructor() {
    this.#delay.enable()
  }

  /** Something took from `startMs` (of `performance.now`) until now. */
  stop(kind: Exclude<TimedKind, 'eventLoop'>, startMs: number): void {
    this.#histograms[kind].record(Math.max(1, Math.round((performance.now() - startMs) * 1e6)))
  }

  take(): Record<TimedKind, Latency> {
    const { get, put, commit } = this.#histograms
    return { get: taken(get), put: taken(put), commit: taken(commit), eventLoop: taken(this.#delay) }
  }

  end(): void {
    this.#delay.disable()
  }
}

function taken(histogram: RecordableHistogram | IntervalHistogram): Latency {
  const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max]
  const isEmpty = histogram.count === 0
  histogram.reset()
  return isEmpty ? { p50: 0, p99: 0, max: 0 } : { p50: p50 / 1e3, p99: p99 / 1e3, max: max / 1e3 }
}

/** Memory that is really held: garbage is collected, and what waits for the collector closed, before it is measured. */
export async function heldMemory(): Promise<Pick<Sample, 'rssBytes' | 'heapBytes' | 'externalBytes'>> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.()
    await nextTurn()
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed, externalBytes: external }
}

/** Open descriptors of this process; 0 where the system does not tell. */
export async function openDescriptors(): Promise<number> {
  for (const directory of ['/proc/self/fd', '/dev/fd']) {
    try {
      return (await readdir(directory)).length
    } catch {
      // Of another system; the next one, or none, is right.
    }
  }
  return 0
}

/** Sizes of the files of a database. */
export function fileSizes(location: string): Pick<Sample, 'dataBytes' | 'logBytes'> {
  let [dataBytes, logBytes] = [0, 0]
  for (const name of readdirSync(location)) {
    const { size } = statSync(join(location, name))
    if (name.startsWith('wal-')) logBytes += size
    else if (name.startsWith('data')) dataBytes += size
  }
  return { dataBytes, logBytes }
}
