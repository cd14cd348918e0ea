// A client's end of one channel to an owner. Requests are sent in call order, all of one turn of the event loop in one
// frame, and answers go to whoever asked. A link ends when the owner has gone or gives no sign of life; then another
// link replaces it (`connection.ts`).

import { LightningError } from '../errors.ts'
import type { Channel, Frame } from './channel.ts'
import { malformed, type Message, type MessageCoder } from './messages.ts'
import { PendingRequests } from './pending-requests.ts'
import { answer, Fields, operation } from './wire.ts'
import { errorOf } from './wire-error.ts'

/**
 * What becomes of a request whose owner is lost before it answered. `repeat`: it is sent to the next owner; `unknown`:
 * it rejects, and its outcome is not known; `gone`: it rejects, and what it belongs to is gone; `conflict`: its
 * transaction ends in `LIGHTNING_CONFLICT`; `done`: it has no purpose any more, and resolves.
 */
export type OnLost = 'repeat' | 'unknown' | 'gone' | 'conflict' | 'done'

/** Who waits for an answer. Exactly one of `resolve` and `reject` is called, once. */
export interface Sink {
  readonly onLost: OnLost
  resolve(value: unknown): void
  /** `isOpen`: whether the transaction concerned can still be used. */
  reject(error: unknown, isOpen: boolean): void
  progress?(done: number, total: number): void
  /** Called first: the link that carries the request, and the request's id. */
  sent?(link: Link, id: number): void
}

/** A request to be sent, or to be sent again. */
export interface Request {
  readonly operation: number
  readonly fields: readonly unknown[]
  readonly sink: Sink
  /** How often it has been sent. */
  readonly attempts: number
}

/** What a link tells its connection. */
export interface LinkEvents {
  event(name: unknown, detail: unknown): void
  log(level: unknown, parts: readonly unknown[]): void
  /** The owner is gone; these requests are to be asked again. */
  lost(link: Link, error: LightningError, repeats: readonly Request[]): void
}

/**
 * So many reads are sent without waiting for the end of the turn: the owner works on them while the caller goes on.
 * Writes wait, since all of one turn can share a sync.
 */
const enoughReads = 128

/** How often a silent owner is asked for a sign of life within `timeoutMs`. */
const ticksPerTimeout = 4

export class Link {
  readonly #channel: Channel
  readonly #coder: MessageCoder
  readonly #timeoutMs: number
  readonly #pending = new PendingRequests<Request>()
  #nextId = 1
  #outgoing: { readonly message: unknown[]; readonly complete: (() => void) | undefined }[] = []
  /** Whether something in `#outgoing` must wait for the end of the turn. */
  #mustWait = false
  #isScheduled = false
  #isLost = false
  #loss: LightningError | undefined
  #events: LinkEvents | undefined
  /** Events and log lines that came with the welcome, before there was a connection to take them. */
  #early: ((events: LinkEvents) => void)[] = []
  #silentTicks = 0
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(channel: Channel, coder: MessageCoder, timeoutMs: number) {
    this.#channel = channel
    this.#coder = coder
    this.#timeoutMs = timeoutMs
    channel.onFrame = frame => this.#take(frame)
    channel.onClose = reason => this.lose(reason)
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** Sets who is told of events, and of the loss of this link, even if it is lost already. */
  set events(events: LinkEvents) {
    this.#events = events
    const early = this.#early
    this.#early = []
    const loss = this.#loss
    try {
      for (const tell of early) tell(events)
    } catch (error) {
      this.lose(reasonOf(error))
    }
    if (loss !== undefined) events.lost(this, loss, [])
  }

  /** Sends a request; `complete` may still change its fields just before it is sent, after all calls of this turn. */
  send(request: Request, complete?: (fields: unknown[]) => void): void {
    if (this.#isLost) {
      // The caller has not noticed the loss yet. Not at once, as for any other answer.
      queueMicrotask(() => endLost(request.sink, this.#loss ?? ownerGone('it has been left.')))
      return
    }
    const id = this.#nextId++
    const message = [request.operation, id, ...request.fields]
    this.#pending.add(id, request)
    if (this.#pending.size === 1) this.#watch()
    request.sink.sent?.(this, id)
    if (request.sink.onLost === 'unknown') this.#mustWait = true
    this.#post(message, complete === undefined ? undefined : () => complete(message))
  }

  /** Sends a request that is not answered. */
  tell(name: number, ...fields: unknown[]): void {
    if (!this.#isLost) this.#post([name, 0, ...fields], undefined)
  }

  /** Ends the link because the owner is gone: every pending request ends as its `onLost` says. */
  lose(reason: string): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#unwatch()
    // What is still on its way must not arrive: it would be applied after writes that come by the next link.
    this.#channel.abandon()
    const error = ownerGone(reason)
    this.#loss = error
    const repeats: Request[] = []
    const pending = this.#pending.takeAll()
    this.#events?.lost(this, error, repeats)
    for (const request of pending) {
      if (request.sink.onLost === 'repeat' && request.attempts < mostAttempts) repeats.push(request)
      else endLost(request.sink, error)
    }
  }

  /** Ends the link because the client closes; pending requests are rejected with `error`. */
  close(error: LightningError): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#unwatch()
    this.#channel.close()
    const pending = this.#pending.takeAll()
    for (const { sink } of pending) {
      if (sink.onLost === 'done') sink.resolve(undefined)
      else sink.reject(error, false)
    }
  }

  /** Takes messages; never throws. */
  receive(messages: readonly Message[]): void {
    try {
      for (const message of messages) this.#receive(message)
    } catch (error) {
      this.lose(reasonOf(error))
    }
  }

  #take(frame: Frame): void {
    this.#silentTicks = 0
    let messages: readonly Message[]
    try {
      messages = this.#coder.decode(frame)
    } catch (error) {
      this.lose(reasonOf(error))
      return
    }
    this.receive(messages)
  }

  #receive(message: Message): void {
    const fields = new Fields(message, 0)
    const id = fields.number()
    const kind = fields.number()
    if (id === 0) {
      this.#receiveUnasked(kind, fields)
      return
    }
    const request = this.#pending.find(id)
    // It has been answered already.
    if (request === undefined) return
    if (kind === answer.progress) {
      request.sink.progress?.(fields.number(), fields.number())
      return
    }
    // Decoded before the request is removed: if the answer is malformed, the request is lost like all others.
    if (kind === answer.value) {
      this.#done(id)
      request.sink.resolve(fields.any())
    } else if (kind === answer.error) {
      const error = errorOf(fields.any())
      const isOpen = fields.flag()
      this.#done(id)
      request.sink.reject(error, isOpen)
    } else throw malformed('there is no such answer')
  }

  #receiveUnasked(kind: number, fields: Fields): void {
    if (kind === answer.done) {
      for (const id of fields.numbers()) {
        const request = this.#pending.find(id)
        if (request === undefined) continue
        this.#done(id)
        request.sink.resolve(undefined)
      }
    } else if (kind === answer.event) {
      const [name, detail] = [fields.any(), fields.any()]
      this.#tell(events => events.event(name, detail))
    } else if (kind === answer.log) {
      const [level, parts] = [fields.any(), fields.list()]
      this.#tell(events => events.log(level, parts))
    } else if (kind === answer.error) throw errorOf(fields.any())
    else throw malformed('there is no such answer')
  }

