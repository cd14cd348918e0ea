// All transactions of an open database: what they share, and what ends them together.
import type { Engine } from '../engine/engine.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { backgroundTimer } from '../engine/background-timer.ts'
import { KeyReader } from './binary-key.ts'
import { Claims, type ClaimWait } from './claims.ts'
import { LockTable } from './locks.ts'
import { OpenTransactions } from './open-transactions.ts'
import { RecentWrites } from './recent-writes.ts'
import { SharedSnapshot } from './shared-snapshot.ts'
import { Transaction } from './transaction.ts'
import { closedDatabaseError, endedError, takenBackError, tooOldError } from './transaction-errors.ts'
import { Turnstile } from './turnstile.ts'
import type { Isolation } from './validation.ts'
import { SpareChunks } from './value-arena.ts'

/**
 * Memory that all write sets together may take, in addition to the cache: so many bytes plus so many times
 * `cacheBytes`.
 */
const leastBudgetBytes = 256 * 1_024 * 1_024
const budgetPerCacheByte = 4

/** Sizes in bytes, times in milliseconds. */
export interface TransactionsOptions {
  readonly cacheBytes: number
  /** Default bound of lock waits; `Infinity`: none. */
  readonly lockTimeoutMs: number
  readonly maxSnapshotAgeMs: number | undefined
}

/** How one transaction begins. */
export interface BeginOptions {
  readonly isolation: Isolation
  /** Undefined: that of the database. */
  readonly lockTimeoutMs: number | undefined
  /** Counts from 1. */
  readonly attempt: number
  /** The attempt before, if there was one. */
  readonly previous: Transaction | undefined
}

/** Gets what ends a wait. */
type OnWait = (stop: () => void) => void

export class Transactions {
  readonly engine: Engine
  readonly keys = new KeyReader()
  readonly locks = new LockTable()
  readonly claims = new Claims(this.locks)
  readonly spares = new SpareChunks()
  /** Unpinned: the newest state is its snapshot as long as nothing is committed. */
  readonly open = new OpenTransactions<Transaction>()
  readonly recent = new RecentWrites(
    () => {
      if (this.open.hasUnpinned) this.#pinAll()
    },
    () => this.#oldest()
  )
  /** What those of `db.transaction` pass before they begin. */
  readonly turnstile = new Turnstile()
  readonly maxAgeMs: number | undefined
  /** The promise that the engine gives for what is settled already. */
  readonly settled: Promise<void>
  /** Number of the next transaction. */
  nextId = 1
  readonly #lockTimeoutMs: number
  readonly #budgetBytes: number
  #usedBytes = 0
  #watching = 0
  #ageTimer: ReturnType<typeof setTimeout> | undefined
  #listensToRollbacks = false

  constructor(engine: Engine, { cacheBytes, lockTimeoutMs, maxSnapshotAgeMs }: TransactionsOptions) {
    this.engine = engine
    this.settled = engine.settled(0)
    this.maxAgeMs = maxSnapshotAgeMs
    this.#lockTimeoutMs = lockTimeoutMs
    this.#budgetBytes = leastBudgetBytes + cacheBytes * budgetPerCacheByte
  }

  /** Number of transactions that are open. */
  get size(): number {
    return this.open.size
  }

  /** Begins a transaction; `wait`: how it has waited for claims. Throws `LIGHTNING_CLOSED`. */
  begin(options: BeginOptions, wait?: ClaimWait): Transaction {
    const { isolation, attempt, previous, lockTimeoutMs = this.#lockTimeoutMs } = options
    if (!this.#listensToRollbacks) {
      this.#listensToRollbacks = true
      this.engine.on('degraded', () => this.#loseAll())
    }
    const transaction = new Transaction(this, isolation, attempt, previous, lockTimeoutMs)
    this.open.add(transaction)
    transaction.start()
    if (previous?.footprint !== undefined) this.claims.add(transaction, previous.footprint, wait)
    if (this.maxAgeMs !== undefined) this.#ageTimer ??= this.#startAgeTimer(this.maxAgeMs + 1)
    return transaction
  }

  /**
   * The same for an attempt of `db.transaction`: one that has lost often waits until those have ended that claim the
   * same, no longer than for a lock, and takes locks where others do; `onWait` gets what ends the wait. Throws, or rejects
   * with, `LIGHTNING_CLOSED`.
   */
  beginInTurn(options: BeginOptions, onWait?: OnWait): Transaction | Promise<Transaction> {
    const footprint = options.previous?.footprint
    const timeoutMs = options.lockTimeoutMs ?? this.#lockTimeoutMs
    if (footprint === undefined || timeoutMs === 0) return this.begin(options)
    const wait = this.claims.turnOf(footprint)
    if (wait === undefined)
      return this.locks.hasKeys ? this.#beginWithLocks(options, undefined, onWait) : this.begin(options)
    const enough = (): void => wait.end()
    const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(enough, timeoutMs)
    onWait?.(() => {
      wait.isUnwanted = true
      wait.end()
    })
    return this.#beginAfter(wait, options, onWait).finally(() => clearTimeout(timer))
  }

  async #beginAfter(wait: ClaimWait, options: BeginOptions, onWait?: OnWait): Promise<Transaction> {
    await wait.promise
    try {
      if (wait.isUnwanted) throw endedError(false, undefined)
      return this.locks.hasKeys ? await this.#beginWithLocks(options, wait, onWait) : this.begin(options, wait)
    } catch (error) {
      this.claims.giveUp(wait)
      throw error
    }
  }

  /** If it loses before its body was called, the same attempt begins anew. */
  async #beginWithLocks(options: BeginOptions, wait?: ClaimWait, onWait?: OnWait): Promise<Transaction> {
    while (true) {
      const transaction = this.begin(options, wait)
      onWait?.(() => transaction.rollback())
      try {
        await transaction.lockAhead()
        return transaction
      } catch (error) {
        transaction.rollback()
        if (transaction.loss === undefined) throw error
      }
    }
  }

