// The short form of the trial `rot`: some bits, and blocks damaged in every way, of every database.
import { describe, expect, test } from 'vitest'
import { damaged, rot } from '../../fuzz/trials/rot.ts'
import { makeBase } from '../../fuzz/trials/rot-base.ts'
import { baseNames, damages } from '../../fuzz/trials/rot-case.ts'
import { judge } from '../../fuzz/trials/rot-judge.ts'
import { blockBytes } from '../../src/store/format.ts'

// The case `bit` is for the small ones.
const cases = baseNames
  .flatMap(base => damages.map(damage => ({ base, damage })))
  .filter(({ base, damage }) => base !== 'large' || damage !== 'bit')

describe('rot is told, never read, and repaired as far as can be', () => {
  test.each(cases)('$base: $damage', { timeout: 60_000 }, async ({ base, damage }) => {
    const count = damage === 'bit' ? 8 : 4
    const { repairs, recovered } = await rot.run({ base, damage, first: 3, step: damage === 'bit' ? 7_919 : 3, count })
    expect(repairs).toBe(count)
    // A file that is cut off before its page table and the copies has nothing left that could be trusted.
    if (damage !== 'cut') expect(recovered).toBeGreaterThan(0)
  })
})

const tables = ['directory', 'directory copy', 'chunk', 'chunk copy'] as const

test.each(['zero', 'noise', 'older'] as const)(
  'no block of the page table costs anything: %s',
  { timeout: 60_000 },
  async damage => {
    const base = await makeBase('closed')
    for (const kind of tables) {
      const extents = base.anatomy.extents.filter(extent => extent.kind === kind)
      expect(extents).not.toEqual([])
      for (const { from, to } of extents) {
        for (let block = Math.floor(from / blockBytes); block * blockBytes < to; block++) {
          const { recovered } = await judge(base, damaged(base, { base: 'closed', damage }, block))
          expect(recovered).toBe(base.states[0]?.size)
        }
      }
    }
  }
)

describe('the cases', () => {
  test('come back the same from their seed', () => {
    for (const seed of [1, 2, 77, 3_000]) expect(rot.caseOf(seed)).toEqual(rot.caseOf(seed))
  })

  test('get smaller one by one', () => {
    const testCase = rot.caseOf(2)
    for (const smaller of rot.shrink(testCase)) expect(smaller.count).toBeLessThan(testCase.count)
  })
})
