// One transaction: its write sets, its locks, and how it ends. What it sees is in `viewpoint.ts`.
//
// It is open until it commits or rolls back, or is ended from outside: as the victim of a deadlock, by a rollback of
// the engine that took away what it saw, by its age, by `close`, or by the garbage collector. Ending it from outside
// leaves an error, which the next use throws; later uses are `LIGHTNING_CLOSED`. This object must never refer to the
// caller's handle: otherwise the garbage collector would not find a handle that was dropped.
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { invalidArgument } from '../encoding/failure.ts'
import type { Tree } from '../engine/engine.ts'
import type { LightningError } from '../errors.ts'
import { binaryKeys, type KeyReader } from './binary-key.ts'
import { firstClaimingAttempt, Footprint } from './claims.ts'
import { applyWrites } from './commit-operations.ts'
import { afterObstacles, mustWait } from './commit-waits.ts'
import { lockAhead } from './lock-ahead.ts'
import { type Lock, type LockOwner, LockWait, neverRead } from './locks.ts'
import { type Savepoint, Savepoints } from './savepoint.ts'
import { smallArray } from './small-array.ts'
import { conflictError, endedError } from './transaction-errors.ts'
import type { Transactions } from './transactions.ts'
import type { CachedValues, TreeView } from './tree-view.ts'
import { TreeViews } from './tree-views.ts'
import { type StoredValue, ValueArena } from './value-arena.ts'
import { conflictOf, type Isolation } from './validation.ts'
import { Viewpoint } from './viewpoint.ts'

const open = 0
/** Waits for locks before it commits. */
const committing = 1
const applying = 2
const ended = 3

/** Of a transaction that holds none; never changed. */
const noLocks: Lock[] = []

/** Options of `getForUpdate`. */
export interface ForUpdateOptions {
  /** Milliseconds; undefined: those of the transaction. */
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

export class Transaction extends Viewpoint implements LockOwner {
  readonly id: number
  readonly seniority: number
  readonly attempt: number
  /** On the monotonic clock; 0 if the option `maxSnapshotAgeMs` is not set. */
  readonly openedMs: number
  readonly keys: KeyReader
  /** It belongs to `transactionSync`, whose body cannot wait. */
  isSynchronous = false
  readonly #lockTimeoutMs: number
  readonly #views = new TreeViews(this)
  #arena: ValueArena | undefined
  #status = open
  #held = noLocks
  #waits: Set<LockWait> | undefined
  #usedBytes = 0
  #isApplied = false
  /** The newest commit that must be durable before its own counts as such; `Infinity`: its writes are the newest. */
  #settlesAt = 0
  #footprint: Footprint | undefined
  #wasEndedByCaller = false
  #ending: Promise<void> | undefined
  #savepoints: Savepoints | undefined
  #loss: LightningError | undefined
  /** Why it lost, before an error has been made of it: most attempts that lose are run again, and need none. */
  #conflict: string | undefined
  /** The error that the next use throws: the transaction was ended from outside, and nobody has been told. */
  #unreported: LightningError | undefined

  constructor(
    transactions: Transactions,
    isolation: Isolation,
    attempt: number,
    previous: Transaction | undefined,
    lockTimeoutMs: number
  ) {
    super(transactions, isolation)
    this.id = transactions.nextId++
    this.seniority = previous?.seniority ?? this.id
    this.#footprint = previous?.footprint
    this.attempt = attempt
    this.keys = transactions.keys
    this.#lockTimeoutMs = lockTimeoutMs
    this.openedMs = transactions.maxAgeMs === undefined ? 0 : performance.now()
  }

  get held(): readonly Lock[] {
    return this.#held
  }

