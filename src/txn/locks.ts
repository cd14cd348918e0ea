// Locks of single keys, each with one holder at a time. If a lock is taken, the next transaction waits in its queue,
// first come, first served: a released lock goes to the first in the queue at once, so nobody can overtake.
//
// When a wait completes a cycle (`waits-for.ts`), the youngest transaction in it loses: it is rolled back, its waits
// reject with `LIGHTNING_DEADLOCK`, and its locks go to the others. Age counts from the first attempt, so a transaction
// that is run again becomes older than the others some time and does not lose any more.
import { abortError } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'
import { showKey } from './binary-key.ts'
import { isClaim } from './claims.ts'
import { rangeAt } from './key-ranges.ts'
import { findCycle, type Wait } from './waits-for.ts'
import type { WriteSet } from './write-set.ts'

/** A transaction, as far as locks are concerned. */
export interface LockOwner {
  readonly id: number
  /** Number of its first attempt: the greater, the younger. */
  readonly seniority: number
  readonly held: readonly Lock[]
  readonly waits: Set<LockWait>
  /** A lock is its own now. */
  hold(lock: Lock): void
  /**
   * The transaction was chosen to end a deadlock: it rolls back, releases its locks and rejects its waits with `error`.
   */
  lose(error: LightningError): void
}

/** Bounds of one wait. */
export interface LockWaitOptions {
  /** Milliseconds; 0 does not wait, `Infinity` has no bound. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What `Lock.readAt` is before the holder has read the key. */
export const neverRead = -1

/** One key that somebody holds. */
export class Lock {
  readonly tree: string
  readonly key: string
  holder: LockOwner
  /** Number of the newest commit that the holder could see when it first read the key. */
  readAt = neverRead
  first: LockWait | undefined
  last: LockWait | undefined

  constructor(tree: string, key: string, holder: LockOwner) {
    this.tree = tree
    this.key = key
    this.holder = holder
  }
}

/** A place in the queue of a lock. */
export class LockWait implements Wait<LockOwner> {
  readonly owner: LockOwner
  readonly lock: Lock
  readonly promise: Promise<void>
  previous: LockWait | undefined
  next: LockWait | undefined
  #resolve: () => void = () => undefined
  #reject: (error: LightningError) => void = () => undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #signal: AbortSignal | undefined

  constructor(owner: LockOwner, lock: Lock) {
    this.owner = owner
    this.lock = lock
    this.promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#join(ownWait(owner, lock) ?? lock.last)
    owner.waits.add(this)
  }

  /** A transaction may have several waits in a queue, all at one place; it does not wait for itself. */
  get blocker(): LockOwner {
    let before = PLANTED_BUG === 27 ? undefined : this.previous
    while (before !== undefined && before.owner === this.owner) before = before.previous
    return before?.owner ?? this.lock.holder
  }

  /** Ends the wait, unsuccessfully, at its bounds. */
  bound({ timeoutMs, signal }: LockWaitOptions): void {
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.reject(timedOut(this.lock, timeoutMs)), timeoutMs)
    }
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort)
  }

  /** The lock is the owner's. */
  grant(): void {
    this.#leave()
    this.#resolve()
  }

  reject(error: LightningError): void {
    this.#leave()
    this.#reject(error)
  }

  /** Stands behind this one. */
  #join(previous: LockWait | undefined): void {
    const { lock } = this
    this.previous = previous
    this.next = previous?.next
    if (previous === undefined) lock.first = this
    else previous.next = this
    if (this.next === undefined) lock.last = this
    else this.next.previous = this
  }

  readonly #abort = (): void => this.reject(abortedBy(this.#signal))

  #leave(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#abort)
    this.owner.waits.delete(this)
    const { previous, next, lock } = this
    if (previous === undefined) lock.first = next
    else previous.next = next
    if (next === undefined) lock.last = previous
    else next.previous = previous
  }
}

/**
 * The last wait of an owner for a lock. Its next wait is put directly behind this one, since the owner gets the lock
 * for all its waits at once; at the end of the queue it would wait for others that wait for the owner.
 */
function ownWait(owner: LockOwner, lock: Lock): LockWait | undefined {
  let found: LockWait | undefined
  for (const wait of owner.waits) if (wait.lock === lock) found = wait
  return found
}

/** Whether somebody waits behind the owner. If not, a wait of the owner cannot complete a cycle. */
function isWaitedFor(owner: LockOwner): boolean {
  for (const { first } of owner.held) if (first !== undefined) return true
  for (const wait of owner.waits) if (wait.next !== undefined && wait.next.owner !== owner) return true
  return false
}

/** So many keyspaces are kept even if none of their keys is locked: mostly one will be, before long. */
const mostUnused = 16

/** All locks that are held. */
export class LockTable {
  readonly #trees = new Map<string, Map<string, Lock>>()
  #count = 0
  #claims = 0

