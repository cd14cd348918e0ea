// Ports of node:worker_threads.

import type { MessagePort, Worker } from 'node:worker_threads'
import type { Port } from './port-channel.ts'
import { TurnBudget } from './turn-budget.ts'

/** The port of a thread to the one that started it; what comes before somebody listens is kept. */
export function nodePort(port: MessagePort): Port {
  const early: unknown[] = []
  let deliver = (message: unknown): void => void early.push(message)
  // At once: Deno drops messages that nobody listens to.
  port.on('message', message => deliver(message))
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen(onMessage, onClose) {
      const inbox = new Inbox(onMessage)
      const close = (reason: string): void => {
        inbox.empty()
        onClose(reason)
      }
      deliver = message => inbox.take(message)
      port.on('messageerror', () => close('it posted something that cannot be read.'))
      port.on('close', () => close('its port was closed.'))
      // Not now: whoever makes the channel sets its handlers first.
      queueMicrotask(() => {
        for (const message of early.splice(0)) inbox.take(message)
      })
    },
    close() {
      // Deno's has none: its thread must be ended.
      if (typeof port.close === 'function') port.close()
      else process.exit(0)
    },
    hold: isHeld => (isHeld ? port.ref() : port.unref())
  }
}

/** A worker as the thread that started it sees it. */
export function workerPort(worker: Worker): Port {
  let failure: unknown
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onClose) {
      const inbox = new Inbox(onMessage)
      const close = (reason: string): void => {
        inbox.empty()
        onClose(reason)
      }
      worker.on('message', message => inbox.take(message))
      worker.on('messageerror', () => close('it posted something that cannot be read.'))
      worker.on('error', error => {
        failure = error
      })
      worker.on('exit', code => close(`its thread ended with ${code}${failure === undefined ? '' : `: ${failure}`}.`))
    },
    // The thread ends by itself when its last client has left.
    close: () => worker.unref(),
    hold: isHeld => (isHeld ? worker.ref() : worker.unref())
  }
}

/** What has arrived: delivered in order, and no more in one turn of the event loop than others can wait for. */
class Inbox {
  readonly #deliver: (message: unknown) => void
  readonly #budget = new TurnBudget(() => this.#work())
  #waiting: unknown[] = []
  /** How many of these have been delivered: none is delivered twice, whatever a delivery does. */
  #delivered = 0

  constructor(deliver: (message: unknown) => void) {
    this.#deliver = deliver
  }

  take(message: unknown): void {
    this.#waiting.push(message)
    this.#work()
  }

  /** Delivers everything now. */
  empty(): void {
    while (this.#delivered < this.#waiting.length) this.#deliver(this.#waiting[this.#delivered++])
    this.#forget()
  }

  #work(): void {
    while (this.#delivered < this.#waiting.length && !this.#budget.isOver()) {
      this.#deliver(this.#waiting[this.#delivered++])
    }
    this.#forget()
  }

  #forget(): void {
    this.#waiting.splice(0, this.#delivered)
    this.#delivered = 0
  }
}
