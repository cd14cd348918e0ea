// The cases of the trial `faults`: a short life, and one kind of fault that strikes at each of its calls in turn.
import { Random } from '../../test/support/random.ts'
import type { DiskCall, DiskFault } from '../../test/support/simulated-disk.ts'
import { roomy, type SmallOptions } from '../workload/opening.ts'
import { kinds, type Step } from '../workload/subject.ts'

export const faultNames = [
  'EIO',
  'ENOSPC',
  'EACCES',
  'EMFILE',
  'short read',
  'short write',
  'write of nothing',
  'failing sync',
  'lying sync'
] as const
export type FaultName = (typeof faultNames)[number]

export interface FaultsCase {
  readonly seed: number
  readonly steps: readonly Step[]
  readonly options: SmallOptions
  readonly fault: FaultName
  /** Whether it strikes from then on, or once. */
  readonly lasts: boolean
  /** Only at the calls from one to the other; at every call when missing. */
  readonly between?: readonly [number, number]
}

/** The calls that a fault can strike. */
export function canStrike(fault: FaultName, { kind }: DiskCall): boolean {
  switch (fault) {
    case 'EIO':
      return true
    case 'ENOSPC':
      return kind !== 'read' && kind !== 'remove'
    case 'EACCES':
    case 'EMFILE':
      return kind === 'open' || (fault === 'EACCES' && (kind === 'rename' || kind === 'remove'))
    case 'short read':
      return kind === 'read'
    case 'short write':
    case 'write of nothing':
      return kind === 'write'
    case 'failing sync':
    case 'lying sync':
      return kind === 'sync'
  }
}

/** What happens to a call that it strikes. */
export function strike(fault: FaultName, random: Random): DiskFault {
  switch (fault) {
    case 'EIO':
      return { code: 'EIO', written: random.pick([0, 0.5, 1]) }
    case 'ENOSPC':
      return { code: 'ENOSPC', written: random.pick([0, 0.5]) }
    case 'EACCES':
    case 'EMFILE':
      return { code: fault }
    case 'short read':
    case 'short write':
      return { written: random.pick([0.1, 0.5, 0.99]) }
    case 'write of nothing':
      return { written: 0 }
    case 'failing sync':
      return { code: 'EIO' }
    case 'lying sync':
      return { lies: true }
  }
}

export function caseOf(seed: number): FaultsCase {
  const random = new Random(seed)
  // While others work at the same time it is not known which step an error belongs to, so 'busy' is not among them.
  const steps = Array.from({ length: 1 + random.below(4) }, () => ({ kind: random.pick(kinds), seed: random.next() }))
  // Every fault in turn, once and for good.
  const fault = faultNames[seed % faultNames.length] ?? 'EIO'
  const lasts = Math.floor(seed / faultNames.length) % 2 === 1
  const isFirstRound = seed <= faultNames.length * 2
  const options: SmallOptions = isFirstRound
    ? {}
    : {
        pageSize: random.pick([4_096, 4_096, 8_192]),
        compression: random.pick(['lz4', 'lz4', 'none']),
        walBytes: random.pick([8_192, 16_384, 65_536]),
        verifyWrites: random.chance(0.2),
        ...(random.chance(0.25) ? roomy : {}),
        ...(random.chance(0.25) ? { longKeys: true } : {})
      }
  return { seed, steps, options, fault, lasts }
}

/** Smaller cases, the most promising first. */
export function* shrink(testCase: FaultsCase): Generator<FaultsCase> {
  const { steps, options, between } = testCase
  for (const i of steps.keys()) if (steps.length > 1) yield { ...testCase, steps: steps.toSpliced(i, 1) }
  for (const name of ['longKeys', 'frames', 'verifyWrites', 'compression', 'walBytes', 'pageSize'] as const) {
    if (options[name] === undefined) continue
    const { [name]: _, ...others } = options
    yield { ...testCase, options: others }
  }
  if (testCase.lasts) yield { ...testCase, lasts: false }
  const [from, to] = between ?? [1, 1 << 12]
  if (to <= from) return
  const middle = Math.floor((from + to) / 2)
  yield { ...testCase, between: [from, middle] }
  yield { ...testCase, between: [middle + 1, to] }
}
