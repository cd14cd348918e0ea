import { type Comparison, cacheBytesFor } from './comparison.ts'
import { shapeTitles } from './data.ts'
import { type EngineName, engines } from './engines.ts'
import { type Goal, moreIsBetter, type Row, rows, type Unit } from './figures.ts'
import { printTable } from './table.ts'

/** Prints what was measured: the first engine is held against the best of the others, or against a bound. */
export function printComparison(comparison: Comparison, names: readonly EngineName[], goals: Goals): void {
  const { keys, shape, medians, failures } = comparison
  const cacheMiB = cacheBytesFor(shape, keys) >>> 20
  const [first, ...others] = names
  if (first === undefined) return
  process.stdout.write(
    `\n${keys.toLocaleString('en')} keys, ${shapeTitles[shape]}; ${cacheMiB.toLocaleString('en')} MiB of cache each\n\n`
  )
  const lines = rows.flatMap(row => {
    const byEngine = medians[row.id]
    if (byEngine === undefined) return []
    const own = byEngine[first]
    const best = bestOf(
      others.flatMap(name => byEngine[name] ?? []),
      row.unit
    )
    const ratio = own === undefined || best === undefined ? undefined : own / best
    return [
      [
        row.title,
        ...names.map(name => formatValue(byEngine[name], row.unit)),
        ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
        ...verdict(goals(row), row.unit, own, ratio)
      ]
    ]
  })
  printTable([['workload', ...names.map(name => engines[name].name), 'to the best', 'goal', ''], ...lines])
  for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
}

/** Which goal a row has in this table. */
export type Goals = (row: Row) => Goal | undefined

export const ownGoals: Goals = row => row.goal

/** None may fall below the best peer. */
export const notBelowPeers: Goals = () => ({ against: 'best peer', factor: 1 })

export const noGoals: Goals = () => undefined

/** What the modes of durability are for each engine. */
export function printModes(names: readonly EngineName[]): void {
  const lines = names.map(name => {
    const { version, modes } = engines[name]
    return [`${engines[name].name} ${version}`, `strict: ${modes.strict}`, `relaxed: ${modes.relaxed}`]
  })
  process.stdout.write(`\n${lines.map(line => line.join(' · ')).join('\n')}\n`)
  process.stdout.write(
    'Values are bytes of their own (not views into the engine). All but the durable rows run relaxed.\n' +
      'Rows of YCSB: one client, each operation done before the next. Overwrites, deletes: up to 1,000 under way at once.\n'
  )
}

function verdict(goal: Goal | undefined, unit: Unit, own: number | undefined, ratio: number | undefined): string[] {
  if (goal === undefined) return []
  const more = moreIsBetter(unit)
  const sign = more ? '≥' : '≤'
  const text = goal.against === 'bound' ? `${sign} ${formatValue(goal.value, unit)}` : `${sign} ${goal.factor} ×`
  const measured = goal.against === 'bound' ? own : ratio
  if (measured === undefined) return [text, '–']
  const wanted = goal.against === 'bound' ? goal.value : goal.factor
  return [text, (more ? measured >= wanted : measured <= wanted) ? 'reached' : 'missed']
}

function bestOf(values: readonly number[], unit: Unit): number | undefined {
  if (values.length === 0) return undefined
  return moreIsBetter(unit) ? Math.max(...values) : Math.min(...values)
}

function formatValue(value: number | undefined, unit: Unit): string {
  if (value === undefined) return '–'
  if (unit === 'op/s') return scaled(value)
  if (unit === 'ratio') return value.toFixed(2)
  return `${value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0)} ${unit}`
}

function scaled(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M/s`
  if (value >= 1e3) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)} k/s`
  return `${value.toFixed(0)} /s`
}
