// The answers of an owner to one client. All answers of one turn of the event loop are sent together, but never too
// much at a time, so that it shows soon whether the client takes them.

import type { Channel } from './channel.ts'
import { bytesOf, type Message, type MessageCoder } from './messages.ts'
import { answer } from './wire.ts'
import { errorField } from './wire-error.ts'

/** Bytes of answers that are sent before the end of the turn. */
const mostBytes = 1_048_576
/** Bytes of events that are kept for a client that takes nothing, which has probably stopped. */
const mostUnasked = 1_000

export class Outbox {
  readonly #channel: Channel
  readonly #coder: MessageCoder
  #messages: Message[] = []
  #bytes = 0
  #unasked = 0
  #isScheduled = false

  constructor(channel: Channel, coder: MessageCoder) {
    this.#channel = channel
    this.#coder = coder
  }

  /** Sends at the end of the current microtasks, with everything else. */
  send(message: Message): void {
    this.#messages.push(message)
    this.#bytes += bytesOf(message)
    if (this.#bytes >= mostBytes) this.flush()
    else if (!this.#isScheduled) {
      this.#isScheduled = true
      queueMicrotask(this.#flushScheduled)
    }
  }

  /** Sends what was not asked for; false: the client has not taken what went before for too long. */
  sendUnasked(message: Message): boolean {
    this.#unasked = this.#channel.isCongested ? this.#unasked + 1 : 0
    if (this.#unasked > mostUnasked) return false
    this.send(message)
    return true
  }

  /** Sends what there is now. */
  flush(): void {
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    for (const frame of this.#coder.frames(messages, failed)) this.#channel.post(frame)
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false
    this.flush()
  }
}

/** The answer in place of one that cannot be sent. */
function failed([id]: Message, error: unknown): Message {
  return [id, answer.error, errorField(error), true]
}
