// The cases of the trial `model`: how a database is opened, and what is done with it, step by step. A step chooses by a
// seed of its own among what there is at its time, so that any of them can be left out.
import type { KeyEncodingName, ValueEncodingName } from '../../src/index.ts'
import { Random } from '../../test/support/random.ts'

export interface ModelOptions {
  readonly keyEncoding: KeyEncodingName
  readonly valueEncoding: ValueEncodingName
  readonly pageSize: number
  /** Frames of the cache. */
  readonly frames: number
  readonly compression: 'lz4' | 'none'
  readonly walBytes: number
  readonly durability: 'strict' | 'relaxed'
  readonly valueCache: number
  readonly verifyWrites: boolean
  readonly maxSnapshotAgeMs?: number
  readonly wasm?: 'off'
}

/** What a step does; how often each comes. */
const weights = {
  get: 6,
  getMany: 2,
  has: 2,
  read: 2,
  count: 4,
  scan: 10,
  sublevels: 1,
  put: 14,
  del: 5,
  batch: 6,
  clear: 2,
  drop: 1,
  flush: 2,
  snapshot: 3,
  readSnapshot: 6,
  closeSnapshot: 1,
  iterator: 3,
  stepIterator: 6,
  closeIterator: 1,
  begin: 4,
  readInside: 10,
  writeInside: 8,
  savepoint: 2,
  lock: 2,
  commit: 3,
  transaction: 2,
  checkpoint: 2,
  compact: 1,
  verify: 1,
  backup: 0.3,
  reopen: 1,
  crash: 1
} as const

export type StepKind = keyof typeof weights

export interface ModelStep {
  readonly kind: StepKind
  readonly seed: number
}

export interface ModelCase {
  readonly seed: number
  readonly options: ModelOptions
  readonly steps: readonly ModelStep[]
}

/** What a case is reduced to. */
const plainOptions: ModelOptions = {
  keyEncoding: 'utf8',
  valueEncoding: 'utf8',
  pageSize: 4_096,
  frames: 64,
  compression: 'lz4',
  walBytes: 1 << 20,
  durability: 'strict',
  valueCache: 0,
  verifyWrites: false
}

const stepsPerCase = 400

/** Every fourth case is about transactions and those who write beside them. */
const transactional: readonly StepKind[] = [
  'put',
  'del',
  'clear',
  'drop',
  'begin',
  'readInside',
  'writeInside',
  'savepoint',
  'lock',
  'commit',
  'transaction'
]

export function caseOf(seed: number): ModelCase {
  const random = new Random(seed)
  const chosen = seed % 4 === 0 ? transactional : kinds
  const steps = Array.from(
    { length: stepsPerCase },
    (): ModelStep => ({ kind: someKind(random, chosen), seed: random.next() })
  )
  return { seed, options: someOptions(random), steps }
}

function someKind(random: Random, among: readonly StepKind[]): StepKind {
  const total = among.reduce((sum, kind) => sum + weights[kind], 0)
  let left = (random.next() / 0x1_0000_0000) * total
  for (const kind of among) {
    left -= weights[kind]
    if (left < 0) return kind
  }
  return 'put'
}

const isKind = (name: string): name is StepKind => Object.hasOwn(weights, name)
const kinds = Object.keys(weights).filter(isKind)

function someOptions(random: Random): ModelOptions {
  const pageSize = random.pick([4_096, 4_096, 8_192, 16_384, 65_536])
  return {
    keyEncoding: random.pick(['utf8', 'view', 'buffer', 'tuple']),
    valueEncoding: random.pick(['msgpack', 'json', 'utf8', 'view', 'buffer']),
    pageSize,
    frames: random.pick([64, 64, 128, 1_024]),
    compression: random.pick(['lz4', 'lz4', 'none']),
    walBytes: random.pick([16_384, 65_536, 1 << 20]),
    durability: random.pick(['strict', 'strict', 'relaxed']),
    valueCache: random.pick([0, 0, 3, 1_000]),
    verifyWrites: random.chance(0.2),
    ...(random.chance(0.2) ? { maxSnapshotAgeMs: 3_600_000 } : {}),
    ...(random.chance(0.2) ? { wasm: 'off' as const } : {})
  }
}

/** Fewer steps, many at once first; then plainer options. */
export function* shrink(testCase: ModelCase): Generator<ModelCase> {
  const { steps, options } = testCase
  for (let width = steps.length >> 1; width >= 1; width >>= 1) {
    for (let from = steps.length - width; from > -width; from -= width) {
      const left = steps.toSpliced(Math.max(0, from), width + Math.min(0, from))
      if (left.length > 0) yield { ...testCase, steps: left }
    }
  }
  if (options.wasm !== undefined || options.maxSnapshotAgeMs !== undefined) {
    const { wasm: _, maxSnapshotAgeMs: __, ...others } = options
    yield { ...testCase, options: others }
  }
  for (const name of Object.keys(plainOptions)) {
    const plain = Object.entries(plainOptions).find(([other]) => other === name)?.[1]
    if (Object.entries(options).some(([other, value]) => other === name && value !== plain))
      yield { ...testCase, options: { ...options, [name]: plain } }
  }
}
