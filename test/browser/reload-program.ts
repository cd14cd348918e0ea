// What a tab of reloads.test.ts runs: writes one number after the other until it is reloaded, and tells the server of each
// before the next. Every write counts itself and all, so that one that is lost or done twice is seen afterwards.
import { type Client, connect, isLightningError } from '../../src/index.ts'

/** What a tab tells. A life is what lies between two loads of a tab. */
export type ReloadReport =
  | { readonly life: string; readonly connected: true }
  | { readonly life: string; readonly wrote: number }
  /** The owner went before it answered: it may have been written. */
  | { readonly life: string; readonly lost: number }
  | { readonly life: string; readonly failed: string }

/** What is found in the end. */
export interface ReloadFindings {
  /** How often each write was done, by `life number`. */
  readonly writes: Readonly<Record<string, number>>
  readonly total: number
  readonly problems: number
  /** Locks that are held when everything is closed. */
  readonly locks: number
}

const location = 'reloaded'
const life = crypto.randomUUID()

let isLeft = false
for (const event of ['beforeunload', 'pagehide']) {
  addEventListener(event, () => {
    isLeft = true
  })
}

async function report(body: ReloadReport): Promise<void> {
  try {
    await fetch('/report', { method: 'POST', body: JSON.stringify(body) })
  } catch (error) {
    // The browser ends the requests of a page that is being left, which then has nothing more to say.
    if (isLeft) await new Promise<never>(() => undefined)
    throw error
  }
}

async function writeOn(): Promise<void> {
  const db = await connect<string, number>(location)
  await report({ life, connected: true })
  for (let number = 1; ; number++) {
    try {
      await writeOnce(db, `${life} ${number}`)
      await report({ life, wrote: number })
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_OWNER_LOST')) throw error
      await report({ life, lost: number })
    }
  }
}

function writeOnce(db: Client<string, number>, name: string): Promise<void> {
  return db.transaction(
    async tx => {
      // For the lock of it: five tabs that count in one place would mostly conflict.
      const total = (await tx.getForUpdate('total')) ?? 0
      const done = (await tx.get(name)) ?? 0
      await tx.batch([
        { type: 'put', key: 'total', value: total + 1 },
        { type: 'put', key: name, value: done + 1 }
      ])
    },
    { isolation: 'read-committed', retries: Number.POSITIVE_INFINITY }
  )
}

async function findings(): Promise<ReloadFindings> {
  const db = await connect<string, number>(location)
  const writes: Record<string, number> = {}
  for await (const [key, value] of db.entries()) writes[key] = value
  const { total = 0, ...others } = writes
  const { problems } = await db.verify()
  await db.close()
  return { writes: others, total, problems: problems.length, locks: await locksHeld() }
}

/** Of this database; waits for those that are on their way. */
function locksHeld(): Promise<number> {
  const name = `lightning-db:/${location}`
  return navigator.locks.request(name, async () => {
    const { held = [] } = await navigator.locks.query()
    return held.filter(lock => lock.name === name).length - 1
  })
}

if (new URLSearchParams(globalThis.location.search).has('findings')) {
  Reflect.set(globalThis, 'findings', findings)
} else {
  Reflect.set(globalThis, 'life', life)
  writeOn().catch((error: unknown) => report({ life, failed: String(error) }))
}
