// How a long transaction wins against a stream of short ones.
//
// Validation lets the first committer win, so a transaction that runs long over keys that others change all the time
// would lose every attempt. Therefore, after several losses, a transaction that `db.transaction` runs again claims what
// the attempts before it have used: until it has ended, commits of younger transactions that would change any of that
// wait. A body mostly reads and writes the same each time, so this attempt wins.
//
// A claim is a lock in a keyspace of its own that no caller can name. So waits for it have a queue and a bound, and
// deadlocks are found. Only younger transactions wait, so two claims cannot block each other. Plain writes and
// synchronous commits cannot wait and go on.
//
// Where many transactions compete for the same keys, most would lose all their attempts against older ones that claim,
// too. So an attempt that claims does not begin before other claims on the same keys have ended, first come, first
// served: a queue, as if the keys had been locked. While an attempt waits it holds nothing yet, so nobody can wait for
// it in turn.
import { keyBehind } from './binary-key.ts'
import { byBytes, haveOverlap, KeyRanges, overlap, rangeAt } from './key-ranges.ts'
import type { Lock, LockTable } from './locks.ts'
import type { Transaction } from './transaction.ts'
import type { TreeView } from './tree-view.ts'

/** The first attempt that claims. */
export const firstClaimingAttempt = 4
/** A name that no keyspace has. */
const claimTree = '\0claims'

/** What was used of one keyspace. */
interface Used {
  readonly all: KeyRanges
  readonly written: KeyRanges
}

/** What a transaction has used, by keyspace. */
export class Footprint {
  readonly #trees = new Map<string, Used>()

  /** Adds what was read and written through the views. */
  add(views: readonly TreeView[]): void {
    for (const { tree, reads, writes } of views) {
      const { all, written } = this.#of(tree.name)
      for (const key of reads?.keys ?? []) all.add(key, keyBehind(key))
      for (const { from, to } of reads?.ranges ?? []) all.add(from, to)
      for (const used of [all, written]) {
        for (const { from, to } of writes?.guarded ?? []) used.add(from, to)
        for (const { keys } of writes?.entries.blocks ?? []) for (const key of keys) used.add(key, keyBehind(key))
      }
    }
  }

  /** Adds a key that was locked, or was to be: nobody else may use it at the same time, as if it had been written. */
  addLock({ tree, key }: Lock): void {
    if (tree === claimTree) return
    const { all, written } = this.#of(tree)
    for (const used of [all, written]) used.add(key, keyBehind(key))
  }

  /** The single keys that were written or locked, in an order that is the same for all. */
  keysWritten(): { readonly tree: string; readonly key: string }[] {
    const keys: { tree: string; key: string }[] = []
    for (const [tree, { written }] of [...this.#trees].sort(([a], [b]) => byBytes(a, b))) {
      for (const { from, to } of written.ranges) if (to === keyBehind(from)) keys.push({ tree, key: from })
    }
    return keys
  }

  /** Whether one of the two has written what the other has used. */
  collidesWith(other: Footprint): boolean {
    for (const [tree, mine] of this.#trees) {
      const theirs = other.#trees.get(tree)
      if (theirs === undefined) continue
      if (haveOverlap(mine.written.ranges, theirs.all.ranges)) return true
      if (haveOverlap(theirs.written.ranges, mine.all.ranges)) return true
    }
    return false
  }

  /** Whether these writes would change any of it. */
  isChangedBy(views: readonly TreeView[]): boolean {
    for (const { tree, writes } of views) {
      const ranges = this.#trees.get(tree.name)?.all.ranges
      if (ranges === undefined || writes === undefined) continue
      for (const { keys } of writes.entries.blocks) {
        for (const key of keys) if (rangeAt(ranges, key) !== undefined) return true
      }
      if (writes.cleared.some(cleared => ranges.some(range => overlap(range, cleared)))) return true
    }
    return false
  }

  #of(tree: string): Used {
    let used = this.#trees.get(tree)
    if (used === undefined) {
      used = { all: new KeyRanges(), written: new KeyRanges() }
      this.#trees.set(tree, used)
    }
    return used
  }
}

/** Whether the lock stands for a claim. */
export function isClaim(lock: Lock): boolean {
  return lock.tree === claimTree
}

/** How an attempt waits for a claim to end. */
export class ClaimWait {
  readonly footprint: Footprint
  /** Who came earlier has the smaller one. */
  readonly ticket: number
  /** Resolves when the attempt may begin. */
  readonly promise: Promise<void>
  isOver = false
  /** The attempt is not to begin at all. */
  isUnwanted = false
  /** Nobody has looked whether what it waits for now stops it. */
  isUnseen = false
  #resolve: () => void = () => undefined

