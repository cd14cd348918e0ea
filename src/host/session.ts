// One client as its owner sees it: takes its requests in order, answers them, and holds what it has opened. When the
// client is gone, however that happened, everything it held is released at once.

import type { EngineEvent, EngineEvents } from '../engine/engine.ts'
import { LightningError } from '../errors.ts'
import type { Channel, Frame } from './channel.ts'
import type { LogLevel } from './fanout.ts'
import { type Hello, welcomeMessage } from './hello.ts'
import { malformed, type Message, type MessageCoder } from './messages.ts'
import type { Owner } from './owner.ts'
import { Cares } from './session-care.ts'
import { Handles, TransactionFailure } from './session-handles.ts'
import { Iterators } from './session-iterators.ts'
import { Readers } from './session-reads.ts'
import { SessionTransactions } from './session-transactions.ts'
import { Writers } from './session-writes.ts'
import { answer, Fields, operation } from './wire.ts'
import { errorField, wellFormed } from './wire-error.ts'

/** Handles one operation; its result, or what its promise gives, is the answer. */
export type Handler = (fields: Fields, id: number) => unknown

/** A handler's result when it answers by itself. */
export const answersLater = Symbol('answers later')

export class Session {
  readonly owner: Owner
  readonly readOnly: boolean
  readonly isStrict: boolean
  readonly handles: Handles
  readonly #channel: Channel
  readonly #coder: MessageCoder
  readonly #iterators: Iterators
  readonly #cares: Cares
  readonly #handlers: ReadonlyMap<unknown, Handler>
  #outgoing: Message[] = []
  #isScheduled = false
  #hasEnded = false

  constructor(owner: Owner, channel: Channel, coder: MessageCoder, { readOnly, isStrict }: Hello) {
    this.owner = owner
    this.readOnly = readOnly
    this.isStrict = isStrict
    this.#channel = channel
    this.#coder = coder
    this.handles = new Handles(owner)
    this.#iterators = new Iterators(this)
    this.#cares = new Cares(this)
    this.#handlers = new Map<unknown, Handler>([
      ...new Readers(this).handlers,
      ...new Writers(this).handlers,
      ...new SessionTransactions(this).handlers,
      ...this.#iterators.handlers,
      ...this.#cares.handlers,
      [operation.ping, () => undefined],
      [operation.close, () => this.#leave()]
    ])
    channel.onFrame = frame => {
      try {
        for (const message of coder.decode(frame)) this.receive(message)
      } catch (error) {
        this.#refuse(error)
      }
    }
    channel.onClose = () => this.#vanish()
    // The owner lives as long as it has clients.
    channel.hold(true)
  }

  /** Tells the client that it is taken. */
  welcome(): void {
    this.send(welcomeMessage({ location: wellFormed(this.owner.engine.location) }))
  }

  /** Takes one request; never throws. */
  receive(message: Message): void {
    if (this.#hasEnded) return
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
        result.then(
          value => this.answer(id, value),
          error => this.answerError(id, error)
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

  /** Sends at the end of the current microtasks, with everything else. */
  send(message: Message): void {
    if (this.#hasEnded) return
    this.#outgoing.push(message)
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(this.#flush)
  }

  /** Tells of an event of the engine. */
  tell<E extends EngineEvent>(event: E, detail: EngineEvents[E]): void {
    const field: Record<string, unknown> = { ...detail }
    if ('cause' in field) field.cause = errorField(field.cause)
    this.send([0, answer.event, event, field])
  }

  log(level: LogLevel, parts: readonly unknown[]): void {
    this.send([0, answer.log, level, parts.map(part => errorField(part))])
  }

  /** Throws `LIGHTNING_READ_ONLY` for a client that asked for reading only. */
  checkWritable(): void {
    if (!this.readOnly) return
    throw new LightningError(
      'LIGHTNING_READ_ONLY',
      `The database at ${this.owner.engine.location} is open for reading only here. Connect without readOnly to write.`
    )
  }

  /** An operation that the client may end. */
  signalFor(id: number): AbortSignal {
    return this.#cares.begin(id)
  }

  signalDone(id: number): void {
    this.#cares.end(id)
  }

  readonly #flush = (): void => {
    this.#isScheduled = false
    const messages = this.#outgoing
    this.#outgoing = []
    if (messages.length === 0) return
    let frame: Frame
    try {
      frame = this.#coder.encode(messages)
    } catch {
      // One of them holds what cannot be sent; the others must not suffer.
      frame = this.#coder.encode(messages.map(message => this.#sendable(message)))
    }
    this.#channel.post(frame)
  }

  #sendable(message: Message): Message {
    try {
      this.#coder.encode([message])
      return message
    } catch (error) {
      return [message[0], answer.error, errorField(error), true]
    }
  }

  async #leave(): Promise<void> {
    this.#release()
    await this.owner.leave(this)
  }

  #vanish(): void {
    if (this.#hasEnded) return
    this.#release()
    this.#hasEnded = true
    this.#channel.hold(false)
    // Nobody is left to be told; the engine logs what fails.
    this.owner.leave(this).catch(() => undefined)
  }

  #release(): void {
    this.#iterators.closeAll()
    // Before what waits is ended: a wait for a lock ends with its transaction.
    this.handles.releaseAll()
    this.#cares.endAll()
  }

  /** What it sends makes no sense, so nothing that follows can be believed. */
  #refuse(error: unknown): void {
    this.send([0, answer.error, errorField(error), false])
    this.#flush()
    this.#channel.close()
    this.#vanish()
  }
}
