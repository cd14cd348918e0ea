// Channels and links by themselves: what arrives after an end, what is taken apart, what is never lost.
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Frame } from '../../src/host/channel.ts'
import { frameHeader } from '../../src/host/frame-parser.ts'
import { greet } from '../../src/host/handshake.ts'
import { type Message, MessageCoder } from '../../src/host/messages.ts'
import { PortChannel, type Port } from '../../src/host/port-channel.ts'
import { SessionOutbox } from '../../src/host/session-outbox.ts'
import { SocketChannel } from '../../src/host/socket-channel.ts'
import { answer, operation } from '../../src/host/wire.ts'
import { LightningError } from '../../src/errors.ts'
import { rejection } from '../support/database.ts'
import { deferred } from '../support/deferred.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { channelPair, ownerHere } from './pair.ts'

const hello = { readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false }

/** Both ends of a local socket. */
async function socketPair(): Promise<[Socket, Socket]> {
  const path = join(await temporaryDirectory(), 's')
  const accepted = deferred<Socket>()
  const server = createServer(socket => accepted.resolve(socket)).listen(path)
  const near = createConnection(path)
  const far = await accepted.promise
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

/** Frames until the end of a channel. */
function framesUntilEnd(channel: SocketChannel): Promise<Frame[]> {
  const frames: Frame[] = []
  channel.onFrame = frame => void frames.push(frame)
  return new Promise(resolve => {
    channel.onClose = () => resolve(frames)
  })
}

/** More than sockets hold by themselves. */
const large = (): Frame => ({ head: Uint8Array.of(1), parts: [new Uint8Array(16_000_000)] })

describe('a socket', () => {
  it('that is closed still carries what was posted before', async () => {
    const [near, far] = await socketPair()
    const channel = new SocketChannel(near, false)
    channel.post(large())
    channel.close()
    expect(await framesUntilEnd(new SocketChannel(far, true))).toHaveLength(1)
  })

  it('that is abandoned carries nothing any more: it would come after what the next link carries', async () => {
    const [near, far] = await socketPair()
    const channel = new SocketChannel(near, false)
    channel.post(large())
    channel.abandon()
    expect(await framesUntilEnd(new SocketChannel(far, true))).toEqual([])
  })

  it('is congested while the other end takes nothing, and tells when it does', async () => {
    const [near, far] = await socketPair()
    const channel = new SocketChannel(near, true)
    const drained = deferred()
    channel.onDrain = () => drained.resolve()
    channel.post(large())
    expect(channel.isCongested).toBe(true)
    far.resume()
    await drained.promise
    expect(channel.isCongested).toBe(false)
  })

  it.each([
    ['client', false],
    ['owner', true]
  ])('that carries much to the %s lets the client know that the owner is alive', async (_, isToOwner) => {
    const [near, far] = await socketPair()
    const [client, owner] = [new SocketChannel(near, false), new SocketChannel(far, true)]
    const signs = deferred<Frame>()
    client.onFrame = frame => signs.resolve(frame)
    // The beginning of a frame whose end never comes.
    const half = { head: new Uint8Array(4_000_000), parts: [] }
    const sender = isToOwner ? near : far
    sender.write(frameHeader(half))
    sender.write(half.head.subarray(0, 2_000_000))
    expect(new MessageCoder().decode(await signs.promise)).toEqual([])
    client.abandon()
    owner.abandon()
  })

  it('gives parts whose buffers hold nothing else', async () => {
    const [near, far] = await socketPair()
    const channel = new SocketChannel(near, false)
    for (let i = 0; i < 3; i++) channel.post({ head: Uint8Array.of(i), parts: [new Uint8Array(17_000).fill(i)] })
    channel.close()
    const frames = await framesUntilEnd(new SocketChannel(far, true))
    expect(frames.map(({ parts }) => parts[0]?.buffer.byteLength)).toEqual([17_000, 17_000, 17_000])
  })
})

describe('a port', () => {
  it('that a living thread gives up is given up over there', async () => {
    const here = await ownerHere()
    const client = await here.client()
    // Ports of workers are not closed: the thread lives on with its other clients.
    const ports = portPair()
    here.owner.accept(new PortChannel(ports[1]))
    const { link } = await greet(new PortChannel(ports[0]), hello, 1_000, 1_000)
    expect(here.owner.clients).toBe(2)
    link.lose('it gave no sign of life.')
    await client.flush()
    expect(here.owner.clients).toBe(1)
  })

  function portPair(): [Port, Port] {
    let toNear: (message: unknown) => void = () => undefined
    let toFar: (message: unknown) => void = () => undefined
    const rest = { close: () => undefined, hold: () => undefined }
    return [
      {
        ...rest,
        post: message => queueMicrotask(() => toFar(message)),
        listen: onMessage => {
          toNear = onMessage
        }
      },
      {
        ...rest,
        post: message => queueMicrotask(() => toNear(message)),
        listen: onMessage => {
          toFar = onMessage
        }
      }
    ]
  }
})

describe('a link', () => {
  const linked = async () => {
    const here = await ownerHere()
    await here.client()
    const [near, far] = channelPair()
    here.owner.accept(far)
    return { far, link: (await greet(near, hello, 1_000, 1_000)).link }
  }
  const asked = (run: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void) => new Promise(run)

  it('that is lost rejects what is asked of it all the same', async () => {
    const { link } = await linked()
    link.lose('its thread ended.')
    const asking = asked((resolve, reject) => {
      const sink = { onLost: 'gone', resolve, reject } as const
      link.send({ operation: operation.sequence, fields: [], sink, attempts: 1 })
    })
    await rejection('LIGHTNING_OWNER_LOST', asking)
  })

  it('that is closed rejects what is still waited for', async () => {
    const { far, link } = await linked()
    far.freeze()
    const asking = asked((resolve, reject) => {
      const sink = { onLost: 'unknown', resolve, reject } as const
      link.send({ operation: operation.sequence, fields: [], sink, attempts: 1 })
    })
    link.close(new LightningError('LIGHTNING_CLOSED', 'The database is closed.'))
    await rejection('LIGHTNING_CLOSED', asking)
  })
})

describe('frames', () => {
  const coder = new MessageCoder()
  const none = (): undefined => undefined

  it('are of moderate size, and hold everything in order', () => {
    const messages = Array.from({ length: 1_000 }, (_, i): Message => [i, new Uint8Array(10_000)])
    const frames = [...coder.frames(messages, none)]
    expect(Math.max(...frames.map(({ head }) => head.length))).toBeLessThan(1_100_000)
    expect(frames.flatMap(frame => coder.decode(frame).map(([i]) => i))).toEqual(messages.map(([i]) => i))
  })

  it('leave out what cannot be sent, and say so', () => {
    const refused: unknown[] = []
    const messages: Message[] = [[1], [2, 'half \ud83d'], [3, new Uint8Array(3_000_000)], [4]]
    const frames = [
      ...coder.frames(messages, ([id], error) => {
        refused.push(id, error)
        return [id, 'refused']
      })
    ]
    expect(refused).toEqual([2, expect.objectContaining({ code: 'LIGHTNING_INVALID_ARGUMENT' })])
    const received = frames.flatMap(frame => coder.decode(frame))
    expect(received.map(([id]) => id)).toEqual([1, 2, 3, 4])
    expect(received[1]).toEqual([2, 'refused'])
  })
})

describe('what nobody asked for', () => {
  it('is not kept for ever for a client that has stopped', () => {
    const [, far] = channelPair()
    const outbox = new SessionOutbox(far, new MessageCoder())
    const sent = (): boolean => outbox.sendUnasked([0, answer.event, 'checkpoint', {}])
    for (let i = 0; i < 2_000; i++) expect(sent()).toBe(true)
    far.isCongested = true
    let kept = 0
    while (sent() && kept < 5_000) kept++
    expect(kept).toBe(1_000)
    far.isCongested = false
    expect(sent()).toBe(true)
  })
})
