// Clients that find no owner at the same time, at the start of a server or when an owner has gone, wait for each other:
// one starts a thread, and the others are its clients. If each started one, a hundred threads would load the engine at
// once, and all would wait for the slowest. Whoever starts one listens on a socket (`start-socket.ts`); the others
// connect to it, and are told when it is done. A wait is short and bounded, for whoever starts may be frozen.

import type { Socket } from 'node:net'
import { nodeVfs } from '../vfs/node.ts'
import { type OtherStart, signStart } from '../vfs/start-socket.ts'
import { concernsEveryone, readWelcome, refusalMessage } from './handshake-messages.ts'
import { MessageCoder } from './messages.ts'
import type { Wanted } from './owners.ts'
import { SocketChannel } from './socket-channel.ts'

/** After so long a look at the lock: the owner may be there, and only its starter be busy. */
const lookMs = 250
/** How long one who starts an owner is waited for, and up to as much again, so that not all give up together. */
const patienceMs = 2_000

/** The turn to start an owner. */
export interface Turn {
  /** The owner has been started, or could not be because of `error`. */
  end(error?: unknown): Promise<void>
}

/** One client's place among those that want an owner. */
export class StartQueue {
  readonly #location: string
  readonly #creates: boolean
  /** The sign of another that was met last, and when it is given up. */
  #met: string | undefined
  #untilMs = 0

  constructor({ location, options }: Wanted) {
    this.#location = location
    this.#creates = options.createIfMissing
  }

  /**
   * Gives this client the turn, or waits for another who has it; then it is time to look again. Throws what the other
   * could not open the database for if that concerns everyone.
   */
  async turn(): Promise<Turn | undefined> {
    const waiting = new Set<Socket>()
    const visitor = (socket: Socket): void => {
      waiting.add(socket)
      socket.once('close', () => waiting.delete(socket))
    }
    await this.#prepare()
    const givenUp = performance.now() >= this.#untilMs ? this.#met : undefined
    const sign = await signStart(this.#location, visitor, givenUp)
    if (sign === undefined) return { end: async () => undefined }
    if ('identity' in sign) {
      await this.#await(sign)
      return undefined
    }
    return {
      async end(error) {
        for (const socket of waiting) tell(socket, error)
        await sign.close()
      }
    }
  }

  /** The place of the sign, which the owner would make first of all. */
  async #prepare(): Promise<void> {
    if (!this.#creates) return
    try {
      await nodeVfs(this.#location).prepare({ create: true })
    } catch {
      // The owner will tell why.
    }
  }

  async #await({ socket, identity }: OtherStart): Promise<void> {
    if (identity !== this.#met) {
      this.#met = identity
      this.#untilMs = performance.now() + patienceMs * (1 + Math.random())
    }
    if (socket === undefined) return
    const error = await outcomeOf(socket)
    if (error !== undefined) throw error
  }
}

function tell(socket: Socket, error: unknown): void {
  const channel = new SocketChannel(socket, true)
  if (error !== undefined) channel.post(new MessageCoder().encode([refusalMessage(error)]))
  channel.close()
}

/** Waits for the end of the other's start, or a while; the result is an error that concerns everyone. */
function outcomeOf(socket: Socket): Promise<unknown> {
  const channel = new SocketChannel(socket, false)
  return new Promise(resolve => {
    const end = (error?: unknown): void => {
      clearTimeout(timer)
      channel.abandon()
      resolve(error)
    }
    const timer = setTimeout(end, lookMs)
    channel.onClose = () => end()
    channel.onFrame = frame => {
      try {
        readWelcome(new MessageCoder().decode(frame)[0])
        end()
      } catch (error) {
        end(concernsEveryone(error) ? error : undefined)
      }
    }
  })
}
