// Transactions of `db.transaction` begin one after the other.
//
// Most bodies wait for nothing but promises that are resolved already, so they take a few turns of the microtask queue.
// If a thousand of them began at once, each would keep what it has read and written through the turns of all others.
// They would collide, they would not fit into the processor's cache together, and the garbage collector would copy them.
// So each begins when the one before it has ended. If that takes more turns than such a body does, it is waiting for
// something else, and the next begins beside it.
//
// Nobody waits here for anything but turns of the microtask queue, which come whatever transactions do. So whatever a
// body waits for, the beginning of another transaction included, comes about.

/**
 * Turns that the next one waits for at most. Fewer than those after which a group of commits is flushed, so that those
 * who begin one after the other share a flush.
 */
const mostTurns = 6
/** When so many places at the front of the queue are empty, they are removed. */
const mostEmpty = 1_024

const resolved = Promise.resolve()

export class Turnstile {
  /** Whether somebody was let in and has neither ended nor taken too many turns. */
  #isTaken = false
  /** Who that is, once its transaction has begun. */
  #holder: object | undefined
  #turnsLeft = 0
  #isCounting = false
  /** First come, first served, from `#first` on. */
  #waiting: (() => void)[] = []
  #first = 0

  /** Resolves when it is the caller's turn to begin; undefined: it may begin at once. */
  enter(): Promise<void> | undefined {
    if (!this.#isTaken) {
      this.#take()
      return undefined
    }
    if (!this.#isCounting) {
      this.#isCounting = true
      void resolved.then(this.#count)
    }
    return new Promise(resolve => {
      this.#waiting.push(resolve)
    })
  }

  /** The transaction that has begun in this turn; the next begins when it has ended. */
  hold(transaction: object): void {
    this.#holder = transaction
  }

  /** Whoever was let in does not begin a transaction after all. */
  pass(): void {
    if (this.#holder === undefined) this.#letNextIn()
  }

  /** The transaction has ended. */
  leave(transaction: object): void {
    if (this.#holder === transaction) this.#letNextIn()
  }

  #take(): void {
    this.#isTaken = true
    this.#turnsLeft = mostTurns
  }

  #letNextIn(): void {
    this.#holder = undefined
    const next = this.#waiting[this.#first]
    if (next === undefined) {
      this.#isTaken = false
      return
    }
    this.#first++
    if (this.#first === this.#waiting.length) {
      this.#waiting = []
      this.#first = 0
    } else if (this.#first === mostEmpty) {
      this.#waiting = this.#waiting.slice(mostEmpty)
      this.#first = 0
    }
    this.#take()
    next()
  }

  /** One turn has passed while somebody waits. */
  readonly #count = (): void => {
    if (this.#waiting.length === 0) {
      this.#isCounting = false
      return
    }
    if (--this.#turnsLeft <= 0) this.#letNextIn()
    void resolved.then(this.#count)
  }
}
