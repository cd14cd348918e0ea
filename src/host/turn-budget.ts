// How long incoming frames may keep a turn of the event loop. Node hands over all that has arrived, up to a thousand
// messages of a port, before the loop goes on; and while these are worked on, more arrive. So a busy client's timers
// and sockets would wait for a third of a second. Only for Node, Deno and Bun: in browsers every message has a turn.

// The global one is missing in older versions of Deno.
import { setImmediate } from 'node:timers'

const sliceMs = 1

export class TurnBudget {
  readonly #goOn: () => void
  #endsMs = 0
  /** Whether `#next` is called when the loop has turned. */
  #isLastOfTurn = false
  #isOwed = false

  /** `goOn` is called in the next turn if `isOver` was true in this one. */
  constructor(goOn: () => void) {
    this.#goOn = goOn
  }

  /** Whether what is left must wait for the next turn. Ask before each frame. */
  isOver(): boolean {
    if (this.#isLastOfTurn) {
      this.#isOwed = true
      return true
    }
    if (performance.now() >= this.#endsMs) {
      // Perhaps the loop has turned meanwhile: to ask for that every time would cost more. So this one still goes.
      this.#isLastOfTurn = true
      setImmediate(this.#next)
    }
    return false
  }

  readonly #next = (): void => {
    this.#isLastOfTurn = false
    this.#endsMs = performance.now() + sliceMs
    if (!this.#isOwed) return
    this.#isOwed = false
    this.#goOn()
  }
}
