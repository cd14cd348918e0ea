// A client's connection to the owner of the database. When the owner is lost, another is found or started, and requests
// that could not be sent meanwhile are sent then, in order. Every wait has a bound.

import { backgroundTimer } from '../engine/background-timer.ts'
import { LightningError } from '../errors.ts'
import type { Link, LinkEvents, Request, Sink } from './link.ts'

/** Finds the owner or becomes it; `deadline` is on the monotonic clock, in milliseconds. */
export type Dial = (deadlineMs: number) => Promise<Link>

/** What a connection tells its client. */
export interface ConnectionEvents {
  /** Whether somebody listens for events: then an owner is found even if no request needs one. */
  readonly needsOwner: boolean
  event(name: unknown, detail: unknown): void
  log(level: unknown, parts: readonly unknown[]): void
}

export class Connection implements LinkEvents {
  readonly location: string
  readonly #dial: Dial
  readonly #timeoutMs: number
  /** Number of the next snapshot, transaction or iterator: unique over all links. */
  #nextHandle = 1
  #link: Link | undefined
  #waiting: Request[] = []
  /** Settles, without an error, when an owner is found or cannot be had. */
  #dialling: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #events: ConnectionEvents | undefined

  constructor(location: string, link: Link, dial: Dial, timeoutMs: number) {
    this.location = location
    this.#dial = dial
    this.#timeoutMs = timeoutMs
    this.#link = link
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  newHandle(): number {
    return this.#nextHandle++
  }

  /** Sets who is told of events, also of those that came with the welcome. Called once, before anything is sent. */
  listen(events: ConnectionEvents): void {
    this.#events = events
    if (this.#link !== undefined) this.#link.events = this
  }

  /** Throws `LIGHTNING_CLOSED`. */
  checkOpen(): void {
    if (this.#closing !== undefined) throw closed(this.location)
  }

  /** Sends a request to whoever is the owner, now or as soon as there is one. */
  send(operation: number, fields: readonly unknown[], sink: Sink): void {
    const request: Request = { operation, fields, sink, attempts: 1 }
    if (this.#closing !== undefined) sink.reject(closed(this.location), false)
    else if (this.#link !== undefined) this.#link.send(request)
    else {
      this.#waiting.push(request)
      this.#redial()
    }
  }

  /** Finds the next owner if there is none, as a request would do. */
  ensureOwner(): void {
    if (this.#link === undefined && this.#closing === undefined) this.#redial()
  }

  /** Ends the connection; `leave` sends the last request through the link. May be called again. */
  close(leave: (link: Link) => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(leave)
    return this.#closing
  }

  event(name: unknown, detail: unknown): void {
    this.#events?.event(name, detail)
  }

  log(level: unknown, parts: readonly unknown[]): void {
    this.#events?.log(level, parts)
  }

  lost(link: Link, _error: LightningError, repeats: readonly Request[]): void {
    if (this.#link !== link) return
    this.#link = undefined
    // After the link has answered the requests that are not repeated.
    queueMicrotask(() => {
      const again = repeats.map(request => ({ ...request, attempts: request.attempts + 1 }))
      if (again.length === 0) {
        if (this.#events?.needsOwner === true) this.ensureOwner()
        return
      }
      if (this.#link !== undefined) {
        for (const request of again) this.#link.send(request)
        return
      }
      // Not `unshift(...again)`: there may be more of them than a call takes arguments.
      this.#waiting = [...again, ...this.#waiting]
      if (this.#closing === undefined) this.#redial()
      else this.#failWaiting(closed(this.location))
    })
  }

  #redial(deadlineMs = performance.now() + this.#timeoutMs): void {
    this.#dialling ??= this.#dial(deadlineMs).then(
      link => this.#linked(link, deadlineMs),
      error => this.#unlinked(error)
    )
  }

  #linked(link: Link, deadlineMs: number): void {
    this.#dialling = undefined
    this.#link = link
    if (this.#closing !== undefined) return
    link.events = this
    if (link.isLost) {
      // Nothing that waits has been sent.
      if (this.#waiting.length > 0 && performance.now() < deadlineMs) this.#redial(deadlineMs)
      else this.#failWaiting(unreachable(this.location, new Error('it was lost as soon as it was found.')))
      return
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const request of waiting) link.send(request)
  }

  #unlinked(cause: unknown): void {
    this.#dialling = undefined
    if (this.#closing !== undefined) return
    const error = unreachable(this.location, cause)
    // Listeners alone have no promise that could reject, and no call that looks for an owner later.
    if (this.#waiting.length === 0) this.#events?.log('warn', [{ text: error.message }])
    this.#failWaiting(error)
    if (this.#events?.needsOwner !== true) return
    backgroundTimer(() => {
      if (this.#events?.needsOwner === true) this.ensureOwner()
    }, this.#timeoutMs)
  }

  #failWaiting(error: LightningError): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { sink } of waiting) {
      if (sink.onLost === 'done') sink.resolve(undefined)
      else sink.reject(error, false)
    }
  }

  async #close(leave: (link: Link) => Promise<void>): Promise<void> {
    this.#failWaiting(closed(this.location))
    // Otherwise an owner that is just being started would take the lock after this client has closed.
    await this.#dialling
    const link = this.#link
    if (link === undefined) return
    try {
      await leave(link)
    } finally {
      link.close(closed(this.location))
    }
  }
}

/** The error of every use after `close`. */
export function closed(location: string): LightningError {
  return new LightningError('LIGHTNING_CLOSED', `The database at ${location} is closed. Connect again.`)
}

function unreachable(location: string, cause: unknown): LightningError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LightningError(
    'LIGHTNING_OWNER_LOST',
    `The owner of the database at ${location} is gone, and no other can be reached: ${reason} Nothing was done; try again.`,
    { cause }
  )
}
