import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { trials } from '../../fuzz/trials/index.ts'
import { root } from './layout.ts'
import { type RecordedTrial, tableOfTrials } from './recorded-tables.ts'

// docs/reliability.md shows the runs that were recorded, as they were recorded.

const folder = join(root, 'fuzz/results')
const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
const recorded: RecordedTrial[] = readdirSync(folder)
  .filter(name => name.startsWith('torture-'))
  .sort()
  .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')))

describe('the recorded runs', () => {
  test('stand in the document', () => {
    expect(text).toContain(tableOfTrials(recorded))
  })

  test('are of every trial, long, and found nothing wrong', () => {
    expect(recorded.map(({ trial }) => trial).sort()).toEqual(trials.map(({ name }) => name).sort())
    for (const { trial, failures, seconds } of recorded) {
      expect(failures, trial).toBe(0)
      expect(seconds, trial).toBeGreaterThanOrEqual(30 * 60)
    }
  })
})
