// The keyspaces that a transaction has used.
import type { Tree } from '../engine/engine.ts'
import type { Claims } from './claims.ts'
import type { Lock, LockTable } from './locks.ts'
import type { Transaction } from './transaction.ts'
import { type CachedValues, TreeView } from './tree-view.ts'
import { emptyView, type WriteView } from './write-set.ts'

/** So many are searched one after the other. */
const fewViews = 8

/** Of a transaction that has used nothing; never changed. */
const none: TreeView[] = []

export class TreeViews {
  readonly #transaction: Transaction
  #views: TreeView[] = none
  /** Of many. */
  #byName: Map<string, TreeView> | undefined

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  /** In the order in which they were used first. */
  get list(): readonly TreeView[] {
    return this.#views
  }

  /** Whether there is a write that was not undone. */
  get hasWritten(): boolean {
    for (const view of this.#views) if (view.writes?.isEmpty === false) return true
    return false
  }

  /** The view of a keyspace. */
  of(tree: Tree, cached: CachedValues | undefined): TreeView {
    const known = this.#byName === undefined ? this.#search(tree.name) : this.#byName.get(tree.name)
    if (known !== undefined) return known
    const made = new TreeView(this.#transaction, tree, cached)
    // The only one, as a rule: an array that grows by itself gets room for seventeen.
    if (this.#views.length === 0) this.#views = [made]
    else this.#views.push(made)
    if (this.#byName !== undefined) this.#byName.set(tree.name, made)
    else if (this.#views.length > fewViews) this.#byName = new Map(this.#views.map(view => [view.tree.name, view]))
    return made
  }

  /** The write sets as they are now. */
  pin(): ReadonlyMap<TreeView, WriteView> {
    const pinned = new Map<TreeView, WriteView>()
    for (const view of this.#views) if (view.writes !== undefined) pinned.set(view, view.writes.pin())
    return pinned
  }

  /** Makes the write sets what they were. */
  restore(pinned: ReadonlyMap<TreeView, WriteView>): void {
    for (const view of this.#views) view.writes?.restore(pinned.get(view) ?? emptyView)
  }

  /** A lock of another transaction on something that is written. */
  foreignLock(locks: LockTable): Lock | undefined {
    if (locks.isEmpty) return undefined
    for (const { tree, writes } of this.#views) {
      const lock = writes === undefined ? undefined : locks.inTheWay(this.#transaction, tree.name, writes)
      if (lock !== undefined) return lock
    }
    return undefined
  }

  /** What a commit waits for, as a lock: that of a key, or of a claim that is not ignored. */
  obstacle(locks: LockTable, claims: Claims, ignored: ReadonlySet<Lock>): Lock | undefined {
    const lock = this.foreignLock(locks)
    if (lock !== undefined || claims.isEmpty) return lock
    return claims.inTheWay(this.#transaction, this.#views, ignored)
  }

  /** Frees what they hold. */
  clear(): void {
    this.#views = none
    this.#byName = undefined
  }

  #search(name: string): TreeView | undefined {
    for (const view of this.#views) if (view.tree.name === name) return view
    return undefined
  }
}
