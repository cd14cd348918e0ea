// What runs in the browser: measures the store that its address names, in a worker or in the page, and reports.
import { openClient } from './connect.ts'
import { measureFloor } from './floor.ts'
import { openIndexedDb } from './indexed-db.ts'
import { openLightning } from './lightning.ts'
import type { OpenStore, StoreName } from './store.ts'
import { isStoreName, measureOpfs, type OpfsTask } from './workloads.ts'

/** The library of SQLite is loaded where it is measured only. */
const openers: Readonly<Record<StoreName, OpenStore>> = {
  lightning: openLightning,
  connect: openClient,
  indexeddb: openIndexedDb,
  sqlite: async durability => (await import('./sqlite.ts')).openSqlite(durability)
}

function taskOf(address: string): OpfsTask {
  const parameters = new URLSearchParams(address)
  const store = parameters.get('store') ?? ''
  if (!isStoreName(store)) throw new Error(`no such store: ${store}`)
  return { store, keys: Number(parameters.get('keys')), seconds: Number(parameters.get('seconds')) }
}

async function run(): Promise<object> {
  const task = taskOf(location.search)
  const figures = await measureOpfs(openers[task.store], task)
  return task.store === 'lightning' ? { figures, floor: await measureFloor(task.seconds) } : { figures }
}

const report = await run().catch((error: unknown) => ({ error: String(error) }))
await fetch('/report', { method: 'POST', body: JSON.stringify(report) })
