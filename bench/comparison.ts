// Runs groups of workloads for several engines, in turn and repeatedly, each in a process of its own, and keeps the
// median of the repetitions. In turn, so that a slow minute of a shared machine hits everyone.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Shape } from './data.ts'
import { dataSet } from './data.ts'
import { DiskRest } from './disk-rest.ts'
import type { EngineName } from './engines.ts'
import { type GroupName, planOf } from './groups.ts'
import { ScratchDirectory } from './scratch-directory.ts'
import { median } from './statistics.ts'
import { runGroup } from './task.ts'

export interface ComparisonPlan {
  readonly engines: readonly EngineName[]
  readonly groups: readonly GroupName[]
  readonly shape: Shape
  readonly keys: number
  readonly repeat: number
  /** Where the databases are put, each in a directory of its own that is removed in the end. */
  readonly directory: string
}

/** Per row of the table the median of each engine, and what the repetitions were. */
export interface Comparison {
  readonly keys: number
  readonly shape: Shape
  readonly medians: Readonly<Record<string, Readonly<Partial<Record<EngineName, number>>>>>
  readonly samples: Readonly<Record<string, Readonly<Partial<Record<EngineName, readonly number[]>>>>>
  readonly failures: readonly string[]
}

export async function compare(plan: ComparisonPlan): Promise<Comparison> {
  const samples: Record<string, Partial<Record<EngineName, number[]>>> = {}
  const failures: string[] = []
  using scratch = new ScratchDirectory(plan.directory, 'bench')
  const place = scratch.path
  const disk = new DiskRest(place)
  if (plan.groups.some(group => planOf(group).restsBefore)) await disk.learn()
  for (let round = 1; round <= plan.repeat; round++) {
    for (const group of plan.groups) {
      for (const engine of inTurn(plan.engines, round)) {
        if (planOf(group).lightningOnly && !engine.startsWith('lightning')) continue
        if (planOf(group).restsBefore) process.stderr.write(`waited ${await disk.rest()}\n`)
        const started = performance.now()
        try {
          for (const { row, value } of await runOne(plan, group, engine, place)) {
            const ofRow = samples[row] ?? {}
            samples[row] = ofRow
            ofRow[engine] = [...(ofRow[engine] ?? []), value]
          }
        } catch (error) {
          failures.push(`${engine}, ${group}, round ${round}: ${error instanceof Error ? error.message : error}`)
        }
        const seconds = ((performance.now() - started) / 1000).toFixed(1)
        process.stderr.write(
          `${plan.shape} ${plan.keys.toLocaleString('en')}, ${round}/${plan.repeat}: ${group} ${engine} ${seconds} s\n`
        )
      }
    }
  }
  return { keys: plan.keys, shape: plan.shape, medians: mediansOf(samples), samples, failures }
}

async function runOne({ shape, keys }: ComparisonPlan, group: GroupName, engine: EngineName, place: string) {
  const directory = join(place, `${engine}-${planOf(group).place}`)
  await mkdir(directory, { recursive: true })
  return runGroup({ type: 'group', group, engine, shape, keys, directory, cacheBytes: cacheBytesFor(shape, keys) })
}

/** Room for all data four times, so that reads measure the engine and not the disk; the same for all who have a cache. */
export function cacheBytesFor(shape: Shape, keys: number): number {
  const data = keys * (dataSet(shape, keys).valueBytes + 32)
  return Math.min(3 * 2 ** 30, Math.max(256 << 20, data * 4))
}

/** Another engine begins in every round. */
export function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = (round - 1) % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

export function mediansOf(samples: Comparison['samples']): Comparison['medians'] {
  return Object.fromEntries(
    Object.entries(samples).map(([row, byEngine]) => [
      row,
      Object.fromEntries(Object.entries(byEngine).map(([engine, values]) => [engine, median(values)]))
    ])
  )
}
