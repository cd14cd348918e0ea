// Channels between tabs. A MessagePort cannot be sent to another tab where there is no worker that both share, so each
// client and the owner have a BroadcastChannel of a name that only those two know.

import { LightningError } from '../errors.ts'
import { PortChannel } from './port-channel.ts'

/** Where those who look for the owner of a database knock. */
export function lobbyChannelName(location: string): string {
  return `lightning-db:${location}#lobby`
}

/** The channel of one client. */
export function clientChannelName(client: string): string {
  return `lightning-db#${client}`
}

/**
 * A Web Lock that the owner of a database holds as long as it takes clients, so that it is found. Each has one of its
 * own, which nobody waits for: a frozen tab that got it could keep it from the next owner for ever.
 */
export function servingLockName(location: string, owner: string): string {
  return `lightning-db:${location}#serving ${owner}`
}

/** A Web Lock of whoever starts an owner: others wait for that owner instead of starting one each. */
export function startingLockName(location: string): string {
  return `lightning-db:${location}#starting`
}

/** The owner that takes clients now, if there is one. Rejects with `LIGHTNING_UNAVAILABLE`. */
export async function servingOwner(location: string): Promise<string | undefined> {
  const start = servingLockName(location, '')
  const held = await heldLocks(location)
  const owners = held.map(({ name = '' }) => (name.startsWith(start) ? name.slice(start.length) : ''))
  // What is longer is of another database, whose name begins in the same way.
  return owners.find(owner => /^[\da-f-]{36}$/.test(owner))
}

/** The Web Locks of this site. Pages that are not served securely have none, sandboxed frames must not ask for them. */
async function heldLocks(location: string): Promise<LockInfo[]> {
  try {
    return (await navigator.locks.query()).held ?? []
  } catch (cause) {
    const message =
      `Cannot connect to ${location}: this page has no Web Locks. Serve it over HTTPS or from localhost, not in a ` +
      "sandboxed frame, or use ':memory:'."
    throw new LightningError('LIGHTNING_UNAVAILABLE', message, { cause })
  }
}

/** A Web Lock that one side of a channel holds: when the other side gets it, that side is gone. */
export function livenessLockName(side: string): string {
  return `lightning-db#life ${side}`
}

/** Holds a lock that is this side's own until the result is called. Rejects when `signal` ends the wait for it. */
export function holdLock(name: string, signal?: AbortSignal): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise(letGo => resolve(letGo))
    navigator.locks.request(name, signal === undefined ? {} : { signal }, hold).catch(reject)
  })
}

/** A channel over a BroadcastChannel; it ends when `other`, the side over there, is gone. */
export function tabChannel(
  broadcast: BroadcastChannel,
  other: string,
  onEnd: () => void = () => undefined
): PortChannel {
  const abort = new AbortController()
  return new PortChannel({
    // Nothing is handed over: the message is copied into the other tab.
    post: message => broadcast.postMessage(message),
    listen(onMessage, onClose) {
      broadcast.onmessage = ({ data }) => onMessage(data)
      navigator.locks
        .request(livenessLockName(other), { mode: 'shared', signal: abort.signal }, () => onClose('it is gone.'))
        .then(
          undefined,
          // The wait was ended by `close`.
          () => undefined
        )
    },
    close() {
      abort.abort()
      broadcast.close()
      onEnd()
    },
    hold: () => undefined
  })
}
