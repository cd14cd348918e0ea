// The dedicated worker that owns a database in a browser. It opens the database, takes the client that started it and
// those of other tabs that knock, and ends when the last of them has left.

import { directoryAt } from '../db/directories.ts'
import { inMemory } from '../db/location.ts'
import { memoryVfs } from '../vfs/memory.ts'
import { isObject } from '../encoding/arguments.ts'
import { runErrand } from './errands.ts'
import { MessageCoder } from './messages.ts'
import { Owner } from './owner.ts'
import { type OwnerStart, startOf } from './owner-start.ts'
import { type Port, PortChannel } from './port-channel.ts'
import { holdLock, lifeName, lobbyName, pairName, servingName, tabChannel } from './tab-channel.ts'
import { answer } from './wire.ts'
import { errorField } from './wire-error.ts'

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
    if (isObject(first) && first.errand !== undefined) {
      void runErrand(first.errand, Array.isArray(first.parameters) ? first.parameters : [], scope)
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
    new PortChannel(port).post(new MessageCoder().encode([[0, answer.error, errorField(error), false]]))
    scope.close()
  }
}

async function open({ location, options }: OwnerStart, port: Port, scope: WorkerScope): Promise<void> {
  if (location === inMemory) {
    const owner = await Owner.open(memoryVfs(), options, () => scope.close())
    owner.accept(new PortChannel(port))
    return
  }
  const vfs = await directoryAt(location)
  const self = crypto.randomUUID()
  const held = [await holdLock(lifeName(self))]
  const lobby = new BroadcastChannel(lobbyName(location))
  const owner = await Owner.open(vfs, options, () => {
    // Not left to the end of the worker, which browsers may put off for seconds: whoever comes next would wait for it.
    lobby.close()
    for (const letGo of held) letGo()
    setTimeout(() => scope.close(), 0)
  })
  held.push(await holdLock(servingName(location)))
  const known = new Set<string>()
  lobby.onmessage = ({ data }) => {
    const client: unknown = isObject(data) ? data.knock : undefined
    if (typeof client !== 'string' || known.has(client)) return
    known.add(client)
    const pair = new BroadcastChannel(pairName(client))
    owner.accept(tabChannel(pair, client, () => known.delete(client)))
    lobby.postMessage({ opened: client, by: self })
  }
  lobby.postMessage({ serving: self })
  owner.accept(new PortChannel(port))
}

function isWorkerScope(scope: object): scope is WorkerScope {
  return 'DedicatedWorkerGlobalScope' in scope && 'postMessage' in scope
}
