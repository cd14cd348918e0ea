// Finding the owner of a database, or becoming it: browsers.
//
// The owner is a dedicated worker of some tab. It holds the database's Web Lock and listens for new clients on a
// BroadcastChannel, the lobby. Each side holds a Web Lock of its own for as long as it lives. Whoever waits for that
// lock learns at once when the other side has gone, however it ended. When the owner has gone, its lock is free, and
// one of the clients' new workers gets it.

import { isObject } from '../encoding/arguments.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { greet, NoWelcome } from './handshake.ts'
import type { Link } from './link.ts'
import type { OwnerStart } from './owner-start.ts'
import { lookPause } from './look-pause.ts'
import type { Wanted } from './owners.ts'
import { pathOf } from './paths.ts'
import { type Port, PortChannel } from './port-channel.ts'
import {
  holdLock,
  livenessLockName,
  lobbyChannelName,
  clientChannelName,
  servingOwner,
  startingLockName,
  tabChannel
} from './tab-channel.ts'

/** A holder of the lock that takes no clients after so many looks has it open with `open()`. */
const mostRefusals = 5

/** Connects to the owner, or starts it. `deadlineMs` is on the monotonic clock. */
export async function findOwner(wanted: Wanted, deadlineMs: number): Promise<Link> {
  const path = pathOf(wanted.location)
  let refusals = 0
  for (let look = 0; ; look++) {
    // One look is always made after it: this thread may have been busy until then.
    const isLast = performance.now() >= deadlineMs
    let refusal: unknown
    const owner = await servingOwner(path)
    if (owner !== undefined) {
      const found = await knock(wanted, path, owner)
      if (found instanceof LightningError) refusal = found
      else if (found !== undefined) return found
    } else {
      try {
        const link = await startInTurn(wanted, path)
        if (link !== undefined) return link
      } catch (error) {
        if (!isLightningError(error, 'LIGHTNING_LOCKED')) throw error
        refusal = error
        // It may be on its way: opening takes a moment.
        if ((await servingOwner(path)) === undefined && ++refusals >= mostRefusals) throw error
      }
    }
    if (isLast) throw refusal ?? silent(wanted.location)
    await lookPause(look)
  }
}

/** How long one who starts an owner is waited for, and up to as much again: it may be frozen. */
const startPatienceMs = 2_000

/** Starts an owner unless somebody else does: then waits for that, and it is time to look again. */
async function startInTurn(wanted: Wanted, path: string): Promise<Link | undefined> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), startPatienceMs * (1 + Math.random()))
  const letGo = await holdLock(startingLockName(path), abort.signal).catch(() => undefined)
  clearTimeout(timer)
  try {
    return (await servingOwner(path)) === undefined ? await startOwner(wanted) : undefined
  } finally {
    letGo?.()
  }
}

/** Starts a worker that owns the database; rejects with what it cannot be opened for. */
export async function startOwner({ location, hello, options, script, timeoutMs }: Wanted): Promise<Link> {
  const start: OwnerStart = { location: pathOf(location), options }
  const worker = await newWorker(script, location, options.wasm === 'off')
  try {
    worker.postMessage(start)
    const own = { ...hello, errorIfExists: false }
    const channel = new PortChannel(workerPort(worker))
    const { link } = await greet(channel, own, Number.POSITIVE_INFINITY, timeoutMs)
    return link
  } catch (error) {
    worker.terminate()
    if (!(error instanceof NoWelcome)) throw error
    throw unavailable(location, error)
  }
}

/**
 * Starts a worker with the script that comes along, or another. With `withoutWasm` it runs the kernel's JavaScript
 * build in any case. Throws `LIGHTNING_UNAVAILABLE`.
 */
export async function newWorker(
  script: string | URL | undefined,
  location: string,
  withoutWasm: boolean
): Promise<Worker> {
  const name = `lightning-db ${location}`
  try {
    if (script !== undefined) return new Worker(script, { type: 'module', name })
    const parts = [(await import('./tab-worker-source.ts')).workerSource]
    if (withoutWasm || !runsWasm()) parts.unshift((await import('./tab-kernel-source.ts')).kernelSource)
    const url = URL.createObjectURL(new Blob(parts, { type: 'text/javascript' }))
    try {
      return new Worker(url, { name })
    } finally {
      // The worker has been told where its script is; the blob lives until it has been loaded.
      setTimeout(() => URL.revokeObjectURL(url), 60_000)
    }
  } catch (error) {
    throw unavailable(location, error)
  }
}

/** Whether a worker made from a text can run the bundled kernel: it is under the policy of its page. */
function runsWasm(): boolean {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  try {
    return typeof DecompressionStream === 'function' && new WebAssembly.Module(empty) instanceof WebAssembly.Module
  } catch {
    return false
  }
}

function workerPort(worker: Worker): Port {
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onClose) {
      worker.onmessage = ({ data }) => onMessage(data)
      worker.onmessageerror = () => onClose('it posted something that cannot be read.')
      worker.onerror = event => onClose(`its worker failed: ${event.message ?? 'its script could not be loaded'}.`)
    },
    // The worker ends by itself when its last client has left.
    close: () => undefined,
    hold: () => undefined
  }
}

/** Asks the owner for a link; undefined when the owner is gone, an error when it is just closing the database. */
async function knock(wanted: Wanted, path: string, owner: string): Promise<Link | LightningError | undefined> {
  const client = crypto.randomUUID()
  const release = await holdLock(livenessLockName(client))
  const opened = await knockAt(path, owner, client, wanted.timeoutMs)
  if (opened === 'gone' || opened === 'silent') {
    release()
    if (opened === 'silent' && (await servingOwner(path)) === owner) throw silent(wanted.location)
    return undefined
  }
  const channel = tabChannel(new BroadcastChannel(clientChannelName(client)), opened.id, release)
  try {
    const { link } = await greet(channel, wanted.hello, wanted.timeoutMs, wanted.timeoutMs)
    return link
  } catch (error) {
    if (isLightningError(error, 'LIGHTNING_CLOSED')) return error
    if (!(error instanceof NoWelcome)) throw error
    if (error.isSilent) throw silent(wanted.location)
    return undefined
  }
}

/** The owner that has opened a channel for this client, or why none has. */
type Opened = { readonly id: string } | 'gone' | 'silent'

function knockAt(path: string, owner: string, client: string, patienceMs: number): Promise<Opened> {
  return new Promise(resolve => {
    const lobby = new BroadcastChannel(lobbyChannelName(path))
    const abort = new AbortController()
    const end = (opened: Opened): void => {
      clearTimeout(timer)
      abort.abort()
      lobby.close()
      resolve(opened)
    }
    const timer = setTimeout(() => end('silent'), patienceMs)
    lobby.onmessage = ({ data }) => {
      if (isObject(data) && data.opened === client && typeof data.by === 'string') end({ id: data.by })
    }
    // The owner holds this lock as long as it lives: whoever gets it knows that nobody will answer.
    navigator.locks
      .request(livenessLockName(owner), { mode: 'shared', signal: abort.signal }, () => end('gone'))
      .catch(() => undefined)
    lobby.postMessage({ knock: client })
  })
}

function silent(location: string): LightningError {
  return new LightningError(
    'LIGHTNING_LOCKED',
    `The database at ${location} is held by another tab, which does not answer. Close that tab, or reload it.`
  )
}

function unavailable(location: string, cause: unknown): LightningError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `The worker that should open the database at ${location} could not run: ${reason} See docs/clients.md.`
  return new LightningError('LIGHTNING_UNAVAILABLE', message, { cause })
}
