import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type EngineName, isEngineName } from './engines.ts'
import { type GroupName, isGroupName } from './groups.ts'

export const usage = `usage: npm run bench -- MODE [options]

  --peers         Lightning DB, lmdb, classic-level and better-sqlite3, every workload
  --shapes        the same engines, loads and reads of other shapes of data
  --runtime       Lightning DB over the WebAssembly build of its kernel and over the JavaScript build
  --kernel        the kernel's functions one by one, WebAssembly and JavaScript
  --transactions  bank transfers, 1 to 1,000 at once, among many accounts and among ten
  --connect       clients of connect() beside open(): calls alone and many at once, delays of the client's thread
  --large         loads, reopens and reads a large database in little memory

options
  --keys LIST     sizes, such as 10k,100k,1m (default 1m; kernel: 200k; transactions, connect: 100k)
  --repeat N      repetitions, the median counts (default 3; transactions: 1)
  --engines LIST  some of lightning, lmdb, classic-level, better-sqlite3, lightning-js
  --groups LIST   some of the groups of workloads
  --gigabytes N   size for --large (default 10)
  --dir PATH      where databases are put (default .cache/bench/data, on the disk of this checkout)
  --record        keep the figures as bench/results/MODE.json
`

export type Mode = 'peers' | 'shapes' | 'runtime' | 'kernel' | 'transactions' | 'connect' | 'large'

export interface BenchOptions {
  readonly keys: readonly number[]
  readonly repeat: number
  readonly engines: readonly EngineName[]
  /** `undefined`: those of the mode. */
  readonly groups: readonly GroupName[] | undefined
  readonly gigabytes: number
  readonly directory: string
  readonly record: boolean
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
      large: { type: 'boolean' },
      keys: { type: 'string' },
      repeat: { type: 'string' },
      engines: { type: 'string', default: 'lightning,lmdb,classic-level,better-sqlite3' },
      groups: { type: 'string' },
      gigabytes: { type: 'string', default: '10' },
      dir: { type: 'string', default: '.cache/bench/data' },
      record: { type: 'boolean', default: false }
    }
  })
  const modes = (['peers', 'shapes', 'runtime', 'kernel', 'transactions', 'connect', 'large'] as const).filter(
    mode => values[mode] === true
  )
  const [first] = modes
  const keys =
    values.keys ?? (modes.includes('kernel') ? '200k' : first === 'transactions' || first === 'connect' ? '100k' : '1m')
  const repeat = values.repeat ?? (first === 'transactions' ? '1' : '3')
  return {
    modes,
    options: {
      keys: keys.split(',').map(parseCount),
      repeat: parseCount(repeat),
      engines: values.engines.split(',').map(name => known(name, isEngineName, 'engine')),
      groups: values.groups?.split(',').map(name => known(name, isGroupName, 'group')),
      gigabytes: Number(values.gigabytes),
      directory: resolve(values.dir),
      record: values.record
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

function known<N extends string>(name: string, isKnown: (name: string) => name is N, what: string): N {
  if (!isKnown(name)) throw new RangeError(`no such ${what}: ${name}`)
  return name
}
