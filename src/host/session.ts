// One client as its owner sees it. The session takes the client's requests in order, answers them, and keeps what it
// has opened. When the client has gone, however that happened, everything it held is released at once.

import type { EngineEvent, EngineEvents } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import type { Channel } from './channel.ts'
import type { LogLevel } from './log-fanout.ts'
import { type Hello, refusalMessage, welcomeMessage } from './handshake-messages.ts'
import { malformed, type Message, type MessageCoder } from './messages.ts'
import type { Owner } from './owner.ts'
import { SessionMaintenance } from './session-maintenance.ts'
import { SessionHandles, TransactionFailure } from './session-handles.ts'
import { SessionIterators } from './session-iterators.ts'
import { SessionReads } from './session-reads.ts'
import { SessionOutbox } from './session-outbox.ts'
import { SessionTransactions } from './session-transactions.ts'
import { SessionWrites } from './session-writes.ts'
import { answer, Fields, operation } from './wire.ts'
import { errorField, wellFormed } from './wire-error.ts'

/** Handles one operation. Its result, or what its promise resolves with, is sent as the answer. */
export type Handler = (fields: Fields, id: number) => unknown

/** What a handler returns if it sends the answer itself. */
export const answersLater = Symbol('answers later')

export class Session {
  readonly owner: Owner
  readonly readOnly: boolean
  readonly isStrict: boolean
  /** Which client it is, if that is known. */
  readonly client: string | undefined
  readonly handles: SessionHandles
  readonly #channel: Channel
  readonly #outbox: SessionOutbox
  readonly #iterators: SessionIterators
  readonly #maintenance: SessionMaintenance
  readonly #handlers: ReadonlyMap<unknown, Handler>
  /** Requests that wait until the client has taken earlier answers. */
  #inbox: Message[] = []
  /** Answers under way. */
  readonly #answering = new Set<Promise<unknown>>()
  #hasLeft = false
  #hasEnded = false

