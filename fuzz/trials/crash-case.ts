// The cases of the trial `crash`: every sequence of up to three operations once, with the smallest options; then again
// and again with random options, and long sequences among them.
import { Random } from '../../test/support/random.ts'
import { roomy, type SmallOptions } from '../workload/opening.ts'
import { type Kind, kinds, type Step } from '../workload/subject.ts'

export interface CrashCase {
  readonly seed: number
  /** Whether there is a database in the beginning. */
  readonly start: 'empty' | 'filled'
  readonly steps: readonly Step[]
  readonly options: SmallOptions
  /** A crash at so many of its calls, chosen at random; at all of them when missing. */
  readonly moments?: number
  /** Only crashes between these two changes of the disk. */
  readonly between?: readonly [number, number]
}

/** Sequences of up to three operations: 11 + 121 + 1,331. */
export const sequences = kinds.length + kinds.length ** 2 + kinds.length ** 3

/** The sequence with this number, the short ones first. */
export function sequenceOf(number: number): readonly Kind[] {
  let length = 1
  let rest = number
  for (; rest >= kinds.length ** length; length++) rest -= kinds.length ** length
  return Array.from(
    { length },
    (_, i) => kinds[Math.floor(rest / kinds.length ** (length - 1 - i)) % kinds.length] ?? 'open'
  )
}

export function caseOf(seed: number): CrashCase {
  const random = new Random(seed)
  const number = (seed - 1) % sequences
  const round = Math.floor((seed - 1) / sequences)
  const steps = (kinds: readonly Kind[]): Step[] => kinds.map(kind => ({ kind, seed: random.next() }))
  if (round > 0 && seed % 10 === 0) return longCase(seed, random)
  const sequence = sequenceOf(number)
  const start = sequence[0] === 'open' ? 'empty' : 'filled'
  return { seed, start, steps: steps(sequence), options: round === 0 ? {} : someOptions(random) }
}

/** A long life, with crashes at some of its calls. */
function longCase(seed: number, random: Random): CrashCase {
  const choice = [...kinds, 'busy'] as const
  const steps = Array.from({ length: 30 }, (): Step => ({ kind: random.pick(choice), seed: random.next() }))
  return { seed, start: random.chance(0.5) ? 'empty' : 'filled', steps, options: someOptions(random), moments: 40 }
}

function someOptions(random: Random): SmallOptions {
  return {
    pageSize: random.pick([4_096, 4_096, 8_192, 16_384, 65_536]),
    compression: random.pick(['lz4', 'lz4', 'none']),
    walBytes: random.pick([8_192, 16_384, 65_536, 1 << 20]),
    verifyWrites: random.chance(0.1),
    durability: random.chance(0.2) ? 'relaxed' : 'strict',
    ...(random.chance(0.1) ? { wasm: 'off' as const } : {}),
    ...(random.chance(0.25) ? roomy : {}),
    ...(random.chance(0.3) ? { longKeys: true } : {})
  }
}

/** Smaller cases, the most promising first. */
export function* shrink(testCase: CrashCase): Generator<CrashCase> {
  const { steps, between, options } = testCase
  if (testCase.moments !== undefined && between === undefined) {
    const { moments: _, ...all } = testCase
    yield { ...all, between: [0, 1 << 20] }
  }
  for (const i of steps.keys()) if (steps.length > 1) yield { ...testCase, steps: steps.toSpliced(i, 1) }
  if (testCase.start === 'filled') yield { ...testCase, start: 'empty' }
  for (const name of [
    'longKeys',
    'wasm',
    'frames',
    'verifyWrites',
    'compression',
    'walBytes',
    'pageSize',
    'durability'
  ] as const) {
    if (options[name] === undefined) continue
    const { [name]: _, ...others } = options
    yield { ...testCase, options: others }
  }
  const [from, to] = between ?? [0, 1 << 16]
  if (to <= from) return
  const middle = Math.floor((from + to) / 2)
  yield { ...testCase, between: [from, middle] }
  yield { ...testCase, between: [middle + 1, to] }
}
