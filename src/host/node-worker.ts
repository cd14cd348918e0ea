// The thread that owns a database, in Node, Deno and Bun. It opens the database, takes the client that started it and
// those that come by the lock's socket, and ends when the last of them has left.

import type { Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { inMemory } from '../db/location.ts'
import { memoryVfs } from '../vfs/memory.ts'
import { nodeVfs } from '../vfs/node.ts'
import { concernsEveryone, refusalMessage } from './handshake-messages.ts'
import { MessageCoder } from './messages.ts'
import { Owner } from './owner.ts'
import { startOf } from './owner-start.ts'
import { PortChannel } from './port-channel.ts'
import { nodePort } from './node-port.ts'
import { SocketChannel } from './socket-channel.ts'

if (parentPort !== null) void serve(nodePort(parentPort))

async function serve(port: ReturnType<typeof nodePort>): Promise<void> {
  // Those who come while the database is being opened.
  const early: Socket[] = []
  let visit = (socket: Socket): void => void early.push(socket)
  try {
    const { location, options } = startOf(workerData)
    const vfs = location === inMemory ? memoryVfs() : nodeVfs(location, socket => visit(socket))
    const owner = await Owner.open(vfs, options, () => port.close())
    visit = socket => owner.accept(new SocketChannel(socket, true))
    // Others may be here when the one that started it has left.
    owner.accept(new PortChannel({ ...port, close: () => undefined }))
    for (const socket of early) visit(socket)
  } catch (error) {
    for (const socket of early) hangUp(socket, error)
    new PortChannel(port).post(new MessageCoder().encode([refusalMessage(error)]))
    port.close()
  }
}

/** Those who have come by the socket have options of their own: they look again, unless that would not help. */
function hangUp(socket: Socket, error: unknown): void {
  const channel = new SocketChannel(socket, true)
  if (concernsEveryone(error)) channel.post(new MessageCoder().encode([refusalMessage(error)]))
  channel.close()
}
