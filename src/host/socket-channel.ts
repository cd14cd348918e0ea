// A channel over a local socket, for other processes and for threads that did not start the owner.

import type { Socket } from 'node:net'
// The global one of Deno gives numbers.
import { clearTimeout, setTimeout } from 'node:timers'
import type { Channel, Frame } from './channel.ts'
import { FrameParser, frameHeader } from './frame-parser.ts'
import { TurnBudget } from './turn-budget.ts'

/** If so many bytes wait for a client to take them, the owner reads no more of its requests. */
const mostWaitingBytes = 8 * 1_024 * 1_024
/** Of a frame that is larger than this, each part that comes counts as a sign of life: all of it may take long. */
const largeBytes = 1_024 * 1_024
/** An empty list of messages. */
const signOfLife: Frame = { head: Uint8Array.of(0x90), parts: [] }
/** Time between two signs that are sent. */
const signMs = 100
/** Time after `close` in which remaining bytes are sent; after that the other end has stopped. */
const lingerMs = 5_000

export class SocketChannel implements Channel {
  onFrame: (frame: Frame) => void = () => undefined
  onClose: (reason: string) => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #socket: Socket
  readonly #throttles: boolean
  readonly #parser = new FrameParser()
  readonly #budget = new TurnBudget(() => this.#work())
  /** Frames are left for the next turn; until then nothing more is read. */
  #isPaused = false
  #isCongested = false
  #isClosed = false
  #signedMs = 0

  /** `throttles`: it is the owner's end. Both ends doing so could wait for each other. */
  constructor(socket: Socket, throttles: boolean) {
    this.#socket = socket
    this.#throttles = throttles
    socket.on('data', chunk => this.#receive(chunk))
    // The event 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#work(true)
      this.#end('its connection ended.')
    })
    if (throttles) socket.on('drain', () => this.#drained())
  }

  get isCongested(): boolean {
    return this.#isCongested
  }

  post(frame: Frame): void {
    if (this.#isClosed) return
    const socket = this.#socket
    socket.cork()
    socket.write(frameHeader(frame))
    socket.write(frame.head)
    for (const part of frame.parts) socket.write(part)
    socket.uncork()
    if (!this.#throttles || socket.writableLength <= mostWaitingBytes) return
    this.#isCongested = true
    socket.pause()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#isPaused) this.#socket.resume()
    // What is written before goes out first. Who never takes it must not keep this end open.
    const linger = setTimeout(() => this.#socket.destroy(), lingerMs)
    linger.unref()
    this.#socket.once('close', () => clearTimeout(linger))
    this.#socket.end(() => this.#socket.destroy())
    this.#socket.unref()
  }

  abandon(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref()
    else this.#socket.unref()
  }

  #drained(): void {
    if (this.#isClosed || !this.#isCongested) return
    this.#isCongested = false
    if (!this.#isPaused) this.#socket.resume()
    this.onDrain()
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#parser.push(chunk)
    this.#work()
    if (!this.#isPaused && this.#parser.waitingBytes > largeBytes) this.#sign()
  }

  /** Whoever waits for an answer, and has sent or is sent much, must not take the other end for dead meanwhile. */
  #sign(): void {
    if (!this.#throttles) {
      if (!this.#isClosed) this.onFrame(signOfLife)
      return
    }
    const now = performance.now()
    if (now - this.#signedMs < signMs) return
    this.#signedMs = now
    this.post(signOfLife)
  }

  /** Delivers frames as long as others can wait, or all. */
  #work(all = false): void {
    try {
      while (!this.#isClosed) {
        if (!all && this.#budget.isOver()) {
          this.#isPaused = true
          this.#socket.pause()
          return
        }
        const frame = this.#parser.next()
        if (frame === undefined) break
        this.onFrame(frame)
      }
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error))
    }
    if (!this.#isPaused) return
    this.#isPaused = false
    if (!this.#isClosed && !this.#isCongested) this.#socket.resume()
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.onClose(reason)
  }
}
