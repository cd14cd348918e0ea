// The answers of an owner to one client. All answers of one turn of the event loop are sent together, but in
// pieces of moderate size, so that the channel tells soon whether the client takes them.

import type { Channel } from './channel.ts'
import { bytesOf, type Message, type MessageCoder } from './messages.ts'
import { answer } from './wire.ts'
import { errorField } from './wire-error.ts'

/** So many bytes of answers are sent without waiting for the end of the turn. */
const mostBytes = 1_048_576
/** Events and log lines that are queued for a client that takes nothing; after that it counts as gone. */
const mostUnasked = 1_000

export class SessionOutbox {
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

  /** Sends an event or a log line; false when too many of them wait already, for a client that takes nothing. */
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
