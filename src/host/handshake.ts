// The handshake on a client's new channel: the client says hello, the owner says welcome, and the channel becomes a
// link.

import type { Channel } from './channel.ts'
import { type Hello, helloMessage, readWelcome, type Welcome } from './handshake-messages.ts'
import { Link } from './link.ts'
import { MessageCoder } from './messages.ts'

/** The channel ended, or stayed silent, before the owner said welcome. */
export class NoWelcome extends Error {
  readonly isSilent: boolean

  constructor(reason: string, isSilent: boolean) {
    super(reason)
    this.isSilent = isSilent
  }
}

/**
 * Says hello through a channel and waits for the answer `patienceMs` long; rejects with `NoWelcome`, or what the owner
 * refuses with. `timeoutMs` bounds the silence of the owner from then on.
 */
export function greet(
  channel: Channel,
  hello: Hello,
  patienceMs: number,
  timeoutMs: number
): Promise<{ welcome: Welcome; link: Link }> {
  const coder = new MessageCoder()
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      channel.onFrame = () => undefined
      channel.onClose = () => undefined
      channel.abandon()
      reject(error)
    }
    const giveUp = (): void => fail(new NoWelcome(`It did not answer within ${patienceMs} ms.`, true))
    // A moment later: if this thread was busy, what has arrived meanwhile is taken first.
    const expire = (): void => {
      timer = setTimeout(giveUp, 1)
    }
    let timer = patienceMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(expire, patienceMs)
    channel.onClose = reason => fail(new NoWelcome(reason, false))
    channel.onFrame = frame => {
      try {
        const [first, ...rest] = coder.decode(frame)
        const welcome = readWelcome(first)
        clearTimeout(timer)
        const link = new Link(channel, coder, timeoutMs)
        channel.hold(false)
        resolve({ welcome, link })
        link.receive(rest)
      } catch (error) {
        fail(error)
      }
    }
    channel.hold(true)
    channel.post(coder.encode([helloMessage(hello)]))
  })
}
