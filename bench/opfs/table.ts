import type { BrowserName } from '../../test/browser/browser.ts'
import { median } from '../statistics.ts'
import { printTable } from '../table.ts'
import { type StoreName, storeNames, storeTitles } from './store.ts'
import { type OpfsFigures, type OpfsRow, opfsRows } from './workloads.ts'

/** One run of one store. */
export interface StoreFigures {
  readonly store: StoreName
  readonly figures: OpfsFigures
  /** Blocks of 4 KiB written and flushed in a second, in the same run; of `lightning` only. */
  readonly floor?: number
}

/** Everything that was measured in one browser. */
export interface BrowserFigures {
  readonly browser: BrowserName
  readonly version: string
  readonly runs: readonly StoreFigures[]
  readonly failures: readonly string[]
}

/** So many times faster than those `open` in a worker is to be, in every row. */
const goals = { indexeddb: 5, sqlite: 3 } as const

/** A table for every browser: medians, ratios, and whether they are what they should be. */
export function printOpfs(browsers: readonly BrowserFigures[], keys: number): void {
  for (const { version, runs, failures } of browsers) {
    process.stdout.write(
      `\n${version}: ${keys.toLocaleString('en')} keys such as user:0000012345, values of 100 bytes, operations a second\n\n`
    )
    printTable([
      [
        'workload',
        'durability',
        ...storeNames.map(name => storeTitles[name].title),
        `to IndexedDB (≥ ${goals.indexeddb})`,
        `to sqlite-wasm (≥ ${goals.sqlite})`
      ],
      ...opfsRows.map(row => lineOf(row, runs))
    ])
    const floor = median(runs.flatMap(run => run.floor ?? []))
    const puts = median(runs.flatMap(({ store, figures }) => (store === 'lightning' ? figures['put-strict'] : [])))
    process.stdout.write(
      `\nThe floor of durable writes one after the other, 4 KiB written and flushed: ${format(floor)} a second; ` +
        `lightning comes to ${(puts / floor).toFixed(2)} of it.\n`
    )
    for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
  }
  const modes = storeNames.map(name => `${storeTitles[name].title}: ${storeTitles[name].modes}`)
  process.stdout.write(`\n${modes.join('\n')}\n`)
}

function lineOf({ id, title, durability }: OpfsRow, runs: readonly StoreFigures[]): string[] {
  const of = (store: StoreName): number =>
    median(runs.filter(run => run.store === store).map(({ figures }) => figures[id]))
  return [
    title,
    durability,
    ...storeNames.map(name => format(of(name))),
    verdict(of('lightning') / of('indexeddb'), goals.indexeddb),
    verdict(of('lightning') / of('sqlite'), goals.sqlite)
  ]
}

function verdict(ratio: number, goal: number): string {
  if (Number.isNaN(ratio)) return '–'
  return `${ratio.toFixed(ratio < 10 ? 1 : 0)} × ${ratio >= goal ? 'reached' : 'missed '}`
}

function format(perSecond: number): string {
  if (Number.isNaN(perSecond)) return '–'
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M`
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(perSecond < 1e4 ? 1 : 0)} k`
  return perSecond.toFixed(0)
}
