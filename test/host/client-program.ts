// A client in a process or a worker thread of its own, told what to do by messages; each is answered by one.
import { appendFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { isMainThread, parentPort } from 'node:worker_threads'
import { type Client, type ClientSnapshot, type ClientTransaction, connect, isLightningError } from '../../src/index.ts'

type Order =
  | { readonly do: 'connect'; readonly location: string; readonly ownerTimeoutMs?: number }
  | { readonly do: 'hold'; readonly key: string }
  | { readonly do: 'count'; readonly name: string; readonly journal: string }
  | { readonly do: 'scan' }
  | { readonly do: 'visit'; readonly socket: string }
  | { readonly do: 'mask'; readonly mask: number }
  | { readonly do: 'stop' }

let client: Client<string, number> | undefined
let isStopping = false
let running: Promise<void> = Promise.resolve()
/** Kept, or the garbage collector would end them. */
const held: (ClientSnapshot<string, number> | ClientTransaction<string, number>)[] = []

function db(): Client<string, number> {
  if (client === undefined) throw new Error('not connected')
  return client
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'connect':
      client = await connect<string, number>(order.location, { ownerTimeoutMs: order.ownerTimeoutMs })
      return 'connected'
    case 'hold': {
      // Everything that must not outlive this client.
      const tx = await db().begin()
      await tx.getForUpdate(order.key)
      void tx.put(order.key, -1)
      held.push(tx, await db().snapshot())
      await db().keys().next()
      return 'held'
    }
    case 'count':
      running = count(order.name, order.journal)
      return 'counting'
    case 'scan':
      running = scan()
      return 'scanning'
    case 'visit':
      return await visit(order.socket)
    case 'mask':
      process.umask(order.mask)
      return 'masked'
    case 'stop':
      isStopping = true
      await running
      await client?.close()
      return 'stopped'
  }
}

/** Adds one to the client's own counter and to all's, again and again, and notes what it knows before it goes on. */
async function count(name: string, journal: string): Promise<void> {
  while (!isStopping) {
    appendFileSync(journal, 'begun\n')
    try {
      await db().transaction(
        async tx => {
          const [own = 0, all = 0] = await tx.getMany([name, 'all'])
          void tx.put(name, own + 1)
          void tx.put('all', all + 1)
        },
        { retries: Number.POSITIVE_INFINITY }
      )
      appendFileSync(journal, 'done\n')
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_OWNER_LOST')) {
        appendFileSync(journal, `failed ${error}\n`)
        throw error
      }
      appendFileSync(journal, 'unknown\n')
    }
  }
}

/** Reads and writes without a pause. */
async function scan(): Promise<void> {
  for (let i = 0; !isStopping; i++) {
    const writing = [db().put(`scan ${i % 100}`, i), db().get('a'), db().count()]
    for await (const _ of db().keys());
    await Promise.all(writing)
  }
}

/** Connects as anybody might who has found the socket. */
function visit(path: string): Promise<unknown> {
  return new Promise(resolve => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('let in')
    })
    socket.once('error', error => resolve('code' in error ? error.code : String(error)))
  })
}

function answer(value: unknown): void {
  if (isMainThread) process.send?.(value)
  else parentPort?.postMessage(value)
}

function listen(order: Order): void {
  obey(order).then(answer, error => answer({ failed: String(error), code: error.code }))
}

if (isMainThread) process.on('message', listen)
else parentPort?.on('message', listen)
