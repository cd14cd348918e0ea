// Channels between tabs. A MessagePort cannot be sent to another tab where there is no worker that both share, so each
// client and the owner have a BroadcastChannel of a name that only those two know.

import { PortChannel } from './port-channel.ts'

/** Where those who look for the owner of a database knock. */
export function lobbyName(location: string): string {
  return `lightning-db:${location}#lobby`
}

/** The channel of one client. */
export function pairName(client: string): string {
  return `lightning-db#${client}`
}

/** A Web Lock that the owner of a database holds as long as it takes clients. */
export function servingName(location: string): string {
  return `lightning-db:${location}#serving`
}

/** A Web Lock that one side of a channel holds: when the other side gets it, that side is gone. */
export function lifeName(side: string): string {
  return `lightning-db#life ${side}`
}

/** Holds a lock until the result is called. Waits for it: those who look for an owner may have it for a moment. */
export function holdLock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, () => new Promise<void>(letGo => resolve(letGo))).catch(reject)
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
        .request(lifeName(other), { mode: 'shared', signal: abort.signal }, () => onClose('it is gone.'))
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
