// The short form of the trial `kill`.
import { expect, test } from 'vitest'
import { kill } from '../../fuzz/trials/kill.ts'
import { operationOf } from '../../fuzz/trials/kill-load.ts'

test.each([1, 4])('what a killed process has acknowledged is there: seed %i', { timeout: 120_000 }, async seed => {
  const testCase = kill.caseOf(seed)
  const { kills, acknowledged, commits = 0 } = await kill.run({ ...testCase, lives: testCase.lives.slice(0, 3) })
  expect(kills).toBe(3)
  expect(acknowledged).toBeGreaterThan(0)
  expect(commits).toBeGreaterThanOrEqual(acknowledged ?? 0)
})

test('a commit follows from its number', () => {
  for (let sequence = 1; sequence < 100; sequence++) expect(operationOf(3, sequence)).toEqual(operationOf(3, sequence))
})
