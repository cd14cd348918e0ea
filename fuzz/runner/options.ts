import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Trial } from './trial.ts'

export interface TortureOptions {
  /** How long the whole run takes; infinite when only cases are counted. */
  readonly minutes: number
  /** At most so many cases of each trial. */
  readonly cases: number
  readonly trials: readonly Trial<unknown>[]
  /** Where each trial begins. */
  readonly firstSeed: number
  /** Only this case or seed, once. */
  readonly replay: { readonly seed: number } | { readonly testCase: unknown } | undefined
  readonly resume: boolean
  readonly record: boolean
}

export function usageOf(trials: readonly Trial<unknown>[]): string {
  const names = trials.map(({ name, what }) => `    ${name.padEnd(12)} ${what}`).join('\n')
  return `usage: npm run torture -- [options]

  --minutes N    how long (default 10)
  --cases N      ends each trial after so many cases; without --minutes however long that takes
  --only LIST    some of the trials below (default all, in turn)
  --seed N       begins there (default 1); without --minutes and --cases: this seed alone
  --case JSON    this case of the one trial named by --only, or the name of a file that holds it
  --resume       goes on where the last run was
  --record       keeps the totals as fuzz/results/torture-TRIAL.json

trials
${names}
`
}

/** The options of the command line. Throws a `RangeError` or `TypeError` that says why. */
export function parseOptions(args: readonly string[], all: readonly Trial<unknown>[]): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      cases: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string' },
      case: { type: 'string' },
      resume: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false }
    }
  })
  const trials =
    values.only?.split(',').map(name => {
      const trial = all.find(one => one.name === name)
      if (trial === undefined) throw new RangeError(`no such trial: ${name}`)
      return trial
    }) ?? all
  const seed = values.seed === undefined ? undefined : positive(values.seed, 'seed')
  if (seed !== undefined && !Number.isInteger(seed)) throw new RangeError(`not a seed: ${values.seed}`)
  if (values.case !== undefined && (values.only === undefined || trials.length !== 1)) {
    throw new RangeError('a case belongs to one trial: name it with --only')
  }
  const { minutes, cases } = values
  const isBounded = minutes !== undefined || cases !== undefined
  return {
    minutes: positive(minutes ?? (cases === undefined ? '10' : 'Infinity'), 'number of minutes'),
    cases: positive(cases ?? 'Infinity', 'number of cases'),
    trials,
    firstSeed: seed ?? 1,
    replay: replayOf(values.case, isBounded ? undefined : seed),
    resume: values.resume,
    record: values.record
  }
}

function replayOf(testCase: string | undefined, seed: number | undefined): TortureOptions['replay'] {
  if (testCase === undefined) return seed === undefined ? undefined : { seed }
  const text = existsSync(testCase) ? readFileSync(testCase, 'utf8') : testCase
  return { testCase: JSON.parse(text) }
}

function positive(text: string, what: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new RangeError(`not a ${what}: ${text}`)
  return number
}
