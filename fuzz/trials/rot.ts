// Rot: every bit of small databases flipped, one at a time, and every block zeroed, overwritten, exchanged with another
// or put back to what it once was, and files cut off at every block. Whatever is read is right or the damage is told, and
// `repair` brings back everything that the damage has not touched.
import { assert } from '../../src/errors.ts'
import { blockBytes } from '../../src/store/format.ts'
import { Random } from '../../test/support/random.ts'
import { type Counts, sumOf, type Trial } from '../runner/trial.ts'
import { makeBase, type RotBase } from './rot-base.ts'
import { caseOf, type RotCase, shrink } from './rot-case.ts'
import { judge, type Rotten } from './rot-judge.ts'

export const rot: Trial<RotCase> = {
  name: 'rot',
  what: 'Every bit flipped and every block damaged: never a wrong answer, and repair gives back what is undamaged.',
  caseOf,
  run,
  shrink
}

async function run(testCase: RotCase): Promise<Counts> {
  const base = await makeBase(testCase.base)
  let counts: Counts = {}
  for (let i = 0; i < testCase.count; i++) {
    const rotten = damaged(base, testCase, testCase.first + i * testCase.step)
    const done = rotten.isOneBit ? { bits: 1 } : { blocks: 1 }
    counts = sumOf(counts, done, await judge(base, rotten))
  }
  return counts
}

/** The database with one damage, at the place with this number. */
export function damaged(
  base: RotBase,
  { base: name, damage }: Pick<RotCase, 'base' | 'damage'>,
  number: number
): Rotten {
  const units = damage === 'bit' ? 8 : 1 / blockBytes
  const sizes = [...base.files].map(([file, bytes]) => ({ file, bytes, places: Math.ceil(bytes.length * units) }))
  const total = sizes.reduce((sum, { places }) => sum + places, 0)
  let place = number % total
  for (const { file, bytes, places } of sizes) {
    if (place >= places) {
      place -= places
      continue
    }
    const changed = bytes.slice()
    const rotten = (from: number, to: number, into = changed): Rotten => ({
      what: `${name}: ${damage} at ${damage === 'bit' ? `bit ${place % 8} of byte ${from}` : `byte ${from}`} of ${file}`,
      files: new Map([...base.files, [file, into]]),
      file,
      ranges: [{ from, to }],
      isOneBit: damage === 'bit',
      isExchange: damage === 'swap'
    })
    if (damage === 'bit') {
      const at = place >>> 3
      changed[at] = (bytes[at] ?? 0) ^ (1 << (place & 7))
      return rotten(at, at + 1)
    }
    const from = place * blockBytes
    const to = Math.min(from + blockBytes, bytes.length)
    if (damage === 'cut') return rotten(from, bytes.length, bytes.slice(0, from))
    if (damage === 'zero') changed.fill(0, from, to)
    if (damage === 'noise') {
      const random = new Random(number)
      for (let at = from; at < to; at++) changed[at] = random.below(256)
    }
    if (damage === 'older') {
      const once = base.older.get(file)?.subarray(from, to)
      if (once !== undefined) changed.set(once, from)
    }
    if (damage === 'swap') {
      const blocks = Math.floor(bytes.length / blockBytes)
      const other = ((place + 1 + (number % Math.max(1, blocks - 1))) % Math.max(1, blocks)) * blockBytes
      changed.set(bytes.subarray(other, other + to - from), from)
      changed.set(bytes.subarray(from, from + blockBytes).subarray(0, Math.max(0, bytes.length - other)), other)
      return {
        ...rotten(from, to),
        ranges: [
          { from, to },
          { from: other, to: other + blockBytes }
        ]
      }
    }
    return rotten(from, to)
  }
  assert(false, 'a place is in one of the files')
}
