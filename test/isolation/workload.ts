// Random transactions on lists, many at a time, written down as a history.
//
// Lists come in generations of `listsPerGeneration`; after `transactionsPerGeneration` the next one begins, so that lists stay
// short however long the history is. A missing key is an empty list: reads of ranges see what is not there, too.
// Every choice is made from the seed; what runs in between other transactions decides only how they interleave.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Database, type Isolation, isLightningError, type Transaction } from '../../src/index.ts'
import type { Operation, Outcome, RecordedTransaction, Recorder } from '../support/history/history.ts'
import { Random } from '../support/random.ts'

export type ListDatabase = Database<string, number[]>
type ListTransaction = Transaction<string, number[]>

export interface WorkloadOptions {
  readonly isolation: Isolation
  /** Transactions that run at the same time. */
  readonly clients: number
  readonly seed: number
  /** Everything is done under locks: no plain writes, no synchronous transactions, no appends without a lock. */
  readonly onlyLocks?: boolean
  /** When the next generation of lists begins: the fewer, the more keys come into being (default 150). */
  readonly transactionsPerGeneration?: number
}

const listsPerGeneration = 8
/** Timers run between two turns only. */
const transactionsPerTurn = 200

const keyOf = (generation: number, list: number) => `${String(generation).padStart(6, '0')}/${list}`

export class Workload {
  readonly #db: ListDatabase
  readonly #options: WorkloadOptions
  readonly #recorder: Recorder
  #remaining = 0
  #isStopped = false
  #turn: Promise<void> = Promise.resolve()

  constructor(db: ListDatabase, recorder: Recorder, options: WorkloadOptions) {
    this.#db = db
    this.#recorder = recorder
    this.#options = options
  }

  /** Runs so many transactions. Errors other than lost transactions reject, unless the workload was stopped. */
  async run(transactions: number): Promise<void> {
    this.#remaining = transactions
    const random = new Random(this.#options.seed)
    const clients = Array.from({ length: this.#options.clients }, () => this.#client(new Random(random.next())))
    await Promise.all(clients)
  }

  /** The disk is gone: errors are no surprise any more, and outcomes unknown. */
  stop(): void {
    this.#isStopped = true
  }

  async #client(random: Random): Promise<void> {
    while (this.#remaining > 0 && !this.#isStopped) {
      this.#remaining--
      // All together: one that waited alone would wait until the others have nothing left to do.
      if (this.#remaining % transactionsPerTurn === 0) this.#turn = nextTurn()
      await this.#turn
      const way = this.#options.onlyLocks === true ? 0.99 : random.next() / 0x1_0000_0000
      if (way < 0.05) await this.#plain(random)
      else if (way < 0.12) await this.#synchronous(random)
      else if (way < 0.15) await this.#retried(random)
      else await this.#interleaved(random)
    }
  }

  /** A write without a transaction: read and written before anybody else comes. */
  async #plain(random: Random): Promise<void> {
    const key = this.#key(random)
    const element = this.#recorder.element()
    const record = this.#recorder.begin()
    await this.#settle(record, () => {
      const list = this.#db.get(key) ?? []
      record.operations = [read(key, list), append(key, element)]
      return this.#db.put(key, [...list, element])
    })
  }

