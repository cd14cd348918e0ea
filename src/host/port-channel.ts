// A channel over something that posts messages between threads: a MessagePort, a worker, the thread that started one.
// Large byte strings are handed over, never copied; their buffers are the protocol's own, so no caller loses any.

import type { Channel, Frame } from './channel.ts'

/** The part of such ports that is needed; adapters for each runtime make it. */
export interface Port {
  post(message: unknown, transfer: ArrayBuffer[]): void
  /** Whoever makes the channel is told of everything that arrives from now on. */
  listen(onMessage: (message: unknown) => void, onClose: (reason: string) => void): void
  close(): void
  hold(isHeld: boolean): void
}

/** In place of a frame: no more will come, and none is taken. */
const goodbye = null

/** Copying less than this costs less than handing it over. */
const leastTransferBytes = 4_096

export class PortChannel implements Channel {
  onFrame: (frame: Frame) => void = () => undefined
  onClose: (reason: string) => void = () => undefined
  onDrain: () => void = () => undefined
  /** What is posted to another thread is that thread's. */
  readonly isCongested = false
  readonly #port: Port
  #isClosed = false

  constructor(port: Port) {
    this.#port = port
    port.listen(
      message => this.#receive(message),
      reason => this.#end(reason)
    )
  }

  post({ head, parts }: Frame): void {
    if (this.#isClosed) return
    const transfer: ArrayBuffer[] = []
    if (head.length >= leastTransferBytes) addBuffer(transfer, head)
    for (const part of parts) addBuffer(transfer, part)
    this.#port.post([head, ...parts], transfer)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // The thread over there lives on, and must not keep what belongs to this channel.
    this.#port.post(goodbye, [])
    this.#port.close()
  }

  abandon(): void {
    this.close()
  }

  hold(isHeld: boolean): void {
    if (!this.#isClosed) this.#port.hold(isHeld)
  }

  #receive(message: unknown): void {
    if (this.#isClosed) return
    if (message === goodbye) {
      this.#end('the other end was closed.')
      return
    }
    const frame = frameOf(message)
    if (frame === undefined) this.#end('it posted something that is no frame.')
    else this.onFrame(frame)
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#port.close()
    this.onClose(reason)
  }
}

function addBuffer(transfer: ArrayBuffer[], { buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !transfer.includes(buffer)) transfer.push(buffer)
}

function frameOf(message: unknown): Frame | undefined {
  if (!Array.isArray(message) || !message.every(part => part instanceof Uint8Array)) return undefined
  const [head, ...parts]: Uint8Array[] = message
  return head === undefined ? undefined : { head, parts }
}
