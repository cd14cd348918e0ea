// Lightning DB against the databases that can be used from Node, on the same keys, values and order.
import { type Comparison, compare } from './comparison.ts'
import { noGoals, notBelowPeers, ownGoals, printComparison, printModes } from './comparison-table.ts'
import { shapes } from './data.ts'
import { peerGroups, runtimeGroups, shapeGroups } from './groups.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { type Repetitions, together } from './repetitions.ts'
import { readRecorded, saveRecorded, saveResults } from './results.ts'

/** Every workload, at every size asked for. */
export async function benchPeers(options: BenchOptions): Promise<void> {
  const { engines } = options
  const groups = options.groups ?? peerGroups
  const comparisons = []
  for (const keys of options.keys) {
    const comparison = await compare({ ...options, groups, keys, shape: 'users' })
    comparisons.push(comparison)
    printComparison(comparison, engines, ownGoals)
  }
  printModes(engines)
  await save('peers', comparisons, options)
}

/** Loads and reads of every shape of data. */
export async function benchShapes(options: BenchOptions): Promise<void> {
  const { engines } = options
  const groups = options.groups ?? shapeGroups
  const comparisons = []
  for (const keys of options.keys) {
    for (const shape of shapes) {
      const comparison = await compare({ ...options, groups, keys, shape })
      comparisons.push(comparison)
      printComparison(comparison, engines, notBelowPeers)
    }
  }
  printModes(engines)
  await save('shapes', comparisons, options)
}

/** The same program over the kernel's two builds. */
export async function benchRuntime(options: BenchOptions): Promise<void> {
  const engines = ['lightning', 'lightning-js'] as const
  const groups = options.groups ?? runtimeGroups
  const comparisons = []
  for (const keys of options.keys) {
    const comparison = await compare({ ...options, engines, groups, keys, shape: 'users' })
    comparisons.push(comparison)
    printComparison(comparison, engines, noGoals)
  }
  await save('runtime', comparisons, options)
}

async function save(name: string, comparisons: readonly Comparison[], options: BenchOptions): Promise<void> {
  const { repeat, record, add } = options
  const failures = comparisons.flatMap(comparison => comparison.failures)
  const run: Repetitions = { machine: describeMachine(), repeat, comparisons }
  await saveResults(name, run, record && !add, failures)
  if (add && failures.length === 0) await saveRecorded(name, together(await readRecorded(name), run))
}
