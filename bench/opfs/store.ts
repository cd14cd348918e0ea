// What the workloads in browsers ask of a store. Each uses the fastest calls of its kind; what is synchronous there stays
// synchronous here, so that nobody pays for another's promises.
import type { Durability, MaybePromise } from '../drivers/driver.ts'

export const storeNames = ['lightning', 'connect', 'indexeddb', 'sqlite'] as const
export type StoreName = (typeof storeNames)[number]

export interface Store {
  get(key: string): MaybePromise<Uint8Array | undefined>
  /** As many reads at once as there are keys; returns how many were found. */
  getMany(keys: readonly string[]): MaybePromise<number>
  /** One write, done when this returns, or when the promise resolves. */
  put(key: string, value: Uint8Array): MaybePromise<unknown>
  /** Writes that are under way at once, each one by itself: any of them may fail alone. */
  putMany(entries: readonly Entry[]): MaybePromise<unknown>
  /** One atomic write. */
  putBatch(entries: readonly Entry[]): MaybePromise<unknown>
  /** Reads every entry, key and value; returns how many. */
  scanAll(): MaybePromise<number>
  /** Reads up to `limit` entries from `key` on; returns how many. */
  scan(key: string, limit: number): MaybePromise<number>
  close(): MaybePromise<unknown>
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** Opens the store of this name in an origin; it is made when it is not there. */
export type OpenStore = (durability: Durability) => Promise<Store>

/** Memory for pages, for all who take such an option. */
export const cacheBytes = 64 << 20

/** How stores are named in tables, and what durability is to each. */
export const storeTitles: Readonly<Record<StoreName, { readonly title: string; readonly modes: string }>> = {
  lightning: {
    title: 'lightning',
    modes: "open() in a worker; strict: durability 'strict'; relaxed: 'relaxed', synced every 100 ms"
  },
  connect: {
    title: 'connect',
    modes: 'connect() in the page, the owner in a worker; the same durability'
  },
  indexeddb: {
    title: 'IndexedDB',
    modes: "in a worker; transactions with durability 'strict' and 'relaxed'"
  },
  sqlite: {
    title: 'sqlite-wasm',
    modes: 'in a worker, pool of access handles, WAL, prepared statements; strict: synchronous = FULL; relaxed: OFF'
  }
}
