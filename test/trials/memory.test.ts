// The short form of the trial `memory`.
import { expect, test } from 'vitest'
import { memory } from '../../fuzz/trials/memory.ts'
import { assert } from '../../src/errors.ts'

test.each([
  [2, 'JavaScript, once'],
  [6, 'WebAssembly, for good']
])('memory that does not grow leaves everything right: seed %i, %s', { timeout: 60_000 }, async seed => {
  const { bounds, load, ...testCase } = memory.caseOf(seed)
  assert(bounds !== undefined, 'memory is bounded')
  const smaller = { ...testCase, load: { ...load, steps: 12 } }
  const none = await memory.run({ ...smaller, bounds: { ...bounds, from: -30, to: -30 } })
  expect(none).toMatchObject({ bounds: 1, refusedOpenings: 1 })
  // Enough for opening, and not for all that follows.
  const { refused = 0, answers = 0 } = await memory.run({
    ...smaller,
    bounds: { ...bounds, from: 0, to: 0 }
  })
  expect(refused).toBeGreaterThan(0)
  expect(answers).toBeGreaterThan(5_000)
})

test.each([3, 4, 5])(
  'little memory for much to do is enough: seed %i',
  async seed => {
    const testCase = memory.caseOf(seed)
    const { operations = 0 } = await memory.run({ ...testCase, load: { ...testCase.load, steps: 60 } })
    expect(operations).toBeGreaterThan(60)
  },
  60_000
)

test('the cases come back the same from their seed, and get smaller', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const testCase = memory.caseOf(seed)
    expect(memory.caseOf(seed)).toEqual(testCase)
    for (const smaller of memory.shrink(testCase)) expect(smaller).not.toEqual(testCase)
  }
})
