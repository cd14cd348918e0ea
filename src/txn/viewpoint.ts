// What a transaction sees: the newest state as long as nothing is committed, from then on its snapshot. And the number
// from which on commits are compared with what it did.
import type { Engine, Snapshot, Tree } from '../engine/engine.ts'
import type { Listed } from './open-transactions.ts'
import type { SharedSnapshot } from './shared-snapshot.ts'
import type { Transactions } from './transactions.ts'
import type { Isolation } from './validation.ts'

/**
 * The part of a transaction that reads from the engine. Transactions are made of it rather than have one, since each of a
 * thousand at once would pay for an object more.
 */
export class Viewpoint implements Listed {
  readonly isolation: Isolation
  readonly engine: Engine
  /** Whether reads are noted, to be validated at the commit. */
  readonly recordsReads: boolean
  /** Managed by `OpenTransactions`. */
  place = 0
  protected readonly transactions: Transactions
  readonly #generation: number
  /** The snapshot; undefined as long as the newest state is it. */
  #pinned: SharedSnapshot | undefined
  /** Number of the newest commit that it sees. */
  #since: number
  #hasRead = false
  #isWatching = false

  constructor(transactions: Transactions, isolation: Isolation) {
    this.transactions = transactions
    this.isolation = isolation
    this.recordsReads = isolation === 'serializable'
    this.engine = transactions.engine
    this.#generation = this.engine.generation
    this.#since = this.engine.sequence
  }

  /** Called once it is in the list of those that are open. */
  start(): void {
    if (this.isolation !== 'read-committed') this.#takeSnapshot()
  }

  /** Whether the engine has rolled back commits, which it may have seen. */
  get isTakenBack(): boolean {
    return this.#generation !== this.engine.generation
  }

  /** Number of the newest commit that it sees. Later commits may conflict. */
  get since(): number {
    return this.#since
  }

  /** Commits from this number on are validated against; `Infinity`: none. */
  get oldest(): number {
    return this.#isWatching ? this.#since : Number.POSITIVE_INFINITY
  }

  /** What a read sees: undefined is the newest state. */
  readingSnapshot(): Snapshot | undefined {
    this.#hasRead = true
    return this.#pinned?.snapshot
  }

  /** Called before the newest state changes: from now on `shared` is the snapshot, which keeps that state. */
  pin(shared: SharedSnapshot): void {
    shared.hold()
    this.#pinned = shared
  }

  /**
   * Called when the lock of a key was granted: the number of the newest commit that the read of the key sees; undefined
   * when the key was changed since the snapshot.
   */
  protected readLocked(tree: Tree, key: string): number | undefined {
    const { sequence } = this.engine
    if (this.isolation === 'read-committed') {
      if (!this.#isWatching) {
        this.#since = sequence
        this.#watch()
      }
      this.#hasRead = true
      return sequence
    }
    if (!this.#hasRead) this.#takeSnapshot()
    else if (this.#since !== sequence) {
      const { recent } = this.transactions
      if (recent.isChanged(this.engine.treeId(tree), key, this.#since) || recent.isDropped(tree.name, this.#since)) {
        return undefined
      }
    }
    this.#hasRead = true
    return this.#since
  }

  /** Releases the snapshot, and ends being told of commits. */
  protected letGo(): void {
    this.#pinned?.letGo()
    this.#pinned = undefined
    if (!this.#isWatching) return
    this.transactions.open.setPinned(this)
    this.#isWatching = false
    this.transactions.unwatch()
  }

  #takeSnapshot(): void {
    this.#pinned?.letGo()
    this.#pinned = undefined
    this.#since = this.engine.sequence
    this.transactions.open.setUnpinned(this)
    this.#watch()
  }

  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.transactions.watch()
  }
}
