import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { trials } from '../../fuzz/trials/index.ts'
import { root } from './layout.ts'
import { plantedBugs } from '../../fuzz/planted-bugs.ts'
import { targets } from '../../fuzz/targets/index.ts'
import {
  type RecordedBugs,
  type RecordedFuzzing,
  type RecordedSoak,
  type RecordedTrial,
  tableOfBugs,
  tableOfFuzzing,
  tableOfSoak,
  tableOfTrials
} from './recorded-tables.ts'

// docs/reliability.md shows the runs that were recorded, as they were recorded.

const folder = join(root, 'fuzz/results')
const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
const recorded: RecordedTrial[] = readdirSync(folder)
  .filter(name => name.startsWith('torture-'))
  .sort()
  .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')))

/** What the document says between a pair of marks. */
function section(name: string): string | undefined {
  return new RegExp(`<!-- ${name} -->\n(.*?)\n<!-- /${name} -->`, 's').exec(text)?.[1]
}

/** The section is the table of the recorded run; before there is one, it says so. */
function expectTable<Recorded>(name: string, file: string, tableOf: (recorded: Recorded) => string): void {
  const path = join(folder, file)
  const wanted = existsSync(path) ? tableOf(JSON.parse(readFileSync(path, 'utf8'))) : 'No run is recorded yet.'
  expect(section(name)).toBe(wanted)
}

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

  test('of planted bugs are of all of them, each caught by a test', () => {
    expectTable('bugs', 'planted-bugs.json', (recorded: RecordedBugs) => {
      expect(recorded.bugs.map(({ number }) => number)).toEqual(plantedBugs.map(({ number }) => number))
      for (const { number, caughtBy } of recorded.bugs) expect(caughtBy, `planted bug ${number}`).toBeDefined()
      return tableOfBugs(recorded)
    })
  })

  test('of fuzzing are of every target, long, and have left nothing open', () => {
    expectTable('fuzzing', 'fuzz.json', (recorded: RecordedFuzzing) => {
      expect(recorded.targets.map(({ target }) => target).sort()).toEqual(targets.map(({ name }) => name).sort())
      for (const { target, findings } of recorded.targets) expect(findings, target).toBe(0)
      expect(recorded.minutes).toBeGreaterThanOrEqual(30)
      return tableOfFuzzing(recorded)
    })
  })

  test('of the soak is of an hour at least, in which nothing grew', () => {
    expectTable('soak', 'soak.json', (recorded: RecordedSoak) => {
      expect(recorded.seconds).toBeGreaterThanOrEqual(60 * 60)
      expect(recorded.complaints).toEqual([])
      for (const { name, since } of recorded.findings) expect(since, name).toBeUndefined()
      return tableOfSoak(recorded)
    })
  })
})
