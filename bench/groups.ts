import { cold } from './workloads/cold.ts'
import type { Group } from './workloads/context.ts'
import { durable } from './workloads/durable.ts'
import { largeValue } from './workloads/large-value.ts'
import { loadOrdered, loadRandom, loadShape } from './workloads/loading.ts'
import { memory } from './workloads/memory.ts'
import { crashing, opening, recovering } from './workloads/opening.ts'
import { overwriting, pausing } from './workloads/overwriting.ts'
import { reading, readingOfShape } from './workloads/reading.ts'
import { valueCache } from './workloads/value-cache.ts'
import { ycsb } from './workloads/ycsb.ts'

/** A group of workloads and how it is to be run. */
export interface GroupPlan {
  readonly run: Group
  /** Which directory of the engine's it works in: `loaded` is made by `load-ordered` and kept for others. */
  readonly place: 'loaded' | 'scratch'
  /** Only Lightning DB has what is measured. */
  readonly lightningOnly?: boolean
  /** The process ends itself with SIGKILL. */
  readonly dies?: boolean
  /** What is measured is how fast the disk syncs; it is to have rested from what the groups before have written. */
  readonly restsBefore?: boolean
}

/** In the order in which they run. */
export const groups = {
  'load-ordered': { run: loadOrdered, place: 'loaded' },
  open: { run: opening, place: 'loaded' },
  read: { run: reading, place: 'loaded' },
  cold: { run: cold, place: 'loaded', lightningOnly: true },
  ycsb: { run: ycsb, place: 'loaded' },
  overwrite: { run: overwriting, place: 'loaded' },
  pause: { run: pausing, place: 'loaded' },
  'load-random': { run: loadRandom, place: 'scratch' },
  durable: { run: durable, place: 'scratch', restsBefore: true },
  crash: { run: crashing, place: 'scratch', lightningOnly: true, dies: true },
  recover: { run: recovering, place: 'scratch', lightningOnly: true },
  'value-cache': { run: valueCache, place: 'scratch', lightningOnly: true },
  memory: { run: memory, place: 'scratch' },
  'large-value': { run: largeValue, place: 'scratch', lightningOnly: true },
  'load-shape': { run: loadShape, place: 'scratch' },
  'read-shape': { run: readingOfShape, place: 'scratch' }
} as const satisfies Record<string, GroupPlan>

export type GroupName = keyof typeof groups

export function planOf(name: GroupName): GroupPlan {
  return groups[name]
}

export function isGroupName(name: string): name is GroupName {
  return Object.hasOwn(groups, name)
}

/** What `--peers` runs. */
export const peerGroups: readonly GroupName[] = [
  'load-ordered',
  'open',
  'read',
  'cold',
  'ycsb',
  'overwrite',
  'pause',
  'load-random',
  'durable',
  'crash',
  'recover',
  'value-cache',
  'memory',
  'large-value'
]

/** What `--runtime` runs: all that depends on the kernel more than on the disk. */
export const runtimeGroups: readonly GroupName[] = ['load-ordered', 'open', 'read', 'ycsb', 'overwrite', 'load-random']

/** What `--shapes` runs for every shape. */
export const shapeGroups: readonly GroupName[] = ['load-shape', 'read-shape']
