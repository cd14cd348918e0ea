// The dedicated worker that owns a database in a browser. It opens the database, takes the client that started it and
// those of other tabs that knock, and ends when the last of them has left.

import { inMemory } from '../db/location.ts'
import { memoryVfs } from '../vfs/memory.ts'
import { opfsVfs } from '../vfs/opfs.ts'
import { isObject } from '../encoding/arguments.ts'
import { runTask } from './worker-task-runner.ts'
import { refusalMessage } from './handshake-messages.ts'
import { MessageCoder } from './messages.ts'
import { Owner } from './owner.ts'
import { type OwnerStart, startOf } from './owner-start.ts'
import { type Port, PortChannel } from './port-channel.ts'
import {
  holdLock,
  livenessLockName,
  lobbyChannelName,
  clientChannelName,
  servingLockName,
  tabChannel
} from './tab-channel.ts'

/** The scope of a dedicated worker, as far as it is needed. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<unknown>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
  close(): void
}

const scopeHere: object = globalThis
if (isWorkerScope(scopeHere)) serve(scopeHere)

function serve(scope: WorkerScope): void {
  const early: unknown[] = []
  let deliver = (message: unknown): void => void early.push(message)
  const port: Port = {
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen(onMessage) {
      deliver = onMessage
      // Not at once: whoever makes the channel sets its handlers first.
      queueMicrotask(() => {
        for (const message of early.splice(0)) onMessage(message)
      })
    },
    close: () => undefined,
    hold: () => undefined
  }
  scope.onmessage = ({ data: first }) => {
    if (isObject(first) && first.task !== undefined) {
      void runTask(first.task, Array.isArray(first.parameters) ? first.parameters : [], scope)
      return
    }
    scope.onmessage = ({ data }) => deliver(data)
    void start(first, port, scope)
  }
}

async function start(data: unknown, port: Port, scope: WorkerScope): Promise<void> {
  try {
    await open(startOf(data), port, scope)
  } catch (error) {
    new PortChannel(port).post(new MessageCoder().encode([refusalMessage(error)]))
    scope.close()
  }
}

async function open({ location, options }: OwnerStart, port: Port, scope: WorkerScope): Promise<void> {
  if (location === inMemory) {
    const owner = await Owner.open(memoryVfs(), options, () => scope.close())
    owner.accept(new PortChannel(port))
    return
  }
  const self = crypto.randomUUID()
  const held = [await holdLock(livenessLockName(self))]
  const lobby = new BroadcastChannel(lobbyChannelName(location))
  // Not left to the end of the worker, which browsers may put off for seconds: whoever comes next would wait for it.
  const leave = (): void => {
    lobby.close()
    for (const letGo of held) letGo()
  }
  // Those who come while the database is being opened.
  const early: string[] = []
  let visit = (client: string): void => void early.push(client)
  lobby.onmessage = ({ data }) => {
    if (isObject(data) && typeof data.knock === 'string') visit(data.knock)
  }
  // From the moment on that nobody else can open it.
  const serve = async () => held.push(await holdLock(servingLockName(location, self)))
  try {
    const owner = await Owner.open(opfsVfs(location, serve), options, () => {
      leave()
      setTimeout(() => scope.close(), 0)
    })
    visit = client => {
      const pair = new BroadcastChannel(clientChannelName(client))
      owner.accept(tabChannel(pair, client))
      lobby.postMessage({ opened: client, by: self })
    }
    owner.accept(new PortChannel(port))
    for (const client of early) visit(client)
  } catch (error) {
    leave()
    throw error
  }
}

function isWorkerScope(scope: object): scope is WorkerScope {
  return 'DedicatedWorkerGlobalScope' in scope && 'postMessage' in scope
}
