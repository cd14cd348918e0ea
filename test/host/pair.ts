// A client and an owner in one thread, over a channel in memory: everything of both but the thread between them.
import { onTestFinished } from 'vitest'
import type { Client, OpenOptions } from '../../src/index.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import type { Channel, Frame } from '../../src/host/channel.ts'
import { RemoteDatabase } from '../../src/host/client-database.ts'
import { ClientSession } from '../../src/host/client-session.ts'
import { Connection } from '../../src/host/connection.ts'
import { greet } from '../../src/host/handshake.ts'
import type { Link } from '../../src/host/link.ts'
import { Owner } from '../../src/host/owner.ts'
import { ownerOptionsOf } from '../../src/host/owner-options.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'

/** One end of a channel in memory. */
export class MemoryChannel implements Channel {
  onFrame: (frame: Frame) => void = () => undefined
  onClose: (reason: string) => void = () => undefined
  onDrain: () => void = () => undefined
  /** Set by tests: the other end takes nothing. */
  isCongested = false
  other: MemoryChannel | undefined
  /** Frames that came while nobody was to see them. */
  #held: Frame[] | undefined
  #isClosed = false
  #isAbandoned = false

  post(frame: Frame): void {
    const { other } = this
    if (this.#isClosed || other === undefined) return
    // As a copy, like every channel: what is handed over is gone here.
    const copy = { head: frame.head.slice(), parts: frame.parts.map(part => part.slice()) }
    queueMicrotask(() => {
      if (!this.#isAbandoned) other.#deliver(copy)
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    queueMicrotask(() => this.other?.lose('the other end was closed.'))
  }

  abandon(): void {
    this.#isAbandoned = true
    this.close()
  }

  /** The other end takes something after all. */
  drain(): void {
    this.isCongested = false
    this.onDrain()
  }

  hold(): void {}

  /** The other end is gone without a word. */
  lose(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.onClose(reason)
  }

  /** Nothing more is delivered, as if this end's thread had stopped. */
  freeze(): void {
    this.#held = []
  }

  #deliver(frame: Frame): void {
    if (this.#isClosed) return
    if (this.#held === undefined) this.onFrame(frame)
    else this.#held.push(frame)
  }
}

export function channelPair(): [MemoryChannel, MemoryChannel] {
  const [one, two] = [new MemoryChannel(), new MemoryChannel()]
  one.other = two
  two.other = one
  return [one, two]
}

/** An owner in this thread. */
export interface Here {
  readonly owner: Owner
  /** Both ends of the newest client's channel: the client's and the owner's. */
  ends(): [MemoryChannel, MemoryChannel]
  client(options?: OpenOptions & { readonly timeoutMs?: number }): Promise<Client<string, unknown>>
}

/** Opens a database for clients in this thread; `again` gives the owner that follows a lost one. */
export async function ownerHere(vfs: Vfs = memoryVfs(), again?: () => Promise<Owner>): Promise<Here> {
  const owner = await Owner.open(vfs, ownerOptionsOf(parseOpenOptions({})), () => undefined)
  let ends: [MemoryChannel, MemoryChannel] = channelPair()
  return {
    owner,
    ends: () => ends,
    async client({ timeoutMs = 10_000, ...options } = {}) {
      const parsed = parseOpenOptions(options)
      const dial = async (to: Owner): Promise<Link> => {
        ends = channelPair()
        to.accept(ends[1])
        const wantsLog = parsed.logger !== undefined
        const hello = { readOnly: parsed.readOnly, isStrict: true, wantsLog, errorIfExists: false }
        return (await greet(ends[0], hello, timeoutMs, timeoutMs)).link
      }
      const next = again ?? (() => Promise.reject(new Error('there is no other owner.')))
      const connection = new Connection(
        owner.engine.location,
        await dial(owner),
        async () => dial(await next()),
        timeoutMs
      )
      const { encodings, logger, readOnly, keyEncoding, valueEncoding } = parsed
      const session = new ClientSession(connection, { encodings, logger, readOnly, freezes: false })
      const client = new RemoteDatabase<string, unknown>(session, { keyEncoding, valueEncoding })
      onTestFinished(() => client.close())
      return client
    }
  }
}
