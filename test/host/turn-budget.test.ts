// Frames that keep a thread busy do not keep its event loop from turning.
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers'
import { MessageChannel } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { nodePort } from '../../src/host/node-port.ts'
import { SocketChannel } from '../../src/host/socket-channel.ts'
import { deferred } from '../support/deferred.ts'
import { temporaryDirectory } from '../support/directory.ts'

const frames = ['first', 'second', 'third', 'fourth', 'last']

/** Notes what is delivered, each as the work of two milliseconds, and the turn of the event loop after the first. */
function busyReader() {
  const seen: string[] = []
  const read = (name: string): void => {
    for (const until = performance.now() + 2; performance.now() < until; );
    if (seen.length === 0) setImmediate(() => seen.push('turn'))
    seen.push(name)
  }
  return { seen, read }
}

function expectTurnBeforeLast(seen: readonly string[]): void {
  expect(seen.filter(name => name !== 'turn')).toEqual([...frames, 'end'])
  expect(seen.indexOf('turn')).toBeLessThan(seen.indexOf('last'))
}

it('messages of a port are delivered in several turns, in order, and all of them before its end', async () => {
  const { port1, port2 } = new MessageChannel()
  const { seen, read } = busyReader()
  const closed = deferred()
  nodePort(port2).listen(
    message => read(String(message)),
    () => {
      seen.push('end')
      closed.resolve()
    }
  )
  for (const frame of frames) port1.postMessage(frame)
  port1.close()
  await closed.promise
  expectTurnBeforeLast(seen)
})

it('frames of a socket are delivered in several turns, in order, and all of them before its end', async () => {
  const path = join(await temporaryDirectory(), 's')
  const { seen, read } = busyReader()
  const closed = deferred()
  const server = createServer(socket => {
    const channel = new SocketChannel(socket, true)
    channel.onFrame = ({ head }) => read(frames[head[0] ?? 0] ?? '')
    channel.onClose = () => {
      seen.push('end')
      closed.resolve()
    }
  }).listen(path)
  const socket = createConnection(path)
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  const channel = new SocketChannel(socket, false)
  for (const i of frames.keys()) channel.post({ head: Uint8Array.of(i), parts: [] })
  channel.close()
  await closed.promise
  expectTurnBeforeLast(seen)
})
