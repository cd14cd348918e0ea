// The owner of a database: it has the engine, and a session for every client. When the last client has left, the
// database is closed and the lock is released.

import { Engine } from '../engine/engine.ts'
import type { Tree } from '../engine/tree.ts'
import { LightningError } from '../errors.ts'
import { Transactions } from '../txn/transactions.ts'
import type { Vfs } from '../vfs/vfs.ts'
import type { Channel } from './channel.ts'
import { readHello, refusalMessage } from './handshake-messages.ts'
import { LogFanout } from './log-fanout.ts'
import { MessageCoder } from './messages.ts'
import { engineOptionsOf, type OwnerOptions } from './owner-options.ts'
import { Session } from './session.ts'

/** A connection that has not said hello after this time is closed: it would keep the owner from ending. */
const handshakeTimeoutMs = 30_000

/**
 * How long the owner stays after its last client was lost: a client that got no answer while this thread was busy
 * connects again.
 */
const reconnectMs = 5

/** Handles of keyspaces that are kept; sublevels may come and go without end. */
const mostTrees = 1_024

export class Owner {
  readonly engine: Engine
  readonly transactions: Transactions
  readonly options: OwnerOptions
  readonly #log: LogFanout
  readonly #onIdle: () => void
  readonly #sessions = new Set<Session>()
  /** Connections that have not said hello yet, with the timers that close them. */
  readonly #pendingHandshakes = new Map<Channel, ReturnType<typeof setTimeout>>()
  #hasHadClients = false
  #isIdle = false
  readonly #root: Tree
  readonly #trees = new Map<string, Tree>()
  #closing: Promise<void> | undefined
  #syncTimer: ReturnType<typeof setTimeout> | undefined

  /** Opens the database in `vfs`; `onIdle` is called when the last client has left and everything is released. */
  static async open(vfs: Vfs, options: OwnerOptions, onIdle: () => void): Promise<Owner> {
    const log = new LogFanout()
    const engine = await Engine.open(vfs, engineOptionsOf(options, log))
    return new Owner(engine, options, log, onIdle)
  }

  private constructor(engine: Engine, options: OwnerOptions, log: LogFanout, onIdle: () => void) {
    this.engine = engine
    this.options = options
    this.#root = engine.tree(new Uint8Array(0))
    this.transactions = new Transactions(engine, options)
    this.#log = log
    this.#onIdle = onIdle
    for (const event of ['checkpoint', 'degraded', 'recovered'] as const) {
      engine.on(event, detail => {
        for (const session of this.#sessions) session.tell(event, detail)
      })
    }
  }

  /** Number of clients. */
  get clients(): number {
    return this.#sessions.size
  }

  /** Makes a session for the client at the other end of a channel, as soon as it has said hello. */
  accept(channel: Channel): void {
    if (this.#isIdle) {
      channel.abandon()
      return
    }
    const coder = new MessageCoder()
    this.#pendingHandshakes.set(
      channel,
      setTimeout(() => this.#refuse(channel), handshakeTimeoutMs)
    )
    channel.onClose = () => this.#endHandshake(channel)
    channel.onFrame = frame => {
      this.#endHandshake(channel)
      try {
        const [first, ...rest] = coder.decode(frame)
        const hello = readHello(first)
        this.#checkOpen()
        if (hello.errorIfExists) throw exists(this.engine.location)
        const session = new Session(this, channel, coder, hello)
        const earlier = this.#sessionOf(hello.client)
        this.#sessions.add(session)
        earlier?.supersede()
        this.#hasHadClients = true
        session.welcome()
        // After the welcome: lines that were kept for the first client are sent at once.
        if (hello.wantsLog) this.#log.add(session)
        session.take(rest)
      } catch (error) {
        channel.post(coder.encode([refusalMessage(error)]))
        channel.close()
      }
    }
  }

  /** The keyspace at a path. */
  tree(path: Uint8Array): Tree {
    if (path.length === 0) return this.#root
    const name = String.fromCharCode(...path)
    const known = this.#trees.get(name)
    if (known !== undefined) return known
    if (this.#trees.size >= mostTrees) this.#trees.clear()
    const tree = this.engine.tree(path.slice())
    this.#trees.set(name, tree)
    return tree
  }

  /** Syncs within `syncIntervalMs`: a client with relaxed durability has written, and the owner's is strict. */
  syncSoon(): void {
    if (this.options.durability === 'relaxed' || this.#syncTimer !== undefined) return
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined
      // Nobody waits for this sync; the engine keeps the failure for the next call.
      this.engine.flush().catch(() => undefined)
    }, this.options.syncIntervalMs)
  }

  /** A client has left. Resolves when what it wrote is durable, and everything released if it was the last. */
  async leave(session: Session): Promise<void> {
    this.#remove(session)
    if (this.#sessions.size > 0) {
      if (!this.options.readOnly) await this.engine.flush()
      return
    }
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** A client's channel has ended without `leave`. */
  lose(session: Session): void {
    this.#remove(session)
    if (this.#sessions.size === 0) setTimeout(() => this.#closeUnlessWanted(), reconnectMs)
    // Nobody is left to be told; the engine keeps the failure, and logs it.
    else if (!this.options.readOnly) this.engine.flush().catch(() => undefined)
  }

  #sessionOf(client: string | undefined): Session | undefined {
    if (client === undefined) return undefined
    for (const session of this.#sessions) if (session.client === client) return session
    return undefined
  }

  #remove(session: Session): void {
    this.#log.remove(session)
    this.#sessions.delete(session)
  }

  #closeUnlessWanted(): void {
    if (this.#sessions.size > 0 || this.#pendingHandshakes.size > 0 || this.#closing !== undefined) return
    this.#closing = this.#close()
    this.#closing.catch(() => undefined)
  }

  async #close(): Promise<void> {
    clearTimeout(this.#syncTimer)
    const closing = this.engine.close()
    this.transactions.close()
    try {
      await closing
    } finally {
      // The answer to the last client goes out first.
      setTimeout(() => this.#idle(), 0)
    }
  }

  #idle(): void {
    this.#isIdle = true
    for (const channel of [...this.#pendingHandshakes.keys()]) this.#refuse(channel)
    this.#onIdle()
  }

  #refuse(channel: Channel): void {
    this.#endHandshake(channel)
    channel.abandon()
  }

  #endHandshake(channel: Channel): void {
    clearTimeout(this.#pendingHandshakes.get(channel))
    if (this.#pendingHandshakes.delete(channel) && this.#hasHadClients) setTimeout(() => this.#closeUnlessWanted(), 0)
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return
    throw new LightningError('LIGHTNING_CLOSED', `The database at ${this.engine.location} is being closed. Try again.`)
  }
}

function exists(location: string): LightningError {
  const message = `There is a database at ${location}, and errorIfExists asks for none. Choose another location.`
  return new LightningError('LIGHTNING_EXISTS', message, { file: location })
}
