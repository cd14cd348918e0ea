import type { Durability } from './drivers/driver.ts'
import { engines } from './engines.ts'
import { median } from './statistics.ts'
import { printTable } from './table.ts'
import type { BankRun } from './transactions.ts'
import { type Alone, type BankName, clientCounts, type Contention, contentions, hotAccounts } from './transfers.ts'

/** Prints every way of every engine; Lightning DB's are held against the fastest of the others. */
export function printTransfers(runs: readonly BankRun[], durability: Durability, accounts: number): void {
  const chosen = runs.filter(run => run.durability === durability)
  if (chosen.length === 0) return
  for (const contention of contentions) {
    const some = contention === 'high' ? hotAccounts : accounts
    process.stdout.write(
      `\nTransfers between ${some.toLocaleString('en')} accounts, ${durability} durability, ${contention} contention\n\n`
    )
    const lines = linesOf(chosen, contention)
    printTable([
      ['engine, call', 'at once', 'transfers/s', 'attempts lost', 'retries/transfer', 'to the best peer'],
      ...lines.map(line => [
        `${engines[line.bank].name}: ${line.way}`,
        line.clients === undefined ? 'one at a time' : line.clients.toLocaleString('en'),
        Math.round(line.perSecond).toLocaleString('en'),
        `${(100 * line.lost).toFixed(1)} %`,
        line.retries.toFixed(2),
        line.bank === 'lightning' ? ratioText(line, lines) : ''
      ])
    ])
  }
  const names = [...new Set(chosen.map(({ bank }) => bank))]
  const settings = names.map(name => `${engines[name].name}: ${engines[name].modes[durability]}`)
  process.stdout.write(
    `\n${settings.join(' · ')}\n` +
      'lmdb runs one transaction after the other and commits many together; better-sqlite3 and all ...Sync calls are one at a\n' +
      'time, whoever waits, and count as peers in every row. After each row the balances were added up and found right.\n'
  )
}

/** Prints what a transaction costs that is alone. */
export function printAlone(samples: readonly Alone[]): void {
  if (samples.length === 0) return
  const of = (name: keyof Alone) => median(samples.map(sample => sample[name]))
  const row = (title: string, put: number, commit: number) => [
    title,
    `${put.toFixed(0)} ns`,
    `${commit.toFixed(0)} ns`,
    `${(commit / put).toFixed(2)} ×`
  ]
  process.stdout.write('\nNo other transaction open, relaxed: begin, get, put, commit beside a plain put\n\n')
  printTable([
    ['calls', 'plain put', 'transaction', 'ratio'],
    row('putSync, commitSync', of('putSyncNs'), of('commitSyncNs')),
    row('put, commit, each awaited', of('putNs'), of('commitNs'))
  ])
}

interface Line {
  readonly bank: BankName
  readonly way: string
  readonly clients: number | undefined
  readonly perSecond: number
  /** Share of attempts that were lost. */
  readonly lost: number
  readonly retries: number
}

/** Medians of the repetitions. */
function linesOf(runs: readonly BankRun[], contention: Contention): Line[] {
  const groups = new Map<string, { bank: BankName; way: string; clients: number | undefined; all: Sample[] }>()
  for (const { bank, measured } of runs) {
    for (const { way, clients, transfers, attempts, seconds, ...rest } of measured) {
      if (rest.contention !== contention) continue
      const name = `${bank} ${way} ${clients}`
      const group = groups.get(name) ?? { bank, way, clients, all: [] }
      groups.set(name, group)
      const lost = attempts - transfers
      group.all.push({ perSecond: transfers / seconds, lost: lost / attempts, retries: lost / transfers })
    }
  }
  return Array.from(groups.values(), ({ bank, way, clients, all }) => ({
    bank,
    way,
    clients,
    perSecond: median(all.map(({ perSecond }) => perSecond)),
    lost: median(all.map(({ lost }) => lost)),
    retries: median(all.map(({ retries }) => retries))
  }))
}

interface Sample {
  readonly perSecond: number
  readonly lost: number
  readonly retries: number
}

/** What is synchronous serves however many wait at the same rate. */
function ratioText({ perSecond, clients = clientCounts[0] }: Line, lines: readonly Line[]): string {
  const peers = lines.filter(
    line => line.bank !== 'lightning' && (line.clients === undefined || line.clients === clients)
  )
  if (peers.length === 0) return ''
  return `${(perSecond / Math.max(...peers.map(peer => peer.perSecond))).toFixed(2)} ×`
}
