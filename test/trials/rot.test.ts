// The short form of the trial `rot`: some bits, and blocks damaged in every way, of every database.
import { describe, expect, test } from 'vitest'
import { rot } from '../../fuzz/trials/rot.ts'
import { baseNames, damages } from '../../fuzz/trials/rot-case.ts'

// The case `bit` is for the small ones.
const cases = baseNames
  .flatMap(base => damages.map(damage => ({ base, damage })))
  .filter(({ base, damage }) => base !== 'large' || damage !== 'bit')

describe('rot is told, never read, and repaired as far as can be', () => {
  test.each(cases)('$base: $damage', { timeout: 60_000 }, async ({ base, damage }) => {
    const count = damage === 'bit' ? 8 : 4
    const { repairs, recovered } = await rot.run({ base, damage, first: 3, step: damage === 'bit' ? 7_919 : 3, count })
    expect(repairs).toBe(count)
    // A file that is cut off before its page table has nothing left that could be trusted.
    if (damage !== 'cut') expect(recovered).toBeGreaterThan(0)
  })
})

describe('the cases', () => {
  test('come back the same from their seed', () => {
    for (const seed of [1, 2, 77, 3_000]) expect(rot.caseOf(seed)).toEqual(rot.caseOf(seed))
  })

  test('get smaller one by one', () => {
    const testCase = rot.caseOf(2)
    for (const smaller of rot.shrink(testCase)) expect(smaller.count).toBeLessThan(testCase.count)
  })
})
