// Finding the owner of a directory, or becoming it: Node, Deno and Bun.
//
// The owner holds the lock and accepts clients on the lock's socket. So whoever wants to connect looks at the lock. If
// it is held, the client connects to its holder; if it is free, the client starts a thread that takes it. Of clients that
// come at the same time one starts a thread, and the others wait for it (`start-queue.ts`); if there are two threads all
// the same, one gets the lock, and the clients of the other find it when they look again.
// A holder that closes the connection has the database open by `open()`, or is just ending; a second look distinguishes
// the two.

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { isLightningError, LightningError } from '../errors.ts'
import { describeHolder } from '../vfs/lock-holder.ts'
import { type HolderConnection, visitHolder } from '../vfs/lock-standing.ts'
import { refusalOf } from '../vfs/socket-lock.ts'
import { greet, NoWelcome } from './handshake.ts'
import type { Link } from './link.ts'
import { workerPort } from './node-port.ts'
import type { OwnerStart } from './owner-start.ts'
import { lookPause } from './look-pause.ts'
import type { Wanted } from './owners.ts'
import { PortChannel } from './port-channel.ts'
import { SocketChannel } from './socket-channel.ts'
import { StartQueue, type Turn } from './start-queue.ts'

/** A holder that hangs up so often in succession does not take clients. */
const mostHangUps = 3

/** Connects to the owner, or starts it. `deadlineMs` is on the monotonic clock. */
export async function findOwner(wanted: Wanted, deadlineMs: number): Promise<Link> {
  let refusal: unknown
  let hangUps = 0
  /** Socket of the holder that has hung up so often. */
  let hungUp: string | undefined
  const queue = new StartQueue(wanted)
  for (let look = 0; ; look++) {
    // One look is always made after it: this thread may have been busy until then.
    const isLast = performance.now() >= deadlineMs
    const visited = await visitHolder(wanted.location)
    if (visited === undefined) {
      const turn = await queue.turn()
      // Who has only waited until the end still learns why there is no owner.
      if (turn !== undefined || (isLast && refusal === undefined)) {
        const found = await startInTurn(wanted, turn)
        if (found.link !== undefined) return found.link
        refusal = found.refusal
      }
    } else if (visited === 'forbidden') {
      // Waiting would not help.
      const held = await refusalOf(wanted.location)
      if (held !== undefined) throw held
    } else if (visited !== 'busy') {
      const found = await greetHolder(wanted, visited)
      if (found.link !== undefined) return found.link
      refusal = found.refusal
      if (found.hungUp) {
        const { socket } = visited.holder
        // Where many come and go, each hang-up may be another's, who was just leaving.
        hangUps = socket === hungUp ? hangUps + 1 : 1
        hungUp = socket
        refusal = await refusalOf(wanted.location)
        if (refusal !== undefined && hangUps >= mostHangUps) throw refusal
      }
    }
    if (isLast) throw refusal ?? tooBusy(wanted.location)
    await lookPause(look)
  }
}

/** Starts a thread that owns the database; rejects with what it cannot be opened for. */
export async function startOwner({ location, hello, options, script, timeoutMs }: Wanted): Promise<Link> {
  const start: OwnerStart = { location, options }
  const settings = { workerData: start, execArgv: [], name: `lightning-db ${location}` }
  const worker = script === undefined ? await builtInWorker(settings, location) : namedWorker(script, settings)
  try {
    // Opening takes as long as it takes: the log may be long. A thread of this process cannot be lost silently.
    const own = { ...hello, errorIfExists: false }
    const { link } = await greet(new PortChannel(workerPort(worker)), own, Number.POSITIVE_INFINITY, timeoutMs)
    return link
  } catch (error) {
    void worker.terminate()
    if (!(error instanceof NoWelcome)) throw error
    const message = `The thread that should open the database at ${location} ended: ${error.message} See the cause.`
    throw new LightningError('LIGHTNING_UNAVAILABLE', message, { cause: error })
  }
}

async function builtInWorker(settings: WorkerOptions, location: string): Promise<Worker> {
  const { workerSource } = await import('./node-worker-source.ts')
  try {
    return new Worker(workerSource, { ...settings, eval: true })
  } catch (cause) {
    // Not allowed (`--allow-worker`), or there are too many threads.
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `The thread that should open the database at ${location} cannot be started: ${reason}. See the cause.`
    throw new LightningError('LIGHTNING_UNAVAILABLE', message, { cause })
  }
}

function namedWorker(script: string | URL, settings: WorkerOptions): Worker {
  try {
    // Text is a path to Node.
    return new Worker(String(script).startsWith('file:') ? new URL(script) : script, settings)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LightningError(
      'LIGHTNING_UNAVAILABLE',
      `The script that the option worker names cannot be started: ${reason}. Pass its path, or leave the option out.`,
      { cause }
    )
  }
}

/** A link, or why there is none yet. */
interface Found {
  readonly link?: Link
  readonly refusal?: unknown
  readonly hungUp?: boolean
}

async function startInTurn(wanted: Wanted, turn: Turn | undefined): Promise<Found> {
  let found: Found
  try {
    found = await startUnlessLocked(wanted)
  } catch (error) {
    await turn?.end(error)
    throw error
  }
  await turn?.end()
  return found
}

async function startUnlessLocked(wanted: Wanted): Promise<Found> {
  try {
    return { link: await startOwner(wanted) }
  } catch (error) {
    // Other readers keep writers out, and some media cannot be written: enough for a client that only reads.
    const isShut = ['LIGHTNING_LOCKED', 'LIGHTNING_READ_ONLY', 'LIGHTNING_PERMISSION'].some(
      code => isLightningError(error) && error.code === code
    )
    if (wanted.hello.readOnly && isShut && !wanted.options.readOnly) {
      return await startUnlessLocked({ ...wanted, options: { ...wanted.options, readOnly: true } })
    }
    if (!isLightningError(error, 'LIGHTNING_LOCKED')) throw error
    return { refusal: error }
  }
}

async function greetHolder(
  { location, hello, timeoutMs }: Wanted,
  { socket, holder }: HolderConnection
): Promise<Found> {
  try {
    const { link } = await greet(new SocketChannel(socket, false), hello, timeoutMs, timeoutMs)
    return { link }
  } catch (error) {
    // It is closing the database: soon the lock is free.
    if (isLightningError(error, 'LIGHTNING_CLOSED')) return { refusal: error }
    if (!(error instanceof NoWelcome)) throw error
    if (!error.isSilent) return { hungUp: true }
    throw new LightningError(
      'LIGHTNING_LOCKED',
      `The database at ${location} is held by ${describeHolder(holder)}, which does not answer. Let it go on, or ` +
        'end it.'
    )
  }
}

function tooBusy(location: string): LightningError {
  const message = `The owner of the database at ${location} takes no more clients at the moment. Try again later.`
  return new LightningError('LIGHTNING_LOCKED', message)
}
