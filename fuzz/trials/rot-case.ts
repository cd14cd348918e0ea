// The cases of the trial `rot`: a database, a kind of damage, and which of all its places are damaged, one at a time.
// Every place comes up once before any comes up again, and the first cases already reach all parts of the files.
import { Random } from '../../test/support/random.ts'

/** What a place is damaged with: a flipped bit; a block zeroed, filled with noise, exchanged, or as it once was; the end cut off. */
export const damages = ['bit', 'zero', 'noise', 'swap', 'older', 'cut'] as const
export type Damage = (typeof damages)[number]

/** The databases that are damaged. */
export const baseNames = ['closed', 'crashed', 'large'] as const
export type BaseName = (typeof baseNames)[number]

export interface RotCase {
  readonly base: BaseName
  readonly damage: Damage
  /** The first place, counted in bits or blocks over all files; it wraps around at their end. */
  readonly first: number
  /** From one place to the next. */
  readonly step: number
  readonly count: number
}

const bitsPerCase = 48
const blocksPerCase = 12
/** Odd and prime, so that steps of so many places reach all of them. */
const stride = 7_919

export function caseOf(seed: number): RotCase {
  const random = new Random(seed)
  const turn = seed - 1
  // Flips are by far the most places, and the large database is too large for them.
  const damage = turn % 2 === 0 ? 'bit' : random.pick<Damage>(['zero', 'noise', 'swap', 'older', 'cut'])
  const base = damage === 'bit' ? random.pick<BaseName>(['closed', 'crashed']) : random.pick<BaseName>(baseNames)
  const count = damage === 'bit' ? bitsPerCase : blocksPerCase
  return { base, damage, first: turn * count * stride, step: stride, count }
}

export function* shrink(testCase: RotCase): Generator<RotCase> {
  const { first, step, count } = testCase
  if (count === 1) return
  const half = Math.floor(count / 2)
  yield { ...testCase, count: half }
  yield { ...testCase, first: first + half * step, count: count - half }
}
