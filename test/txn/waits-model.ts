// What becomes of transactions that wait for locks, by the letter: a queue for every key, first come, first served, and who waits for whom.
//
// A transaction in a queue waits for the holder of the lock. (It waits for those who came before it, too; but each of them
// waits for nothing else, so it is the holder on whom all depends.) A circle of those closes when somebody joins a queue;
// then the youngest in it is rolled back, and nobody else, whoever stands in a queue.
import assert from 'node:assert/strict'
import type { Isolation, Transaction } from '../../src/index.ts'
import { ModelDatabase, ModelTransaction } from './model.ts'

/** What a call was answered, once it was. */
export interface Outcome {
  told: Answer | undefined
}

export type Answer = { readonly value: number | undefined } | { readonly code: string }

export interface Party {
  readonly tx: Transaction<string, number>
  readonly model: ModelTransaction
  /** The key that it has written without its lock. */
  unlocked: string | undefined
  wait: Wait | undefined
}

export interface Wait {
  readonly party: Party
  readonly key: string
  readonly isCommit: boolean
  readonly outcome: Outcome
  /** When it has waited for too long, in ms. */
  readonly untilMs: number
  readonly controller: AbortController | undefined
}

/** Timers may be late by so many turns. */
const lateMs = 2

export class Queues {
  readonly database = new ModelDatabase()
  readonly counts = { granted: 0, waits: 0, committed: 0, conflicts: 0, deadlocks: 0, timeouts: 0, aborts: 0 }
  readonly #queues = new Map<string, Wait[]>()
  readonly #foretold: { readonly outcome: Outcome; readonly answer: Answer; readonly what: string }[] = []
  /** Keys whose lock has come free, in order. */
  readonly #free: string[] = []
  parties: Party[] = []

  join(tx: Transaction<string, number>, isolation: Isolation): void {
    const model = new ModelTransaction(this.database, isolation)
    this.parties.push({ tx, model, unlocked: undefined, wait: undefined })
  }

  get waiting(): readonly Wait[] {
    return this.parties.flatMap(({ wait }) => wait ?? [])
  }

  holds(party: Party, key: string): boolean {
    return this.#holder(key) === party
  }

  /** Whether the commit of a transaction has to wait for a lock. */
  mustWait({ unlocked, model }: Party): boolean {
    const holder = unlocked === undefined ? undefined : this.database.locks.get(nameOf(unlocked))
    return holder !== undefined && holder !== model
  }

  lock(
    party: Party,
    key: string,
    outcome: Outcome,
    lockTimeoutMs = Number.POSITIVE_INFINITY,
    controller?: AbortController
  ): void {
    const holder = this.#holder(key)
    if (holder === undefined || holder === party) this.#grant(party, key, outcome)
    else if (lockTimeoutMs === 0) this.#foretell(outcome, { code: 'LIGHTNING_TIMEOUT' }, 'a lock that is held')
    else {
      const untilMs = performance.now() + lockTimeoutMs
      this.#enqueue({ party, key, isCommit: false, outcome, untilMs, controller })
    }
  }

  /** One that has lost already is told at once. */
  commit(party: Party, outcome: Outcome): void {
    const { unlocked: key } = party
    if (key !== undefined && this.mustWait(party) && !party.model.loses) {
      const untilMs = Number.POSITIVE_INFINITY
      this.#enqueue({ party, key, isCommit: true, outcome, untilMs, controller: undefined })
    } else this.#end(party, outcome)
    this.#passOn()
  }

  /** It has ended, with or without its writes. */
  leave(party: Party, hasCommitted: boolean): void {
    this.#release(party, hasCommitted)
    this.#passOn()
  }

  rollback(party: Party): void {
    if (party.wait !== undefined) this.#unqueue(party.wait, 'LIGHTNING_CLOSED')
    this.leave(party, false)
  }

  /** A wait ends so, and nothing else with it. */
  give(wait: Wait, code: string): void {
    this.#unqueue(wait, code)
  }

  passTime(nowMs: number): void {
    for (const wait of this.waiting) {
      const isTold = codeOf(wait.outcome.told) === 'LIGHTNING_TIMEOUT'
      if (nowMs >= wait.untilMs + lateMs || (nowMs >= wait.untilMs && isTold)) this.#unqueue(wait, 'LIGHTNING_TIMEOUT')
    }
  }

  /** Whether something must still be told. */
  get awaitsAnswers(): boolean {
    return this.#foretold.some(({ outcome }) => outcome.told === undefined)
  }

