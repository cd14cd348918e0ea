// Bank transfers at once: Lightning DB at its levels of isolation, and the peers that have transactions with reads. Each
// engine runs in a process of its own, in an empty directory, once relaxed and once strict.
import { mkdir } from 'node:fs/promises'
import { inTurn } from './comparison.ts'
import type { Durability } from './drivers/driver.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { saveResults } from './results.ts'
import { ScratchDirectory } from './scratch-directory.ts'
import { runAlone, runTransfers } from './task.ts'
import { printAlone, printTransfers } from './transactions-table.ts'
import type { Alone, BankName, Transfers } from './transfers.ts'

const bankNames: readonly BankName[] = ['lightning', 'lmdb', 'better-sqlite3']
const modes: readonly Durability[] = ['relaxed', 'strict']
const cacheBytes = 256 << 20

/** What was measured of one engine in one process. */
export interface BankRun {
  readonly bank: BankName
  readonly durability: Durability
  readonly measured: readonly Transfers[]
}

/** Every engine, `repeat` times in turn. */
export async function benchTransactions(options: BenchOptions): Promise<void> {
  const chosen = bankNames.filter(name => options.engines.includes(name))
  for (const accounts of options.keys) {
    const runs: BankRun[] = []
    const alone: Alone[] = []
    const failures: string[] = []
    using scratch = new ScratchDirectory(options.directory, 'transactions')
    const place = scratch.path
    const step = async (title: string, work: (directory: string) => Promise<unknown>) => {
      const started = performance.now()
      await mkdir(place, { recursive: true })
      try {
        await work(place)
      } catch (error) {
        failures.push(`${title}: ${error instanceof Error ? error.message : error}`)
      }
      scratch.clear()
      process.stderr.write(`${title} ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
    }
    for (let round = 1; round <= options.repeat; round++) {
      for (const durability of modes) {
        for (const bank of inTurn(chosen, round)) {
          await step(`${round}/${options.repeat}: ${bank}, ${durability}`, async directory => {
            const task = { bank, durability, accounts, directory, cacheBytes }
            runs.push({ bank, durability, measured: await runTransfers({ type: 'transfers', ...task }) })
          })
        }
      }
      if (chosen.includes('lightning')) {
        await step(`${round}/${options.repeat}: lightning, a transaction alone`, async directory => {
          alone.push(await runAlone({ type: 'alone', accounts, directory, cacheBytes }))
        })
      }
    }
    for (const durability of modes) printTransfers(runs, durability, accounts)
    printAlone(alone)
    for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
    const results = { machine: describeMachine(), repeat: options.repeat, accounts, runs, alone, failures }
    await saveResults('transactions', results, options.record, failures)
  }
}
