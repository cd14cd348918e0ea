// Histories that go on over crashes of a simulated disk, recovery included.
import assert from 'node:assert/strict'
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { type Isolation, isLightningError } from '../../src/index.ts'
import { type History, type RecordedTransaction, Recorder } from '../support/history/history.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type ListDatabase, listsIn, Workload } from './workload.ts'

/** More than any life lasts. */
const transactionsPerLife = 2_000

type Durability = 'strict' | 'relaxed'

/** A disk that crashes so many times under a workload. */
export interface CrashRun {
  readonly crashes: number
  readonly seed: number
  readonly isolation: Isolation
  readonly durability: Durability
}

/** What is left after all crashes, when every outcome is known. */
export async function historyOverCrashes(run: CrashRun): Promise<History> {
  const random = new Random(run.seed)
  const recorder = new Recorder()
  let disk = new SimulatedDisk(run.seed)
  for (let crash = 0; crash < run.crashes; crash++) disk = await live(disk, run, recorder, random)
  const db = await openOn(disk, run.durability)
  const final = listsIn(db)
  decide(recorder, final)
  assert.deepEqual((await db.verify()).problems, [])
  await db.close()
  return { transactions: recorder.transactions, final }
}

function openOn(disk: SimulatedDisk, durability: Durability): Promise<ListDatabase> {
  const options = parseOpenOptions({
    durability,
    syncIntervalMs: 1,
    cacheBytes: 4 * 1_024 * 1_024,
    walBytes: 1_024 * 1_024
  })
  return openIn<string, number[]>(disk.vfs(), options)
}

/** Opens the disk and works on it until it crashes, which may be before it is open; gives what the crash left. */
async function live(disk: SimulatedDisk, run: CrashRun, recorder: Recorder, random: Random): Promise<SimulatedDisk> {
  const crash = new Crash(disk, disk.calls + 1 + random.below(random.pick([20, 200, 600])), random.next())
  let db: ListDatabase | undefined
  try {
    db = await openOn(disk, run.durability)
    decide(recorder, listsIn(db))
    const first = recorder.transactions.length
    const clients = random.pick([2, 4, 8])
    crash.workload = new Workload(db, recorder, { isolation: run.isolation, clients, seed: random.next() })
    if (crash.left === undefined) await crash.workload.run(transactionsPerLife)
    if (run.durability === 'relaxed') forgetAnswers(recorder.transactions.slice(first))
  } catch (error) {
    if (crash.left === undefined || !isLightningError(error)) throw error
  }
  const left = crash.left ?? crash.now()
  // What is left of the engine cannot reach the disk any more.
  await db?.close().catch((error: unknown) => assert(isLightningError(error)))
  return left
}

/** Crashes a disk at one of its calls. */
class Crash {
  workload: Workload | undefined
  /** What the crash has left, once it has come. */
  left: SimulatedDisk | undefined
  readonly #disk: SimulatedDisk
  readonly #seed: number

  constructor(disk: SimulatedDisk, call: number, seed: number) {
    this.#disk = disk
    this.#seed = seed
    disk.fault = ({ number }) => {
      if (number < call) return undefined
      this.now()
      return { code: 'EIO' }
    }
  }

  now(): SimulatedDisk {
    this.left ??= this.#disk.crash(this.#seed)
    this.workload?.stop()
    return this.left
  }
}

/** An answer at `relaxed` promises nothing about a crash. */
function forgetAnswers(transactions: readonly RecordedTransaction[]): void {
  for (const transaction of transactions) if (transaction.outcome === 'committed') transaction.outcome = 'unknown'
}

/**
 * Finds out which transactions without an answer were committed: those of which anything is there. If only a part of it
 * is there, the checker misses the rest. Their outcome is known from now on, so that only later ones must see them.
 */
function decide(recorder: Recorder, lists: ReadonlyMap<string, readonly number[]>): void {
  const present = new Set<number>()
  for (const list of lists.values()) for (const element of list) present.add(element)
  for (const transaction of recorder.transactions) {
    if (transaction.outcome !== 'unknown') continue
    const isThere = transaction.operations.some(({ type, ...rest }) => 'element' in rest && present.has(rest.element))
    recorder.end(transaction, isThere ? 'committed' : 'aborted')
  }
}
