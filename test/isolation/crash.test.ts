// Random transactions at the same time on a disk that crashes at random calls, again and again, recovery included. What
// was acknowledged survives whole; what had no answer yet survives whole or vanishes whole; and all that is left, over
// all crashes, is one history that the level allows.
//
// The long form runs ISOLATION_CRASHES crashes from ISOLATION_SEED on.
import { describe, expect, it } from 'vitest'
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { type Isolation, isLightningError } from '../../src/index.ts'
import { violationsOf } from '../support/history/check.ts'
import { type RecordedTransaction, Recorder } from '../support/history/history.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type ListDatabase, listsIn, Workload } from './workload.ts'

const crashesPerRun = 12
const crashes = Number(process.env.ISOLATION_CRASHES ?? 108)
const firstSeed = Number(process.env.ISOLATION_SEED ?? 1)
/** More than any life lasts. */
const transactionsPerLife = 2_000
const levels = ['serializable', 'snapshot', 'read-committed'] as const

type Durability = 'strict' | 'relaxed'

interface Run {
  readonly seed: number
  readonly isolation: Isolation
  readonly durability: Durability
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
async function live(disk: SimulatedDisk, run: Run, recorder: Recorder, random: Random): Promise<SimulatedDisk> {
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
  await db?.close().catch((error: unknown) => expect(isLightningError(error)).toBe(true))
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

const runs = Array.from({ length: Math.ceil(crashes / crashesPerRun) }, (_, i): Run => {
  const seed = firstSeed + i
  const isolation = levels[seed % levels.length] ?? 'serializable'
  return { seed, isolation, durability: seed % 4 === 0 ? 'relaxed' : 'strict' }
})

describe('transactions on a disk that crashes', () => {
  it.each(runs)(
    'survive whole or vanish whole: seed $seed, $isolation, $durability',
    { timeout: 60_000 },
    async run => {
      const random = new Random(run.seed)
      const recorder = new Recorder()
      let disk = new SimulatedDisk(run.seed)
      for (let crash = 0; crash < crashesPerRun; crash++) disk = await live(disk, run, recorder, random)
      const db = await openOn(disk, run.durability)
      const final = listsIn(db)
      decide(recorder, final)
      const { transactions } = recorder
      expect(violationsOf({ transactions, final }, run.isolation)).toEqual([])
      expect(transactions.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(50)
      expect((await db.verify()).problems).toEqual([])
      await db.close()
    }
  )
})
