import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Row, rows } from '../../bench/figures.ts'
import { root } from './layout.ts'

// The README's table of figures is that of the recorded run, bench/results/peers.json, or there is none.

interface Recorded {
  readonly machine: {
    readonly processor: string
    readonly cores: number
    readonly runtime: string
    readonly date: string
  }
  readonly repeat: number
  readonly comparisons: readonly {
    readonly keys: number
    readonly medians: Readonly<Record<string, Readonly<Record<string, number>>>>
  }[]
}

const shown = [
  'get-random',
  'get-zipfian',
  'get-hot',
  'get-missing',
  'load-ordered',
  'load-random',
  'scan-all',
  'scan-100',
  'overwrite',
  'durable-one',
  'durable-many',
  'durable-batch',
  'ycsb-a',
  'ycsb-c',
  'ycsb-e',
  'delete',
  'disk',
  'open'
]
const names: Readonly<Record<string, string>> = {
  lightning: 'Lightning DB',
  lmdb: 'lmdb',
  'classic-level': 'classic-level',
  'better-sqlite3': 'better-sqlite3'
}

function format(value: number | undefined, unit: Row['unit']): string {
  if (value === undefined) return '–'
  if (unit !== 'op/s') return `${value.toPrecision(3)} ${unit}`
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M/s` : `${(value / 1e3).toPrecision(3)} k/s`
}

/** The table for a recorded run. */
function tableOf({ machine, repeat, comparisons }: Recorded): string {
  const largest = [...comparisons].sort((a, b) => b.keys - a.keys)[0]
  if (largest === undefined) return ''
  const engines = Object.keys(names)
  const lines = rows
    .filter(({ id }) => shown.includes(id) && largest.medians[id]?.lightning !== undefined)
    .map(
      ({ id, title, unit }) =>
        `| ${title} | ${engines.map(engine => format(largest.medians[id]?.[engine], unit)).join(' | ')} |`
    )
  return [
    `${largest.keys.toLocaleString('en')} keys, values of 100 bytes; ${machine.processor}, ${machine.cores} cores, ` +
      `${machine.runtime}, ${machine.date}; median of ${repeat}. The ratios count more than the figures: the machine is shared.`,
    '',
    `| workload | ${engines.map(engine => names[engine]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(engines.length)}`,
    ...lines
  ].join('\n')
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const section = /<!-- measured -->\n(.*?)\n<!-- \/measured -->/s.exec(readme)?.[1] ?? ''
const path = join(root, 'bench/results/peers.json')

test('the README shows the figures of the recorded run, and none when there is no such run', () => {
  if (existsSync(path)) {
    const recorded: Recorded = JSON.parse(readFileSync(path, 'utf8'))
    expect(section).toContain(tableOf(recorded))
  } else {
    expect(section).toMatch(/^No run is recorded yet\./)
    expect(section).not.toContain('| --- |')
  }
})

test('a table has a line for every workload that was measured, and a dash for an engine that was not', () => {
  const machine = { processor: 'A', cores: 1, runtime: 'Node', date: '2026-01-01' }
  const medians = { 'get-random': { lightning: 1_234_567, lmdb: 400_000 }, open: { lightning: 2.5 } }
  const table = tableOf({ machine, repeat: 3, comparisons: [{ keys: 1000, medians }] })
  const title = (id: string) => rows.find(row => row.id === id)?.title
  expect(table).toContain(`| ${title('get-random')} | 1.23 M/s | 400 k/s | – | – |`)
  expect(table).toContain(`| ${title('open')} | 2.50 ms | – | – | – |`)
})
