// The load of kill-program.ts: what commit number n of a seed does, and what it leaves. Whoever opens the database
// afterwards can so tell from its sequence number alone what must be in it.
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import type { Database } from '../../src/index.ts'
import { nodeVfs } from '../../src/vfs/node.ts'
import { someText } from '../../test/engine/content.ts'
import { Random } from '../../test/support/random.ts'

export interface KillOptions {
  readonly pageSize: number
  readonly compression: 'lz4' | 'none'
  readonly walBytes: number
  readonly durability: 'strict' | 'relaxed'
  readonly verifyWrites: boolean
  readonly wasm?: 'off'
}

const frames = 64
const keys = 200

/** Opens with sizes smaller than `open` allows, so that a few commits make checkpoints, log switches and evictions. */
export function openForKill(location: string, options: KillOptions): Promise<Database<string, string>> {
  const { walBytes, ...rest } = options
  const parsed = parseOpenOptions({ ...rest, valueEncoding: 'utf8', syncIntervalMs: 5 })
  const small = { ...parsed, walBytes, cacheBytes: frames * options.pageSize }
  return openIn<string, string>(nodeVfs(location), small)
}

/** A change of `space/key`; `undefined` deletes. */
type Changes = ReadonlyMap<string, string | undefined>

export type KillOperation =
  | { readonly type: 'batch' | 'transaction'; readonly changes: Changes }
  | { readonly type: 'clear'; readonly from: string; readonly to: string }
  | { readonly type: 'drop' }

const sublevelName = 'sub'

/** What the commit with this number does. */
export function operationOf(seed: number, sequence: number): KillOperation {
  const random = new Random(Math.imul(seed, 0x9e3779b1) + sequence)
  if (sequence % 23 === 0) {
    const from = random.below(keys)
    return { type: 'clear', from: keyOf(from), to: keyOf(from + 1 + random.below(20)) }
  }
  const changes = new Map<string, string | undefined>()
  // The counter changes with every such commit, so that no two states are equal.
  changes.set('/counter', `${sequence}`)
  // So that there is something to drop.
  changes.set(`${sublevelName}/counter`, `${sequence}`)
  if (sequence % 41 === 0) return { type: 'drop' }
  for (let i = sequence % 7 === 0 ? 40 : 1; i > 0; i--) {
    const length = sequence % 11 === 0 && i === 1 ? 5_000 + random.below(400_000) : 10 + random.below(700)
    const space = random.chance(0.2) ? sublevelName : ''
    changes.set(`${space}/${keyOf(random.below(keys))}`, random.chance(0.2) ? undefined : someText(random, length))
  }
  return { type: random.chance(0.3) ? 'transaction' : 'batch', changes }
}

/** Applies an operation as one commit; resolves when it is acknowledged. */
export function applyTo(db: Database<string, string>, operation: KillOperation): Promise<void> {
  const sub = db.sublevel(sublevelName)
  if (operation.type === 'drop') return db.dropSublevel(sublevelName)
  if (operation.type === 'clear') return db.clear({ gte: operation.from, lt: operation.to })
  const changes = [...operation.changes].map(([path, value]) => {
    const [space = '', key = ''] = path.split('/')
    return { sublevel: space === '' ? db : sub, key, value }
  })
  const operations = changes.map(({ sublevel, key, value }) =>
    value === undefined ? ({ type: 'del', sublevel, key } as const) : ({ type: 'put', sublevel, key, value } as const)
  )
  if (operation.type === 'batch') return db.batch(operations)
  const tx = db.begin()
  tx.batch(operations)
  return tx.commit()
}

/** Goes on from the state after commit `from` to that after commit `to`. */
export function advance(state: Map<string, string>, seed: number, from: number, to: number): void {
  for (let sequence = from + 1; sequence <= to; sequence++) {
    const operation = operationOf(seed, sequence)
    if ('changes' in operation) {
      for (const [path, value] of operation.changes) {
        if (value === undefined) state.delete(path)
        else state.set(path, value)
      }
      continue
    }
    for (const path of [...state.keys()]) {
      const isGone =
        operation.type === 'drop'
          ? path.startsWith(`${sublevelName}/`)
          : path >= `/${operation.from}` && path < `/${operation.to}`
      if (isGone) state.delete(path)
    }
  }
}

/** Everything in the database, by `space/key`. */
export function contentOf(db: Database<string, string>): Map<string, string> {
  const content = new Map<string, string>()
  for (const [key, value] of db.entries()) content.set(`/${key}`, value)
  for (const [key, value] of db.sublevel(sublevelName).entries()) content.set(`${sublevelName}/${key}`, value)
  return content
}

function keyOf(number: number): string {
  return `key ${number.toString().padStart(4, '0')}`
}
