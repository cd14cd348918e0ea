import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BrowserName, browserNames } from '../scripts/browsers.mjs'
import { type EngineName, isEngineName } from './engines.ts'
import { type GroupName, isGroupName } from './groups.ts'

export const usage = `usage: npm run bench -- MODE [options]

  --peers         Lightning DB, lmdb, classic-level and better-sqlite3, every workload
  --shapes        the same engines, loads and reads of other shapes of data
  --runtime       Lightning DB over the WebAssembly build of its kernel and over the JavaScript build
  --kernel        the kernel's functions one by one, WebAssembly and JavaScript
  --transactions  bank transfers, 1 to 1,000 at once, among many accounts and among ten
  --connect       clients of connect() beside open(): calls alone and many at once, delays of the client's thread
  --opfs          in Chromium and Firefox, beside IndexedDB and SQLite: every one over files of the browser
  --large         loads, reopens and reads a large database in little memory
  --damaged       flips 100 bits of a large database, then verify and repair

options
  --keys LIST     sizes, such as 10k,100k,1m (default 1m; kernel: 200k; transactions, connect: 100k; opfs: 50k)
  --repeat N      repetitions, the median counts (default 3; transactions, opfs: 1)
  --engines LIST  some of lightning, lmdb, classic-level, better-sqlite3, lightning-js
  --browsers LIST some of chromium, firefox
  --groups LIST   some of the groups of workloads
  --gigabytes N   size for --large (default 10) and --damaged (default 2)
  --dir PATH      where databases are put (default .cache/bench/data, on the disk of this checkout)
  --record        keep the figures as bench/results/MODE.json
  --add           the same for --peers, --shapes and --runtime, together with the repetitions that are kept there
`

const modeNames = [
  'peers',
  'shapes',
  'runtime',
  'kernel',
  'transactions',
  'connect',
  'opfs',
  'large',
  'damaged'
] as const
export type Mode = (typeof modeNames)[number]

/** Sizes and repetitions where they are not the usual ones; those of the first mode asked for. */
const usual = { keys: '1m', repeat: '3', gigabytes: '10' }
const defaults: Readonly<Partial<Record<Mode, Partial<typeof usual>>>> = {
  kernel: { keys: '200k' },
  transactions: { keys: '100k', repeat: '1' },
  connect: { keys: '100k' },
  opfs: { keys: '50k', repeat: '1' },
  damaged: { gigabytes: '2' }
}

export interface BenchOptions {
  readonly keys: readonly number[]
  readonly repeat: number
  readonly engines: readonly EngineName[]
  readonly browsers: readonly BrowserName[]
  /** `undefined`: those of the mode. */
  readonly groups: readonly GroupName[] | undefined
  readonly gigabytes: number
  readonly directory: string
  readonly record: boolean
  readonly add: boolean
}

/** The modes asked for, and everything else; throws a `TypeError` or `RangeError` that says what is wrong. */
export function parseOptions(args: readonly string[]): { modes: Mode[]; options: BenchOptions } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peers: { type: 'boolean' },
      shapes: { type: 'boolean' },
      runtime: { type: 'boolean' },
      kernel: { type: 'boolean' },
      transactions: { type: 'boolean' },
      connect: { type: 'boolean' },
      opfs: { type: 'boolean' },
      large: { type: 'boolean' },
      damaged: { type: 'boolean' },
      keys: { type: 'string' },
      repeat: { type: 'string' },
      engines: { type: 'string', default: 'lightning,lmdb,classic-level,better-sqlite3' },
      browsers: { type: 'string', default: browserNames.join(',') },
      groups: { type: 'string' },
      gigabytes: { type: 'string' },
      dir: { type: 'string', default: '.cache/bench/data' },
      record: { type: 'boolean', default: false },
      add: { type: 'boolean', default: false }
    }
  })
  const modes = modeNames.filter(mode => values[mode] === true)
  const [first] = modes
  const ofMode = { ...usual, ...(first === undefined ? {} : defaults[first]) }
  return {
    modes,
    options: {
      keys: (values.keys ?? ofMode.keys).split(',').map(parseCount),
      repeat: parseCount(values.repeat ?? ofMode.repeat),
      engines: values.engines.split(',').map(name => known(name, isEngineName, 'engine')),
      browsers: values.browsers.split(',').map(name => known(name, isBrowserName, 'browser')),
      groups: values.groups?.split(',').map(name => known(name, isGroupName, 'group')),
      gigabytes: parseSize(values.gigabytes ?? ofMode.gigabytes),
      directory: resolve(values.dir),
      record: values.record,
      add: values.add
    }
  }
}

const multiples: Readonly<Record<string, number>> = { k: 1e3, m: 1e6 }

/** A number such as 500, 10k or 1m. */
function parseCount(text: string): number {
  const [, digits = '', letter = ''] = /^(\d+)([km]?)$/.exec(text) ?? []
  const count = Number(digits) * (multiples[letter] ?? 1)
  if (!(count >= 1)) throw new RangeError(`not a count: ${text}`)
  return count
}

function parseSize(text: string): number {
  const size = Number(text)
  if (!(size > 0 && size < Number.POSITIVE_INFINITY)) throw new RangeError(`not a size: ${text}`)
  return size
}

function isBrowserName(name: string): name is BrowserName {
  return browserNames.some(browser => browser === name)
}

function known<N extends string>(name: string, isKnown: (name: string) => name is N, what: string): N {
  if (!isKnown(name)) throw new RangeError(`no such ${what}: ${name}`)
  return name
}
