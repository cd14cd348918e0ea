import { describe, expect, it } from 'vitest'
import {
  haveOverlap,
  type KeyRange,
  KeyRanges,
  normalized,
  overlap,
  rangeAt,
  rangesAround
} from '../../src/txn/key-ranges.ts'
import { Random } from '../support/random.ts'

const holds = (ranges: readonly KeyRange[], key: string) =>
  ranges.some(({ from, to }) => key >= from && (to === undefined || key < to))

const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i))

describe('ranges of keys', () => {
  it('have a key in common when some key is in both', () => {
    const random = new Random(5)
    // Ends between the letters too, so that neighbours need not touch.
    const end = () => `${letters[random.below(26)] ?? ''}${random.chance(0.5) ? 'm' : ''}`
    const some = () =>
      normalized(
        Array.from({ length: random.below(5) }, () => ({ from: end(), to: random.chance(0.1) ? undefined : end() }))
      )
    const keys = letters.flatMap(letter => [letter, `${letter}m`])
    for (let round = 0; round < 2_000; round++) {
      const [one, other] = [some(), some()]
      expect(haveOverlap(one, other)).toBe(keys.some(key => holds(one, key) && holds(other, key)))
    }
  })

  it('hold the same keys when they are normalized, in order and apart', () => {
    const random = new Random(3)
    const letter = () => letters[random.below(26)] ?? ''
    for (let round = 0; round < 500; round++) {
      const ranges = Array.from({ length: random.below(6) }, () => ({
        from: letter(),
        to: random.chance(0.1) ? undefined : letter()
      }))
      const result = normalized(ranges)
      for (const key of letters) {
        expect(holds(result, key)).toBe(holds(ranges, key))
        expect(rangeAt(result, key) !== undefined).toBe(holds(ranges, key))
      }
      for (const [i, range] of result.entries()) {
        const next = result[i + 1]
        if (next !== undefined) expect(range.to !== undefined && range.to < next.from).toBe(true)
      }
    }
  })

  it('overlap when they have a key in common', () => {
    const range = (from: string, to?: string): KeyRange => ({ from, to })
    expect(overlap(range('a', 'c'), range('b', 'd'))).toBe(true)
    expect(overlap(range('a', 'b'), range('b', 'd'))).toBe(false)
    expect(overlap(range('a'), range('x', 'y'))).toBe(true)
    expect(overlap(range('x'), range('a', 'b'))).toBe(false)
  })

  it('stay few when many are added, and lose no key', () => {
    const ranges = new KeyRanges()
    const keys = Array.from({ length: 50_000 }, (_, i) => `k${String(i * 7).padStart(8, '0')}`)
    for (const key of keys) ranges.add(key, `${key}\0`)
    expect(ranges.ranges.length).toBeLessThan(20_000)
    expect(keys.filter(key => rangeAt(ranges.ranges, key) === undefined)).toEqual([])
  })

  it('are made around keys', () => {
    const keys = ['d', 'a', 'c', 'b', 'e']
    expect(rangesAround(keys, 2)).toEqual([
      { from: 'a', to: 'c\0' },
      { from: 'd', to: 'e\0' }
    ])
    expect(rangesAround([], 2)).toEqual([])
  })
})
