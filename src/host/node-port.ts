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
    post: (message, transfer) => port.postMessage(withoutViews(message, transfer), transfer),
    listen(onMessage, onClose) {
      const inbox = new Inbox(message => onMessage(withViews(message)))
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
    post: (message, transfer) => worker.postMessage(withoutViews(message, transfer), transfer),
    listen(onMessage, onClose) {
      const inbox = new Inbox(message => onMessage(withViews(message)))
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

/**
 * The message with the buffers of its byte strings in place of these, each followed by where it begins and how long it
 * is. Deno goes through views byte by byte, which takes 4 s for 20 MB, even if the buffer is handed over; buffers
 * themselves cost nothing.
 */
function withoutViews(message: unknown, transfer: readonly ArrayBuffer[]): unknown {
  if (!Array.isArray(message)) return message
  const handedOver: ReadonlySet<unknown> = new Set(transfer)
  return message.flatMap((part: Uint8Array) => {
    if (handedOver.has(part.buffer)) return [part.buffer, part.byteOffset, part.byteLength]
    return [new Uint8Array(part).buffer, 0, part.byteLength]
  })
}

/** The opposite; undefined when it is no such message. */
function withViews(message: unknown): unknown {
  if (!Array.isArray(message)) return message
  const parts: Uint8Array[] = []
  for (let i = 0; i < message.length; i += 3) {
    const [buffer, offset, length]: unknown[] = message.slice(i, i + 3)
    if (!(buffer instanceof ArrayBuffer) || typeof offset !== 'number' || typeof length !== 'number') return undefined
    if (!(offset >= 0 && length >= 0 && offset + length <= buffer.byteLength)) return undefined
    parts.push(new Uint8Array(buffer, offset, length))
  }
  return parts
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
