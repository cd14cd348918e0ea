import { parseArgs } from 'node:util'

export const usage = `usage: npm run soak -- [options]

  --hours N, --minutes N, --seconds N   how long (default 60 minutes)
  --rate N         operations a second (default 400)
  --seed N         where the choices come from (default 1)
  --tolerance N    growth of memory and files that is allowed, as a part of one (default 0.05)
  --dir PATH       where the database and the state are put (default build/soak)
  --resume         goes on with the run that was interrupted in this directory
  --record         keeps the series as fuzz/results/soak.json
  --plant FAULT    makes the traffic leak (memory, descriptors and disk), or lie (an answer): it must be found
`

const faults = ['leak', 'lie'] as const
/** What the traffic can be made to do wrong, so that the soak is seen to fail. */
export type PlantedFault = (typeof faults)[number]

export interface SoakOptions {
  readonly seconds: number
  /** Operations a second. */
  readonly rate: number
  readonly seed: number
  /** Allowed growth of memory and files, as a part of one. */
  readonly tolerance: number
  readonly directory: string
  readonly resume: boolean
  readonly record: boolean
  readonly plant: PlantedFault | undefined
}

/** Throws a `TypeError` or `RangeError` that says what is wrong. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hours: { type: 'string', default: '0' },
      minutes: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '0' },
      rate: { type: 'string', default: '400' },
      seed: { type: 'string', default: '1' },
      tolerance: { type: 'string', default: '0.05' },
      dir: { type: 'string', default: 'build/soak' },
      resume: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      plant: { type: 'string' }
    }
  })
  const plant = faults.find(fault => fault === values.plant)
  if (values.plant !== undefined && plant === undefined) throw new RangeError(`no such fault: ${values.plant}`)
  const seconds = number(values.hours) * 3_600 + number(values.minutes) * 60 + number(values.seconds)
  return {
    seconds: seconds === 0 ? 3_600 : seconds,
    rate: number(values.rate),
    seed: number(values.seed),
    tolerance: number(values.tolerance),
    directory: values.dir,
    resume: values.resume,
    record: values.record,
    plant
  }
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new RangeError(`not a number: ${text}`)
}
