// The short form of the trial `faults`: every kind of fault, once and for good, at a few calls of a short life each.
import { expect, test } from 'vitest'
import { faults } from '../../fuzz/trials/faults.ts'
import { faultNames } from '../../fuzz/trials/faults-case.ts'

const cases = Array.from({ length: 2 * faultNames.length }, (_, i) => {
  const testCase = faults.caseOf(i + 1)
  const steps = testCase.steps.slice(0, 2)
  const first = 1 + 5 * (i % 3)
  const name = `${testCase.fault}, ${testCase.lasts ? 'from then on' : 'once'}, in: ${steps.map(({ kind }) => kind)}`
  return { name, testCase: { ...testCase, steps, between: [first, first + 4] as const } }
})

test.each(cases)('is told, and nothing else goes wrong: $name', async ({ testCase }) => {
  const { lives = 0, faults: struck = 0 } = await faults.run(testCase)
  // Of the last one at most, every call has gone well.
  expect(struck).toBeGreaterThanOrEqual(lives - 1)
  expect(lives).toBeGreaterThan(0)
})

test('every fault has its turn, once and for good', () => {
  const all = Array.from({ length: 2 * faultNames.length }, (_, i) => faults.caseOf(i + 1))
  expect(new Set(all.map(({ fault, lasts }) => `${fault} ${lasts}`)).size).toBe(2 * faultNames.length)
})