  /** Whether nobody holds any. */
  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether somebody holds one of a key. */
  get hasKeys(): boolean {
    return this.#count > this.#claims
  }

  /** The lock of a written key, or of a key in a cleared range, that somebody other than `owner` holds. */
  inTheWay(owner: LockOwner, tree: string, writes: WriteSet): Lock | undefined {
    const keys = this.#trees.get(tree)
    if (keys === undefined) return undefined
    if (writes.cleared.length > 0) {
      for (const [key, lock] of keys) {
        if (lock.holder !== owner && rangeAt(writes.cleared, key) !== undefined) return lock
      }
    }
    for (const block of writes.entries.blocks) {
      for (const key of block.keys) {
        const lock = keys.get(key)
        if (lock !== undefined && lock.holder !== owner) return lock
      }
    }
    return undefined
  }

  /**
   * Takes a lock, if the owner gets it at once. Otherwise a wait, whose promise rejects with `LIGHTNING_TIMEOUT`,
   * `LIGHTNING_ABORTED`, `LIGHTNING_DEADLOCK`, or the error by which the owner is ended meanwhile.
   */
  acquire(
    owner: LockOwner,
    tree: string,
    key: string,
    timeoutMs: number,
    signal: AbortSignal | undefined
  ): Lock | LockWait {
    if (signal?.aborted === true) throw abortedBy(signal)
    const lock = this.#trees.get(tree)?.get(key)
    if (lock === undefined) return this.take(owner, tree, key)
    if (lock.holder === owner) return lock
    if (timeoutMs === 0) throw timedOut(lock, 0)
    const wait = new LockWait(owner, lock)
    wait.bound({ timeoutMs, signal })
    if (isWaitedFor(owner)) this.#breakCycles(owner)
    return wait
  }

  /** Takes a lock that nobody holds. */
  take(owner: LockOwner, tree: string, key: string): Lock {
    const lock = new Lock(tree, key, owner)
    const keys = this.#trees.get(tree)
    if (keys === undefined) this.#trees.set(tree, new Map([[key, lock]]))
    else keys.set(key, lock)
    this.#count++
    if (isClaim(lock)) this.#claims++
    owner.hold(lock)
    return lock
  }

  /** Gives all locks of an owner, which has ended, to those who wait for them. */
  release(owner: LockOwner): void {
    for (const lock of owner.held) this.#passOn(lock)
  }

  #passOn(lock: Lock): void {
    const { first } = lock
    if (first === undefined) {
      const keys = this.#trees.get(lock.tree)
      if (keys?.delete(lock.key) === true) {
        this.#count--
        if (isClaim(lock)) this.#claims--
      }
      if (keys?.size === 0 && this.#trees.size > mostUnused) this.#trees.delete(lock.tree)
      return
    }
    const { owner } = first
    lock.holder = owner
    lock.readAt = neverRead
    owner.hold(lock)
    let wait: LockWait | undefined = first
    while (wait?.owner === owner) {
      const { next }: LockWait = wait
      wait.grant()
      wait = next
    }
  }

  #breakCycles(owner: LockOwner): void {
    while (true) {
      const found = findCycle<LockOwner, LockWait>(owner)
      if (found === undefined) return
      const cycle = withoutBystanders(found)
      const victim = cycle.map(wait => wait.owner).reduce((a, b) => (b.seniority > a.seniority ? b : a))
      victim.lose(deadlock(cycle, victim))
    }
  }
}

/**
 * The cycle without those who only stand in a queue between two others of it: whoever is behind them waits for the one
 * before them, too, so without them there is still a cycle.
 */
function withoutBystanders(cycle: readonly LockWait[]): LockWait[] {
  return cycle.filter(({ lock }, i) => cycle.at(i - 1)?.lock !== lock)
}

function deadlock(cycle: readonly LockWait[], victim: LockOwner): LightningError {
  const edges = cycle.map(
    ({ owner, lock }, i) =>
      `transaction ${owner.id} waits for ${cycle[(i + 1) % cycle.length]?.owner.id} ${isClaim(lock) ? 'to win at last' : `at the key ${showKey(lock.key)}`}`
  )
  return new LightningError(
    'LIGHTNING_DEADLOCK',
    `Transactions wait for each other: ${edges.join(', ')}. Transaction ${victim.id} was rolled back so that the others ` +
      'can go on; run it again, or let db.transaction() do so.'
  )
}

function timedOut(lock: Lock, timeoutMs: number): LightningError {
  return new LightningError(
    'LIGHTNING_TIMEOUT',
    `Transaction ${lock.holder.id} holds the lock of the key ${showKey(lock.key)}, and waiting for it is bounded by ` +
      `${timeoutMs} ms (option lockTimeoutMs). Try again later, or wait longer.`
  )
}

function abortedBy(signal: AbortSignal | undefined): LightningError {
  return abortError(signal, 'The wait for a lock was aborted by its signal.')
}
