// Random transactions that wait for each other's locks, in a time that comes from the seed. Every call on one either ends at
// once, as the model of `model.ts` says, or stands in a queue; what then becomes of it is foretold by `waits-model.ts`. After
// every step everything that was to happen must have happened, and nothing else.
import assert from 'node:assert/strict'
import { type Database, type Isolation, isLightningError, open } from '../../src/index.ts'
import { Random } from '../support/random.ts'
import { inVirtualTime } from '../support/virtual-time.ts'
import { allKeys } from './model.ts'
import { type Outcome, type Party, Queues } from './waits-model.ts'

/** How often each step comes. */
const weights = {
  begin: 5,
  lock: 12,
  put: 4,
  commit: 4,
  commitSync: 1,
  rollback: 1.5,
  abort: 1.5,
  plainPut: 1,
  pause: 0.5
} as const

type StepKind = keyof typeof weights

const isKind = (name: string): name is StepKind => Object.hasOwn(weights, name)
const kinds = Object.keys(weights).filter(isKind)
const total = kinds.reduce((sum, kind) => sum + weights[kind], 0)

const isolations: readonly [Isolation, ...Isolation[]] = ['serializable', 'snapshot', 'read-committed']
const boundMs = 40
/** Turns of the event loop after which what must happen has happened. */
const mostTurns = 20

/** Takes so many steps; throws when something is not as foretold. The same seed does the same. */
export function play(seed: number, steps: number): Promise<Queues['counts']> {
  return inVirtualTime(seed, async () => {
    const random = new Random(seed)
    const waits = await WaitsPlay.begin(random)
    for (let i = 1; i <= steps; i++) {
      const kind = someKind(random)
      try {
        await waits.take(kind)
      } catch (error) {
        throw new Error(`Step ${i} of seed ${seed}, ${kind}, went wrong.`, { cause: error })
      }
    }
    return await waits.end()
  })
}

function someKind(random: Random): StepKind {
  let left = (random.next() / 0x1_0000_0000) * total
  for (const kind of kinds) {
    left -= weights[kind]
    if (left < 0) return kind
  }
  return 'lock'
}

class WaitsPlay {
  readonly #db: Database<string, number>
  readonly #keys: readonly string[]
  readonly #most: number
  readonly #random: Random
  readonly #queues = new Queues()
  #number = 0

  private constructor(db: Database<string, number>, random: Random) {
    this.#db = db
    this.#random = random
    this.#keys = allKeys.slice(0, random.pick([1, 2, 3, 3, 6]))
    this.#most = random.pick([2, 3, 5, 8])
  }

  static async begin(random: Random): Promise<WaitsPlay> {
    const db = await open<string, number>(':memory:', { cacheBytes: 4 << 20, lockTimeoutMs: Number.POSITIVE_INFINITY })
    return new WaitsPlay(db, random)
  }

  async take(kind: StepKind): Promise<void> {
    this.#steps[kind](this.#random)
    await this.#settle()
    if (kind === 'pause') for (let i = 0; i <= boundMs; i++) await this.#settle()
  }

  async end(): Promise<Queues['counts']> {
    for (const party of [...this.#queues.parties]) {
      this.#rollback(party)
      await this.#settle()
    }
    await this.#db.close()
    return this.#queues.counts
  }

  readonly #steps: Readonly<Record<StepKind, (random: Random) => void>> = {
    begin: random => this.#begin(random),
    lock: random => this.#lock(random),
    put: random => this.#put(random),
    commit: random => this.#commit(random),
    commitSync: random => this.#commitSync(random),
    rollback: random => this.#rollback(this.#queues.parties[random.below(this.#queues.parties.length)]),
    abort: random => this.#abort(random),
    plainPut: random => this.#plainPut(random),
    pause: () => undefined
  }

  #begin(random: Random): void {
    if (this.#queues.parties.length >= this.#most) return
    const isolation = random.pick(isolations)
    this.#queues.join(this.#db.begin({ isolation }), isolation)
  }

  #lock(random: Random): void {
    const party = this.#someIdle(random)
    if (party === undefined) return
    const key = this.#someKey(random)
    const lockTimeoutMs = random.pick([undefined, undefined, boundMs, 0])
    const controller = random.chance(0.3) ? new AbortController() : undefined
    const answer = party.tx.getForUpdate(key, { lockTimeoutMs, signal: controller?.signal })
    this.#queues.lock(party, key, outcomeOf(answer), lockTimeoutMs, controller)
  }

  /** Of keys whose lock it does not have it writes one at most, so that its commit waits for one thing. */
  #put(random: Random): void {
    const party = this.#someIdle(random)
    if (party === undefined) return
    const key = this.#someKey(random)
    if (!this.#queues.holds(party, key) && party.unlocked !== undefined && party.unlocked !== key) return
    if (!this.#queues.holds(party, key)) party.unlocked = key
    const number = ++this.#number
    party.tx.put(key, number)
    party.model.put('', key, number)
  }

  #commit(random: Random): void {
    const party = this.#someIdle(random)
    if (party !== undefined) this.#queues.commit(party, outcomeOf(party.tx.commit().then(() => undefined)))
  }

  #commitSync(random: Random): void {
    const party = this.#someIdle(random)
    if (party === undefined) return
    const mustLose = this.#queues.mustWait(party) || party.model.conflicts
    let hasLost = false
    try {
      party.tx.commitSync()
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_CONFLICT')) throw error
      hasLost = true
    }
    assert.equal(hasLost, mustLose, 'whether a synchronous commit is refused')
    this.#queues.leave(party, !hasLost)
  }

  #rollback(party: Party | undefined): void {
    if (party === undefined) return
    party.tx.rollback()
    this.#queues.rollback(party)
  }

  #abort(random: Random): void {
    const waiting = this.#queues.waiting.filter(({ controller }) => controller !== undefined)
    const wait = waiting[random.below(waiting.length)]
    if (wait === undefined) return
    wait.controller?.abort()
    this.#queues.give(wait, 'LIGHTNING_ABORTED')
  }

  /** Waits for nobody, and whoever has the lock will lose. */
  #plainPut(random: Random): void {
    const [key, number] = [this.#someKey(random), ++this.#number]
    this.#db.putSync(key, number)
    this.#queues.database.put('', key, number)
  }

  /** Lets happen what must; then nothing else may have happened. */
  async #settle(): Promise<void> {
    for (let turns = 0; turns === 0 || (turns < mostTurns && this.#queues.awaitsAnswers); turns++) {
      await new Promise(resolve => setImmediate(resolve))
      this.#queues.passTime(performance.now())
    }
    this.#queues.compare()
    const wanted = [...this.#queues.database.state('')].sort()
    assert.deepEqual([...this.#db.entries()], wanted, 'what is committed')
  }

  #someKey(random: Random): string {
    return this.#keys[random.below(this.#keys.length)] ?? ''
  }

  /** One that waits for nothing. */
  #someIdle(random: Random): Party | undefined {
    const idle = this.#queues.parties.filter(({ wait }) => wait === undefined)
    return idle[random.below(idle.length)]
  }
}

/** How a call ended, once it has. */
function outcomeOf(answer: Promise<number | undefined>): Outcome {
  const outcome: Outcome = { told: undefined }
  answer.then(
    value => {
      outcome.told = { value }
    },
    (error: unknown) => {
      outcome.told = isLightningError(error) ? { code: error.code } : { code: String(error) }
    }
  )
  return outcome
}