  async #synchronous(random: Random): Promise<void> {
    const record = this.#recorder.begin()
    await this.#settle(record, async () => {
      this.#db.transactionSync(
        tx => {
          for (let i = random.below(4); i >= 0; i--) {
            const key = this.#key(random)
            if (random.chance(0.5)) appendTo(tx, record, key, tx.get(key), this.#recorder.element())
            else record.operations.push(read(key, tx.get(key)))
          }
        },
        { isolation: this.#options.isolation }
      )
    })
  }

  /** Attempts that lost are transactions of their own. */
  async #retried(random: Random): Promise<void> {
    const { isolation } = this.#options
    const attempts: RecordedTransaction[] = []
    const end = (outcome: Outcome) => {
      const attempt = attempts.at(-1)
      if (attempt !== undefined) this.#recorder.end(attempt, outcome)
    }
    try {
      await this.#db.transaction(
        async tx => {
          end('aborted')
          const record = this.#recorder.begin()
          attempts.push(record)
          await this.#body(tx, record, random)
        },
        { isolation }
      )
      end('committed')
    } catch (error) {
      end(this.#outcomeOf(error))
    }
  }

  async #interleaved(random: Random): Promise<void> {
    const record = this.#recorder.begin()
    await this.#settle(record, async () => {
      const tx = this.#db.begin({ isolation: this.#options.isolation })
      try {
        await this.#body(tx, record, random)
        if (random.chance(0.05)) return false
        await tx.commit()
      } finally {
        tx.rollback()
      }
      return true
    })
  }

  /** Notes the outcome; `false` means that nothing was committed. */
  async #settle(record: RecordedTransaction, act: () => Promise<unknown>): Promise<void> {
    try {
      this.#recorder.end(record, (await act()) === false ? 'aborted' : 'committed')
    } catch (error) {
      this.#recorder.end(record, this.#outcomeOf(error))
    }
  }

  #outcomeOf(error: unknown): Outcome {
    if (isLightningError(error, 'LIGHTNING_CONFLICT') && this.#options.onlyLocks !== true) return 'aborted'
    if (isLightningError(error, 'LIGHTNING_DEADLOCK')) return 'aborted'
    if (this.#isStopped && isLightningError(error)) return 'unknown'
    throw error
  }

  async #body(tx: ListTransaction, record: RecordedTransaction, random: Random): Promise<void> {
    for (let step = random.below(5); step >= 0; step--) {
      await pause(random)
      const kind = random.next() / 0x1_0000_0000
      if (kind < 0.45) await this.#append(tx, record, random)
      else if (kind < 0.65) readOne(tx, record, this.#key(random))
      else if (kind < 0.75) readMany(tx, record, [this.#key(random), this.#key(random), this.#key(random)])
      else if (kind < 0.95) await this.#scan(tx, record, random)
      else this.#takeBack(tx, this.#key(random))
    }
    await pause(random)
  }

  /** At read-committed only a lock keeps an append from being overwritten. */
  async #append(tx: ListTransaction, record: RecordedTransaction, random: Random): Promise<void> {
    const key = this.#key(random)
    const needsLock = this.#options.isolation === 'read-committed' || this.#options.onlyLocks === true
    const list = needsLock || random.chance(0.2) ? await tx.getForUpdate(key) : tx.get(key)
    if (random.chance(0.2)) await pause(random)
    appendTo(tx, record, key, list, this.#recorder.element())
  }

  /** Part of a generation, in one direction or the other, to the end or to a limit, all at once or with pauses. */
  async #scan(tx: ListTransaction, record: RecordedTransaction, random: Random): Promise<void> {
    const generation = this.#generation(random)
    const from = random.below(listsPerGeneration)
    const to = from + 1 + random.below(listsPerGeneration - from)
    const reverse = random.chance(0.3)
    const limit = random.chance(0.3) ? 1 + random.below(3) : listsPerGeneration
    const keys = Array.from({ length: to - from }, (_, i) => keyOf(generation, from + i))
    if (reverse) keys.reverse()
    const pauses = random.chance(0.3)
    const found = new Map<string, number[]>()
    const range = { gte: keyOf(generation, from), lt: keyOf(generation, to), reverse, limit }
    for (const [key, list] of tx.entries(range)) {
      found.set(key, list)
      if (pauses) await pause(random)
    }
    const last = found.size < limit ? keys.length - 1 : keys.indexOf([...found.keys()].at(-1) ?? '')
    for (const key of keys.slice(0, last + 1)) record.operations.push(read(key, found.get(key)))
  }

  /** An append that nobody may ever see. */
  #takeBack(tx: ListTransaction, key: string): void {
    const savepoint = tx.savepoint()
    tx.put(key, [...(tx.get(key) ?? []), this.#recorder.element()])
    tx.rollbackTo(savepoint)
  }

  #key(random: Random): string {
    return keyOf(this.#generation(random), random.below(listsPerGeneration))
  }

  #generation(random: Random): number {
    const { transactionsPerGeneration = 150 } = this.#options
    const newest = Math.floor(this.#recorder.transactions.length / transactionsPerGeneration)
    return newest > 0 && random.chance(0.1) ? newest - 1 : newest
  }
}

/** All lists of a database. */
export function listsIn(db: ListDatabase): Map<string, readonly number[]> {
  return new Map(db.entries())
}

function read(key: string, list: readonly number[] | undefined): Operation {
  return { type: 'read', key, list: list ?? [] }
}

function append(key: string, element: number): Operation {
  return { type: 'append', key, element }
}

function readOne(tx: ListTransaction, record: RecordedTransaction, key: string): void {
  record.operations.push(read(key, tx.get(key)))
}

function readMany(tx: ListTransaction, record: RecordedTransaction, keys: readonly string[]): void {
  for (const [i, list] of tx.getMany(keys).entries()) record.operations.push(read(keys[i] ?? '', list))
}

function appendTo(
  tx: ListTransaction,
  record: RecordedTransaction,
  key: string,
  list: readonly number[] | undefined,
  element: number
): void {
  tx.put(key, [...(list ?? []), element])
  record.operations.push(read(key, list), append(key, element))
}

/** Lets others run, for a few of their steps as a rule. */
async function pause(random: Random): Promise<void> {
  for (let i = random.below(8); i > 0; i--) await Promise.resolve()
}
