import { printTable } from '../../bench/table.ts'
import { formatTime } from './progress.ts'
import type { TrialRecord } from './record.ts'
import type { Counts, Trial } from './trial.ts'

/** Counts in one line, all or the first few. */
export function summaryOf(counts: Counts, most = Number.POSITIVE_INFINITY): string {
  return Object.entries(counts)
    .slice(0, most)
    .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
    .join(', ')
}

/** The table at the end of a run. */
export function printRecords(trials: readonly Trial<unknown>[], records: readonly TrialRecord[]): void {
  const rows = records.map(({ trial, cases, seconds, failures }) => [
    trial,
    cases.toLocaleString('en'),
    formatTime(seconds),
    failures.toLocaleString('en')
  ])
  printTable([['trial', 'cases', 'time', 'failed'], ...rows])
  for (const { trial, counts } of records) {
    const what = trials.find(({ name }) => name === trial)?.what ?? ''
    process.stdout.write(`\n${trial}: ${what}\n  ${summaryOf(counts)}\n`)
  }
}