  /** From now on commits are recorded, since the open transactions may conflict with them. */
  watch(): void {
    if (this.#watching++ === 0) this.engine.observe(this.recent)
  }

  unwatch(): void {
    if (--this.#watching > 0) return
    this.engine.observe(undefined)
    this.recent.forget()
  }

  /** Takes memory for write sets, in bytes. Throws `LIGHTNING_OUT_OF_MEMORY`; then nothing was taken. */
  charge(bytes: number): void {
    if (this.#usedBytes + bytes > this.#budgetBytes) {
      throw new LightningError(
        'LIGHTNING_OUT_OF_MEMORY',
        `The transactions that are open may hold ${this.#budgetBytes} bytes of writes together, and this one needs ` +
          'more. Commit in smaller portions, or open with more cacheBytes.'
      )
    }
    this.#usedBytes += bytes
  }

  /** Removes a transaction that has ended, and gives back the bytes that its writes took. */
  remove(transaction: Transaction, usedBytes: number): void {
    this.open.remove(transaction)
    this.turnstile.leave(transaction)
    this.claims.remove(transaction)
    this.#usedBytes -= usedBytes
    if (this.open.size > 0 || this.#ageTimer === undefined) return
    clearTimeout(this.#ageTimer)
    this.#ageTimer = undefined
  }

  /** Ends a transaction that has been open for too long; then throws, at this and every later use. */
  checkAge(transaction: Transaction): void {
    if (!this.#isTooOld(transaction)) return
    const error = tooOldError(this.maxAgeMs)
    transaction.lose(error)
    throw error
  }

  /** Rolls all back: the database is closed. */
  close(): void {
    const error = closedDatabaseError(this.engine.location)
    for (const transaction of [...this.open.all]) transaction.lose(error)
  }

  /** The error of transactions whose snapshot is gone. */
  takenBack(): LightningError {
    return takenBackError(this.engine.rollbackCause)
  }

  /**
   * Called before a commit changes the newest state. If there is no memory for a snapshot, the transactions that need it
   * fail, not the commit.
   */
  #pinAll(): void {
    const waiting = this.open.takeUnpinned()
    try {
      const shared = new SharedSnapshot(this.engine)
      for (const transaction of waiting) transaction.pin(shared)
    } catch (error) {
      if (!isLightningError(error)) throw error
      for (const transaction of waiting) transaction.lose(error)
    }
  }

  #loseAll(): void {
    // A listener before this one may have begun another transaction, which sees the state after the rollback.
    for (const transaction of [...this.open.all]) if (transaction.isTakenBack) transaction.lose(this.takenBack())
  }

  /** Only commits after this one may still be asked about by an open transaction. */
  #oldest(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const transaction of this.open.all) if (transaction.oldest < oldest) oldest = transaction.oldest
    return oldest
  }

  #isTooOld(transaction: Transaction): boolean {
    return this.maxAgeMs !== undefined && performance.now() - transaction.openedMs > this.maxAgeMs
  }

  /** Ends transactions that are too old, even if nobody uses them: they keep old versions of pages, and locks. */
  #startAgeTimer(delayMs: number): ReturnType<typeof setTimeout> {
    return backgroundTimer(() => {
      this.#ageTimer = undefined
      for (const transaction of [...this.open.all])
        if (this.#isTooOld(transaction)) transaction.lose(tooOldError(this.maxAgeMs))
      if (this.open.size === 0 || this.maxAgeMs === undefined) return
      const openedMs = this.open.all.reduce((oldest, each) => Math.min(oldest, each.openedMs), Number.POSITIVE_INFINITY)
      this.#ageTimer = this.#startAgeTimer(Math.max(1, openedMs + this.maxAgeMs + 1 - performance.now()))
    }, delayMs)
  }
}
