// How long incoming frames may keep a turn of the event loop. Node hands over all that has arrived, up to a thousand
// messages of a port, before the loop goes on; and while these are worked on, more arrive. So a busy client's timers
// and sockets would wait for a third of a second. Only for Node, Deno and Bun: in browsers every message has a turn.

// The global one is missing in older versions of Deno.
import { setImmediate } from 'node:timers'

const sliceMs = 1

export class TurnBudget {
  readonly #goOn: () => void
  #hasBegun = false
  #endsMs = 0
  #isOwed = false

  /** `goOn` is called in the next turn if `isOver` was true in this one. */
  constructor(goOn: () => void) {
    this.#goOn = goOn
  }

  /** Whether what is left must wait for the next turn. Ask before each frame: it is never true for the first. */
  isOver(): boolean {
    const nowMs = performance.now()
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.#endsMs = nowMs + sliceMs
      setImmediate(this.#next)
      return false
    }
    this.#isOwed ||= nowMs >= this.#endsMs
    return this.#isOwed
  }

  readonly #next = (): void => {
    this.#hasBegun = false
    if (!this.#isOwed) return
    this.#isOwed = false
    this.#goOn()
  }
}