  constructor(footprint: Footprint, ticket: number) {
    this.footprint = footprint
    this.ticket = ticket
    this.promise = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  /** Its turn has come, or it has waited enough. */
  end(): void {
    this.isOver = true
    this.#resolve()
  }
}

interface Claim {
  readonly footprint: Footprint
  /** Attempts that begin when it has ended, by their tickets. */
  waiting: ClaimWait[]
}

interface HeldClaim extends Claim {
  readonly lock: Lock
}

/**
 * When a claim ends, so many of those that wait for it are looked at; the others wait for what those get. With a
 * thousand in the queue, looking at all of them each time would cost more than all else about the transactions.
 */
const mostLookedAt = 16
/**
 * What those wait for then may not concern them, and may take long. So all of them are looked at after so many
 * milliseconds, and so many more for each, until enough have been let in.
 */
const laterMs = 20
const laterMsEach = 0.1
/** So many are let in at a time: whoever is looked at then is compared with each. */
const mostLetIn = 64

/** The claims of the transactions that are open. */
export class Claims {
  readonly #locks: LockTable
  readonly #claims = new Map<Transaction, HeldClaim>()
  /** Of attempts whose turn has come, until they begin in the next microtask. */
  readonly #reserved = new Map<ClaimWait, Claim>()
  #tickets = 0
  #later: ReturnType<typeof setTimeout> | undefined

  constructor(locks: LockTable) {
    this.#locks = locks
  }

  /**
   * Keeps younger transactions from changing what is in the footprint until the transaction ends. `wait`: how the
   * attempt has waited for that, if it has.
   */
  add(transaction: Transaction, footprint: Footprint, wait: ClaimWait | undefined): void {
    const lock = this.#locks.take(transaction, claimTree, String(transaction.id))
    const reserved = wait === undefined ? undefined : this.#takeReserved(wait)
    this.#claims.set(transaction, { footprint, lock, waiting: reserved?.waiting ?? [] })
  }

  remove(transaction: Transaction): void {
    if (this.#claims.size === 0) return
    const claim = this.#claims.get(transaction)
    if (claim === undefined) return
    this.#claims.delete(transaction)
    this.#letIn(claim.waiting, mostLookedAt)
  }

  /** A wait for the claim that would make an attempt with this footprint lose; undefined: there is none. */
  turnOf(footprint: Footprint): ClaimWait | undefined {
    const claim = this.#blocking(footprint)
    if (claim === undefined) return undefined
    const wait = new ClaimWait(footprint, this.#tickets++)
    claim.waiting.push(wait)
    return wait
  }

  /** The attempt does not begin after all. */
  giveUp(wait: ClaimWait): void {
    this.#letIn(this.#takeReserved(wait)?.waiting ?? [], mostLookedAt)
  }

  /** The claim of an older transaction that these writes would violate, as a lock to wait for. */
  inTheWay(transaction: Transaction, views: readonly TreeView[], ignored: ReadonlySet<Lock>): Lock | undefined {
    for (const [claimant, { footprint, lock }] of this.#claims) {
      if (claimant.seniority >= transaction.seniority || ignored.has(lock)) continue
      if (footprint.isChangedBy(views)) return lock
    }
    return undefined
  }

  get isEmpty(): boolean {
    return this.#claims.size === 0
  }

  #blocking(footprint: Footprint): Claim | undefined {
    for (const claim of this.#claims.values()) if (claim.footprint.collidesWith(footprint)) return claim
    for (const claim of this.#reserved.values()) if (claim.footprint.collidesWith(footprint)) return claim
    return undefined
  }

  #takeReserved(wait: ClaimWait): Claim | undefined {
    const claim = this.#reserved.get(wait)
    this.#reserved.delete(wait)
    return claim
  }

  /** Of those who wait for no claim now, looks at `most` and lets in whom none stops. */
  #letIn(waiting: readonly ClaimWait[], most: number): void {
    let first: Claim | undefined
    let lookedAt = 0
    let letIn = 0
    for (const [i, wait] of waiting.entries()) {
      if (wait.isOver) continue
      if (first !== undefined && (lookedAt === most || letIn === mostLetIn)) {
        // Mostly they would have to wait for that, too.
        const unseen = waiting.slice(i)
        for (const each of unseen) each.isUnseen = true
        join(first, unseen)
        this.#later ??= setTimeout(this.#lookLater, laterMs + laterMsEach * unseen.length)
        return
      }
      lookedAt++
      wait.isUnseen = false
      let claim = this.#blocking(wait.footprint)
      if (claim !== undefined) join(claim, [wait])
      else {
        claim = { footprint: wait.footprint, waiting: [] }
        this.#reserved.set(wait, claim)
        wait.end()
        letIn++
      }
      first ??= claim
    }
    if (this.#claims.size > 0 || this.#reserved.size > 0) return
    clearTimeout(this.#later)
    this.#later = undefined
  }

  readonly #lookLater = (): void => {
    this.#later = undefined
    const claims = [...this.#claims.values(), ...this.#reserved.values()]
    const unseen = claims.flatMap(({ waiting }) => waiting.filter(wait => wait.isUnseen))
    for (const claim of claims) claim.waiting = claim.waiting.filter(wait => !wait.isUnseen)
    this.#letIn(unseen.sort(byTicket), Number.POSITIVE_INFINITY)
  }
}

/** Adds those who waited for another claim, each at the place of its ticket. */
function join(claim: Claim, others: readonly ClaimWait[]): void {
  const last = claim.waiting.at(-1)
  const [next] = others
  const areBehind = last === undefined || (next !== undefined && last.ticket < next.ticket)
  for (const wait of others) claim.waiting.push(wait)
  if (!areBehind) claim.waiting.sort(byTicket)
}

function byTicket(a: ClaimWait, b: ClaimWait): number {
  return a.ticket - b.ticket
}
