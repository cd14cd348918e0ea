// A channel over a local socket, for other processes and for threads that did not start the owner.

import type { Socket } from 'node:net'
import type { Channel, Frame } from './channel.ts'
import { FrameParser, frameHeader } from './frame-parser.ts'

/** With so many bytes waiting for a client to take them, the owner takes no more requests from it. */
const mostWaitingBytes = 8 * 1_024 * 1_024

export class SocketChannel implements Channel {
  onFrame: (frame: Frame) => void = () => undefined
  onClose: (reason: string) => void = () => undefined
  readonly #socket: Socket
  readonly #throttles: boolean
  readonly #parser = new FrameParser()
  #isClosed = false

  /** `throttles`: it is the owner's end. Both ends doing so could wait for each other. */
  constructor(socket: Socket, throttles: boolean) {
    this.#socket = socket
    this.#throttles = throttles
    socket.on('data', chunk => this.#receive(chunk))
    // The event 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.#end('its connection ended.'))
    if (throttles) socket.on('drain', () => socket.resume())
  }

  post(frame: Frame): void {
    if (this.#isClosed) return
    const socket = this.#socket
    socket.cork()
    socket.write(frameHeader(frame))
    socket.write(frame.head)
    for (const part of frame.parts) socket.write(part)
    socket.uncork()
    if (this.#throttles && socket.writableLength > mostWaitingBytes) socket.pause()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // What is written before goes out first. Who never takes it must not keep this end open.
    this.#socket.end(() => this.#socket.destroy())
    this.#socket.unref()
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref()
    else this.#socket.unref()
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#parser.push(chunk)
    try {
      for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) {
        this.onFrame(frame)
        if (this.#isClosed) return
      }
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error))
    }
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.onClose(reason)
  }
}
