// Repetitions of several runs taken together. A shared machine is fast for some minutes and slow for others; the medians
// of repetitions hours apart say more than those of one run.
import { isDeepStrictEqual } from 'node:util'
import { type Comparison, mediansOf } from './comparison.ts'
import type { Machine } from './machine.ts'

/** What a run that compares engines has measured. */
export interface Repetitions {
  readonly machine: Machine
  readonly repeat: number
  readonly comparisons: readonly Comparison[]
}

/**
 * Both runs as one, with the rows of either; throws a `RangeError` unless they were of the same sizes and made on the same
 * kind of machine.
 */
export function together(earlier: Repetitions, later: Repetitions): Repetitions {
  if (!isDeepStrictEqual(undated(earlier.machine), undated(later.machine))) {
    throw new RangeError('the runs were not made on the same kind of machine and version of Node')
  }
  const { comparisons } = earlier
  if (comparisons.length !== later.comparisons.length) throw new RangeError('the runs are not of the same sizes')
  return {
    machine: later.machine,
    repeat: earlier.repeat + later.repeat,
    comparisons: later.comparisons.map((comparison, i) => both(comparisons[i], comparison))
  }
}

function undated({ date, ...machine }: Machine): object {
  return machine
}

function both(earlier: Comparison | undefined, later: Comparison): Comparison {
  const { keys, shape, failures } = later
  if (earlier?.keys !== keys || earlier.shape !== shape) throw new RangeError('the runs are not of the same sizes')
  const samples: Record<string, Record<string, readonly number[]>> = {}
  for (const run of [earlier, later]) {
    for (const [row, byEngine] of Object.entries(run.samples)) {
      const ofRow = samples[row] ?? {}
      samples[row] = ofRow
      for (const [engine, values] of Object.entries(byEngine)) ofRow[engine] = [...(ofRow[engine] ?? []), ...values]
    }
  }
  return { keys, shape, medians: mediansOf(samples), samples, failures }
}
