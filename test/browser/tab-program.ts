// What a tab of tests/browser/tabs.ts runs: a client that the test works with by name.
import {
  type Client,
  type ClientSnapshot,
  type ClientTransaction,
  connect,
  destroy,
  isLightningError,
  repair,
  restore
} from '../../src/index.ts'

const clients = new Map<string, Client<string, number>>()
const kept = new Map<string, ClientTransaction<string, number> | ClientSnapshot<string, number>>()

function client(name: string): Client<string, number> {
  const found = clients.get(name)
  if (found === undefined) throw new Error(`there is no client ${name}`)
  return found
}

/** The code of what a promise rejects with; its value otherwise. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return isLightningError(error) ? error.code : String(error)
  }
}

const actions = {
  connect: async (name: string, location: string, ownerTimeoutMs = 10_000) => {
    clients.set(name, await connect<string, number>(location, { ownerTimeoutMs }))
    return 'connected'
  },
  put: (name: string, key: string, value: number) => client(name).put(key, value),
  get: (name: string, key: string) => client(name).get(key),
  count: (name: string) => client(name).count(),
  fill: (name: string, count: number) =>
    client(name).batch(Array.from({ length: count }, (_, i) => ({ type: 'put', key: `k${i}`, value: i }))),
  scan: async (name: string) => {
    let sum = 0
    for await (const value of client(name).values({ prefix: 'k' })) sum += value
    return sum
  },
  add: (name: string, key: string) =>
    client(name).transaction(
      async tx => {
        await tx.put(key, ((await tx.get(key)) ?? 0) + 1)
      },
      { retries: Number.POSITIVE_INFINITY }
    ),
  lock: async (name: string, key: string) => {
    const tx = await client(name).begin()
    kept.set(key, tx)
    return (await tx.getForUpdate(key)) ?? 'locked'
  },
  rollback: (_: string, key: string) => {
    const tx = kept.get(key)
    return tx !== undefined && 'rollback' in tx ? tx.rollback() : undefined
  },
  readLocked: (_: string, key: string) => {
    const tx = kept.get(key)
    return tx !== undefined && 'getForUpdate' in tx ? tx.get(key) : undefined
  },
  snapshots: async (name: string) => (await client(name).stats()).snapshots.open,
  verify: async (name: string) => (await client(name).verify()).problems.length,
  close: async (name: string) => {
    await client(name).close()
    return 'closed'
  },
  destroy: async (location: string) => {
    await destroy(location)
    return 'destroyed'
  },
  backup: async (name: string, destination: string) => {
    await client(name).backup(destination)
    return 'backed up'
  },
  restore: async (backup: string, location: string) => {
    await restore(backup, location)
    return 'restored'
  },
  repair: async (location: string) => {
    const told: number[] = []
    const { recovered, lost } = await repair(location, { onProgress: ({ done }) => told.push(done) })
    return [recovered, lost.length, told.length > 0]
  },
  abortedRepair: (location: string) => repair(location, { signal: AbortSignal.abort() }),
  roundTripMicroseconds: async (name: string) => {
    for (let i = 0; i < 200; i++) await client(name).get('a')
    const start = performance.now()
    for (let i = 0; i < 1_000; i++) await client(name).get('a')
    return Math.round(performance.now() - start)
  }
} as const

/** Calls one of the above with what came as JSON; what it gives, or the code of its error, as JSON. */
async function act(name: string, parameters: readonly unknown[]): Promise<unknown> {
  const action: unknown = Reflect.get(actions, name)
  if (typeof action !== 'function') throw new Error(`there is no action ${name}`)
  return await outcome((async () => await Reflect.apply(action, undefined, parameters))())
}

Reflect.set(globalThis, 'act', act)