  constructor(owner: Owner, channel: Channel, coder: MessageCoder, { readOnly, isStrict, client }: Hello) {
    this.owner = owner
    this.readOnly = readOnly
    this.isStrict = isStrict
    this.client = client
    this.#channel = channel
    this.#outbox = new SessionOutbox(channel, coder)
    this.handles = new SessionHandles(owner)
    this.#iterators = new SessionIterators(this)
    this.#maintenance = new SessionMaintenance(this)
    this.#handlers = new Map<unknown, Handler>([
      ...new SessionReads(this).handlers,
      ...new SessionWrites(this).handlers,
      ...new SessionTransactions(this).handlers,
      ...this.#iterators.handlers,
      ...this.#maintenance.handlers,
      // Answered with an empty list: any frame is a sign of life.
      [operation.ping, () => this.answerAll([])],
      [operation.close, () => this.#leave()]
    ])
    channel.onFrame = frame => {
      try {
        this.take(coder.decode(frame))
      } catch (error) {
        this.#refuse(error)
      }
    }
    channel.onDrain = () => this.#work()
    channel.onClose = () => this.#vanish()
    // The owner lives as long as it has clients.
    channel.hold(true)
  }

  /** Completes the handshake. */
  welcome(): void {
    this.send(welcomeMessage({ location: wellFormed(this.owner.engine.location) }))
  }

  /** Handles requests in order, no faster than the client takes the answers, which would fill memory. Never throws. */
  take(messages: readonly Message[]): void {
    for (const message of messages) this.#inbox.push(message)
    this.#work()
  }

  /**
   * Ends the session because its client has come by another channel. It has given this one up, and what is left of it
   * here must not be done after what comes by the other.
   */
  supersede(): void {
    this.#channel.abandon()
    this.#vanish()
  }

  /** Notes a promise that answers requests when it ends, so that `#leave` can wait for it. It must never reject. */
  trackAnswer(end: Promise<unknown>): void {
    this.#answering.add(end)
    void end.then(() => this.#answering.delete(end))
  }

  #work(): void {
    const inbox = this.#inbox
    let done = 0
    for (const message of inbox) {
      if (this.#hasEnded || this.#channel.isCongested) break
      this.#receive(message)
      done++
    }
    inbox.splice(0, this.#hasEnded ? inbox.length : done)
  }

  #receive(message: Message): void {
    const [name, id] = message
    const handler = this.#handlers.get(name)
    if (handler === undefined || typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      this.#refuse(malformed('there is no such operation'))
      return
    }
    try {
      const result = handler(new Fields(message, 2), id)
      if (result === answersLater) return
      if (result instanceof Promise) {
        this.trackAnswer(
          result.then(
            value => this.answer(id, value),
            error => this.answerError(id, error)
          )
        )
      } else this.answer(id, result)
    } catch (error) {
      this.answerError(id, error)
    }
  }

  answer(id: number, value: unknown): void {
    if (id !== 0) this.send([id, answer.value, value])
  }

  /** Requests without a value are done. */
  answerAll(ids: readonly number[]): void {
    this.send([0, answer.done, ids])
  }

  answerError(id: number, error: unknown): void {
    if (id === 0) return
    if (error instanceof TransactionFailure) this.send([id, answer.error, errorField(error.error), error.isOpen])
    else this.send([id, answer.error, errorField(error), true])
  }

  send(message: Message): void {
    if (!this.#hasEnded) this.#outbox.send(message)
  }

  /** How far a request is, if the client takes anything at the moment. */
  progress(id: number, done: number, total: number): void {
    if (id !== 0 && !this.#channel.isCongested) this.send([id, answer.progress, done, total])
  }

  /** Tells of an event of the engine. */
  tell<E extends EngineEvent>(event: E, detail: EngineEvents[E]): void {
    const field: Record<string, unknown> = { ...detail }
    if ('cause' in field) field.cause = errorField(field.cause)
    this.#sendUnasked([0, answer.event, event, field])
  }

  log(level: LogLevel, parts: readonly unknown[]): void {
    this.#sendUnasked([0, answer.log, level, parts.map(part => errorField(part))])
  }

  /** Throws `LIGHTNING_READ_ONLY` for a client that asked for reading only. */
  checkWritable(): void {
    if (!this.readOnly) return
    throw new LightningError(
      'LIGHTNING_READ_ONLY',
      `The database at ${this.owner.engine.location} is open for reading only here. Connect without readOnly to write.`
    )
  }

  /** The signal of a request that the client may abort; `signalDone` when it has ended. */
  signalFor(id: number): AbortSignal {
    return this.#maintenance.begin(id)
  }

  signalDone(id: number): void {
    this.#maintenance.end(id)
  }

  #sendUnasked(message: Message): void {
    if (this.#hasEnded || this.#outbox.sendUnasked(message)) return
    // The client has stopped taking anything. If it ever goes on, it finds its link lost and connects again.
    this.#channel.abandon()
    this.#vanish()
  }

  /** Answered after all other requests of the client, since it stops listening then. */
  async #leave(): Promise<void> {
    this.#hasLeft = true
    const answering = [...this.#answering]
    this.#release()
    try {
      await this.owner.leave(this)
    } finally {
      await Promise.all(answering)
    }
  }

  #vanish(): void {
    if (this.#hasEnded) return
    this.#release()
    this.#hasEnded = true
    this.#channel.hold(false)
    if (!this.#hasLeft) this.owner.lose(this)
  }

  #release(): void {
    this.#iterators.closeAll()
    // Before waiting requests are aborted: a wait for a lock ends with its transaction.
    this.handles.releaseAll()
    this.#maintenance.endAll()
  }

  /** The client has sent something that is not the protocol, so nothing that follows can be trusted. */
  #refuse(error: unknown): void {
    if (this.#hasEnded) return
    this.send(refusalMessage(error))
    this.#outbox.flush()
    this.#channel.close()
    this.#vanish()
  }
}