  hold(lock: Lock): void {
    if (this.#held.length === 0) this.#held = smallArray(lock)
    else this.#held.push(lock)
  }

  get waits(): Set<LockWait> {
    this.#waits ??= new Set()
    return this.#waits
  }

  /** Whether it can still be used. */
  get isOpen(): boolean {
    return this.#status === open && !this.isTakenBack
  }

  /** Whether its writes are visible: nothing can undo it any more but a failing disk. */
  get isApplied(): boolean {
    return this.#isApplied
  }

  /** Whether it was committed or rolled back through its own methods. */
  get wasEndedByCaller(): boolean {
    return this.#wasEndedByCaller
  }

  /** The first commit that was asked for. */
  get ending(): Promise<void> | undefined {
    return this.#ending
  }

  get hasLost(): boolean {
    return this.#conflict !== undefined || this.#loss !== undefined
  }

  /** The conflict or deadlock that it lost by, if it did. */
  get loss(): LightningError | undefined {
    if (this.#conflict !== undefined) this.#loss ??= conflictError(this.#conflict)
    return this.#loss
  }

  get settled(): Promise<void> {
    return this.transactions.settled
  }

  /** Later attempts lose only against writes that do not wait for claims, and better come at another time. */
  get needsNoPause(): boolean {
    return this.attempt === firstClaimingAttempt - 1 && this.#lockTimeoutMs > 0
  }

  /** What it and the attempts before used, once it has lost so often that the next attempt claims it. */
  get footprint(): Footprint | undefined {
    return this.#footprint
  }

  /** The keyspace as this transaction sees it. */
  view(tree: Tree, cached: CachedValues | undefined): TreeView {
    return this.#views.of(tree, cached)
  }

  /** Throws unless the transaction is open. */
  checkUse(): void {
    if (this.#status !== open || this.isTakenBack) this.#refuse()
    if (this.transactions.maxAgeMs !== undefined) this.transactions.checkAge(this)
  }

  /** Throws when the transaction must not wait. */
  checkWaits(): void {
    if (!this.isSynchronous) return
    throw invalidArgument('getForUpdate: the body of transactionSync() cannot wait for a lock. Use transaction().')
  }

  /** Throws unless something may be written through it. */
  checkWritable(): void {
    this.checkUse()
    this.engine.checkWritable()
  }

  store(value: unknown, encoding: ValueEncoding<unknown>): StoredValue {
    this.checkUse()
    this.#arena ??= new ValueArena(this.engine, this.transactions.spares)
    return this.#arena.add(value, encoding)
  }

  /** So many more bytes of memory are needed. Throws `LIGHTNING_OUT_OF_MEMORY`. */
  charge(bytes: number): void {
    // After the end nothing would give it back.
    this.checkUse()
    this.transactions.charge(bytes)
    this.#usedBytes += bytes
  }

  /** Takes the lock of a key and gives its value: the newest, or the one at the snapshot, which must be the same. */
  getForUpdate(
    view: TreeView,
    key: unknown,
    keyEncoding: KeyEncoding<unknown>,
    valueEncoding: ValueEncoding<unknown>,
    { timeoutMs, signal }: ForUpdateOptions
  ): Promise<unknown> {
    try {
      this.checkUse()
      const name = this.keys.read(key, keyEncoding)
      this.checkUse()
      const { locks } = this.transactions
      const lock = locks.acquire(this, view.tree.name, name, timeoutMs ?? this.#lockTimeoutMs, signal)
      if (lock instanceof LockWait) return this.#readAfter(lock, view, valueEncoding)
      return Promise.resolve(this.#readLocked(view, lock, valueEncoding))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes the locks of what the attempts before have written, then its snapshot. Rejects as waits for locks do. */
  async lockAhead(): Promise<void> {
    const { locks } = this.transactions
    if (this.#footprint !== undefined) {
      await lockAhead(this, this.#footprint, locks, this.#lockTimeoutMs, () => this.checkUse())
    }
    this.start()
  }

  /** Remembers what has been written until now. */
  savepoint(): Savepoint {
    this.checkUse()
    this.#savepoints ??= new Savepoints()
    return this.#savepoints.take(this.#views.pin())
  }

  /** Undoes what was written since; savepoints taken since are gone. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  rollbackTo(savepoint: Savepoint): void {
    this.checkUse()
    this.#savepoints ??= new Savepoints()
    this.#savepoints.returnTo(savepoint)
    this.#views.restore(savepoint.writes)
  }

  /** Resolves when the writes are applied, and as durable as the option `durability` asks. */
  commit(): Promise<void> {
    const ending = this.commitOrLose() ?? Promise.reject(this.loss)
    const told = this.#status === committing ? this.#unlessLost(ending) : ending
    this.#ending ??= told
    return told
  }

  /**
   * The same; undefined when it has lost. If it loses after a wait, `hasLost` tells once the promise has resolved. Of many
   * at once on the same keys most lose, and an error costs as much as they.
   */
  commitOrLose(): Promise<void> | undefined {
    try {
      this.checkUse()
      this.#wasEndedByCaller = true
      if (this.#losesNow()) return undefined
      if (PLANTED_BUG !== 21 && mustWait(this.#views, this.transactions)) return this.#commitLater()
      this.#apply()
      return this.#settled()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same before it returns; `LIGHTNING_CONFLICT` where `commit` would wait for a lock. */
  commitSync(): void {
    this.checkUse()
    this.#wasEndedByCaller = true
    const foreign = this.#views.foreignLock(this.transactions.locks)
    if (foreign !== undefined)
      throw this.#lost(`Transaction ${foreign.holder.id} holds the lock of a key that it wrote.`)
    if (this.#losesNow()) throw this.loss
    this.#apply()
    this.engine.settleSync()
  }

  /** Undoes everything; may be called again. */
  rollback(): void {
    this.#wasEndedByCaller = true
    this.#unreported = undefined
    if (this.#status < applying) this.#end()
  }

  /** Called for what the garbage collector has found. */
  close(): void {
    this.rollback()
  }

  /** Ends it from outside; the next use throws `error`. */
  lose(error: LightningError): void {
    if (this.#status >= applying) return
    if (error.code === 'LIGHTNING_CONFLICT' || error.code === 'LIGHTNING_DEADLOCK') {
      this.#loss = error
      this.#noteFootprint()
    }
    // Callers that wait for a lock learn of it at once.
    const isReported = this.waits.size > 0
    for (const wait of this.waits) wait.reject(error)
    this.#end()
    if (!isReported || error.code === 'LIGHTNING_TIMEOUT') this.#unreported = error
  }

  async #commitLater(): Promise<void> {
    this.#status = committing
    try {
      const check = (): void => {
        if (this.#status !== committing || this.isTakenBack) this.#refuse()
      }
      await afterObstacles(this, this.#views, this.transactions, this.#lockTimeoutMs, check, () => {
        if (!this.#losesNow()) this.#apply()
      })
    } catch (error) {
      this.#end()
      throw error
    }
    if (this.#isApplied) await this.#settled()
  }

  async #unlessLost(ending: Promise<void>): Promise<void> {
    await ending
    if (this.hasLost) throw this.loss
  }

  /** Rolls back if it conflicts; an error is made only when somebody asks for it. */
  #losesNow(): boolean {
    const conflict = this.#findConflict()
    if (conflict === undefined) return false
    this.#conflict = conflict
    this.#endLost()
    return true
  }

  #findConflict(): string | undefined {
    if (this.engine.sequence === this.since) return undefined
    const { recent } = this.transactions
    return conflictOf(this.#views.list, this.isolation, this.since, this.engine, recent)
  }

  /** Applies the writes. Nothing else has run since validation, and nothing else runs before the end of this. */
  #apply(): void {
    const { hasWritten } = this.#views
    this.#status = applying
    this.letGo()
    try {
      if (hasWritten) {
        applyWrites(this.engine, this.#views.list)
        for (const view of this.#views.list) {
          view.forgetCached()
          if (this.#arena?.isOnDisk === true) view.keepValues(this.#arena)
        }
        this.#settlesAt = Number.POSITIVE_INFINITY
      } else this.#settlesAt = this.isolation === 'read-committed' ? this.engine.sequence : this.since
      this.#isApplied = true
    } finally {
      this.#end()
    }
  }

  /** Resolves when everything it has written, or could see, is durable. */
  #settled(): Promise<void> {
    if (this.#settlesAt === Number.POSITIVE_INFINITY) return this.engine.settled()
    const settled = this.engine.settled(this.#settlesAt)
    // The engine gives the same promise for everything that is durable already: nothing to wait for then.
    return settled === this.engine.settled(0) ? settled : this.#seenSettled(settled)
  }

  async #seenSettled(settled: Promise<void>): Promise<void> {
    try {
      await settled
    } catch (cause) {
      throw this.#lost('What the transaction saw was taken back because it could not be made durable.', cause)
    }
  }

  async #readAfter(wait: LockWait, view: TreeView, valueEncoding: ValueEncoding<unknown>): Promise<unknown> {
    await wait.promise
    this.checkUse()
    return this.#readLocked(view, wait.lock, valueEncoding)
  }

  #readLocked(view: TreeView, lock: Lock, valueEncoding: ValueEncoding<unknown>): unknown {
    const name = lock.key
    const readAt = this.readLocked(view.tree, name)
    if (readAt === undefined) {
      throw this.#lost('The key to be locked was changed by another commit since the snapshot of the transaction.')
    }
    if (lock.readAt === neverRead) {
      lock.readAt = readAt
      if (view.locked === undefined) view.locked = smallArray(lock)
      else view.locked.push(lock)
    }
    return view.getBinary(name, name, binaryKeys, valueEncoding)
  }

  /** Rolls back; the error says why it lost. */
  #lost(why: string, cause?: unknown): LightningError {
    const error = conflictError(why, cause)
    this.#loss = error
    this.#endLost()
    return error
  }

  #endLost(): void {
    // Most transactions that lose are run again and commit soon.
    this.engine.expectCommit()
    this.#noteFootprint()
    this.#end()
  }

  /** What the next attempt claims, if it does. */
  #noteFootprint(): void {
    if (this.attempt < firstClaimingAttempt - 1) return
    this.#footprint ??= new Footprint()
    this.#footprint.add(this.#views.list)
    for (const lock of this.#held) this.#footprint.addLock(lock)
    for (const { lock } of this.waits) this.#footprint.addLock(lock)
  }

  #end(): void {
    if (this.#status === ended) return
    this.#status = ended
    this.letGo()
    this.#arena?.end()
    this.#arena = undefined
    this.#views.clear()
    if (this.#waits !== undefined) for (const wait of this.#waits) wait.reject(this.#closed())
    if (this.#held.length > 0) this.transactions.locks.release(this)
    this.#held = noLocks
    this.transactions.remove(this, this.#usedBytes)
  }

  #refuse(): never {
    if (this.#status !== ended && this.isTakenBack) {
      this.lose(this.transactions.takenBack())
    }
    const error = this.#unreported
    if (error === undefined) throw this.#closed()
    if (error.code !== 'LIGHTNING_TIMEOUT') this.#unreported = undefined
    throw error
  }

  #closed(): LightningError {
    return endedError(this.#status === committing || this.#status === applying, this.loss)
  }
}