  /** Throws unless everything foretold was told, and nothing else. */
  compare(): void {
    for (const { outcome, answer, what } of this.#foretold.splice(0)) assert.deepEqual(outcome.told, answer, what)
    for (const { outcome, key, party } of this.waiting) {
      assert.equal(outcome.told, undefined, `transaction ${party.tx.id} waits for the lock of ${key}`)
    }
    for (const { tx, wait } of this.parties)
      assert(tx.isOpen || wait?.isCommit === true, `transaction ${tx.id} is open`)
  }

  #enqueue(wait: Wait): void {
    wait.party.wait = wait
    this.#queue(wait.key).push(wait)
    this.counts.waits++
    const victim = this.#circle(wait).toSorted(youngestFirst)[0]
    if (victim === undefined) return
    this.#unqueue(victim, 'LIGHTNING_DEADLOCK')
    this.counts.deadlocks++
    this.leave(victim.party, false)
  }

  #unqueue(wait: Wait, code: string): void {
    const { party, key, outcome } = wait
    party.wait = undefined
    this.#queues.set(
      key,
      this.#queue(key).filter(other => other !== wait)
    )
    this.#foretell(outcome, { code }, `the end of the wait of transaction ${party.tx.id} for ${key}`)
  }

  #grant(party: Party, key: string, outcome: Outcome): void {
    const what = `transaction ${party.tx.id} locks ${key}`
    if (party.model.lock('', key) === 'conflict') {
      this.#foretell(outcome, { code: 'LIGHTNING_CONFLICT' }, what)
      this.leave(party, false)
    } else {
      if (party.unlocked === key) party.unlocked = undefined
      this.#foretell(outcome, { value: party.model.seen('').get(key) }, what)
      this.counts.granted++
    }
  }

  #end(party: Party, outcome: Outcome): void {
    const loses = party.model.loses
    const answer = loses ? { code: 'LIGHTNING_CONFLICT' } : { value: undefined }
    this.#foretell(outcome, answer, `the commit of transaction ${party.tx.id}`)
    if (!loses) this.counts.committed++
    this.#release(party, !loses)
  }

  #release(party: Party, hasCommitted: boolean): void {
    const held = [...this.database.locks].filter(([, holder]) => holder === party.model).map(([name]) => name)
    if (hasCommitted) party.model.commit()
    else party.model.end()
    this.parties = this.parties.filter(other => other !== party)
    this.#free.push(...held)
  }

  /** Locks that have come free go to who has waited longest; whose commit gets its last one ends, and frees others. */
  #passOn(): void {
    for (let name = this.#free.shift(); name !== undefined; name = this.#free.shift()) {
      const key = name.slice(1)
      const next = this.#holder(key) === undefined ? this.#queue(key).shift() : undefined
      if (next === undefined) continue
      const { party, outcome } = next
      party.wait = undefined
      if (next.isCommit) {
        this.database.locks.set(name, party.model)
        this.#end(party, outcome)
      } else this.#grant(party, key, outcome)
    }
  }

  /** The circle that the wait has closed; empty: none. Since there was none before, every way from it ends or comes back. */
  #circle(first: Wait): Wait[] {
    const circle: Wait[] = []
    for (let wait: Wait | undefined = first; wait !== undefined; wait = this.#holder(wait.key)?.wait) {
      if (wait === circle[0]) return circle
      circle.push(wait)
    }
    return []
  }

  #foretell(outcome: Outcome, answer: Answer, what: string): void {
    this.#foretold.push({ outcome, answer, what })
    const code = codeOf(answer)
    if (code === 'LIGHTNING_CONFLICT') this.counts.conflicts++
    if (code === 'LIGHTNING_TIMEOUT') this.counts.timeouts++
    if (code === 'LIGHTNING_ABORTED') this.counts.aborts++
  }

  #holder(key: string): Party | undefined {
    const model = this.database.locks.get(nameOf(key))
    return this.parties.find(party => party.model === model)
  }

  #queue(key: string): Wait[] {
    const queue = this.#queues.get(key) ?? []
    this.#queues.set(key, queue)
    return queue
  }
}

function youngestFirst(a: Wait, b: Wait): number {
  return b.party.tx.id - a.party.tx.id
}

function codeOf(told: Answer | undefined): string | undefined {
  return told !== undefined && 'code' in told ? told.code : undefined
}

/** As the model of the database names the locks of its own keyspace. */
function nameOf(key: string): string {
  return `/${key}`
}