  #tell(tell: (events: LinkEvents) => void): void {
    if (this.#events === undefined) this.#early.push(tell)
    else tell(this.#events)
  }

  #done(id: number): void {
    this.#pending.take(id)
    if (this.#pending.size === 0) this.#unwatch()
  }

  #post(message: unknown[], complete: (() => void) | undefined): void {
    this.#outgoing.push({ message, complete })
    if (!this.#mustWait && this.#outgoing.length >= enoughReads) this.#flush()
    if (this.#isScheduled) return
    this.#isScheduled = true
    // Two microtasks later it is known which promises of this turn the caller has handled; `complete` may need that.
    queueMicrotask(() => queueMicrotask(this.#flushScheduled))
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false
    this.#flush()
  }

  #flush(): void {
    const outgoing = this.#outgoing
    this.#outgoing = []
    this.#mustWait = false
    if (this.#isLost) return
    for (const { complete } of outgoing) complete?.()
    const messages = outgoing.map(({ message }) => message)
    for (const frame of this.#coder.frames(messages, (message, error) => this.#refuse(message, error))) {
      this.#channel.post(frame)
    }
  }

  /** Rejects a request that cannot be sent. Nothing was done. */
  #refuse([, id]: Message, error: unknown): undefined {
    const request = typeof id === 'number' ? this.#pending.find(id) : undefined
    if (request === undefined || typeof id !== 'number') return
    this.#done(id)
    request.sink.reject(error, true)
  }

  /** While answers are pending, the thread is kept alive, and a silent owner is pinged. */
  #watch(): void {
    this.#channel.hold(true)
    this.#silentTicks = 0
    this.#timer ??= setInterval(() => this.#tick(), this.#timeoutMs / ticksPerTimeout)
  }

  #unwatch(): void {
    this.#channel.hold(false)
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  // Counted in ticks, not by the clock: if this thread was busy, frames that have arrived meanwhile are taken first.
  #tick(): void {
    this.#silentTicks++
    if (this.#silentTicks > ticksPerTimeout) this.lose(`it gave no sign of life for ${this.#timeoutMs} ms.`)
    else this.tell(operation.ping)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function ownerGone(reason: string): LightningError {
  return new LightningError(
    'LIGHTNING_OWNER_LOST',
    `The owner of the database is gone before it answered: ${reason} Whether the call took effect is not known.`
  )
}

/** A request that makes its owners crash must not be repeated for ever. */
const mostAttempts = 3

function endLost(sink: Sink, error: LightningError): void {
  switch (sink.onLost) {
    case 'done':
      sink.resolve(undefined)
      break
    case 'conflict':
      sink.reject(conflictOf(error), false)
      break
    default:
      sink.reject(error, false)
  }
}

/** The error in which a transaction ends when its owner is lost. */
export function conflictOf(cause: LightningError): LightningError {
  return new LightningError(
    'LIGHTNING_CONFLICT',
    'The owner of the database is gone, and with it what the transaction had read and written: it was rolled back. Run ' +
      'it again, or let db.transaction() do so.',
    { cause }
  )
}
