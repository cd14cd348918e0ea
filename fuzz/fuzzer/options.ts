import { parseArgs } from 'node:util'
import type { TargetEntry } from './target.ts'

export interface FuzzOptions {
  /** How long the whole run takes. */
  readonly minutes: number
  readonly targets: readonly TargetEntry[]
  readonly seed: number
  /** How many processes work at once. */
  readonly jobs: number
  /** Only this input, once, on the one target. */
  readonly input: string | undefined
  readonly record: boolean
}

export function usageOf(targets: readonly TargetEntry[]): string {
  const names = targets.map(({ name, what }) => `    ${name.padEnd(12)} ${what}`).join('\n')
  return `usage: npm run fuzz -- [options]

  --minutes N    how long (default 10), shared by the targets
  --only LIST    some of the targets below (default all, in turn)
  --seed N       of the changes (default 1)
  --jobs N       processes at once (default 1)
  --input FILE   this input of the one target named by --only
  --record       keeps the totals as fuzz/results/fuzz.json

targets
${names}
`
}

/** The options of the command line. Throws a `RangeError` or `TypeError` that says what is wrong. */
export function parseFuzzOptions(args: readonly string[], all: readonly TargetEntry[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      input: { type: 'string' },
      record: { type: 'boolean', default: false }
    }
  })
  const targets =
    values.only?.split(',').map(name => {
      const target = all.find(one => one.name === name)
      if (target === undefined) throw new RangeError(`no such target: ${name}`)
      return target
    }) ?? all
  if (values.input !== undefined && (values.only === undefined || targets.length !== 1)) {
    throw new RangeError('an input belongs to one target: name it with --only')
  }
  return {
    minutes: positive(values.minutes, 'number of minutes'),
    targets,
    seed: positive(values.seed, 'seed'),
    jobs: Math.ceil(positive(values.jobs, 'number of processes')),
    input: values.input,
    record: values.record
  }
}

function positive(text: string, what: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new RangeError(`not a ${what}: ${text}`)
  return number
}
