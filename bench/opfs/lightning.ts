import { type Database, open } from '../../src/index.ts'
import { cacheBytes, type Entry, type OpenStore, type Store } from './store.ts'

/** Lightning DB in this worker. */
export const openLightning: OpenStore = async durability => {
  const options = { valueEncoding: 'view', durability, cacheBytes } as const
  return new LightningStore(await open<string, Uint8Array>('bench', options))
}

class LightningStore implements Store {
  readonly #database: Database<string, Uint8Array>

  constructor(database: Database<string, Uint8Array>) {
    this.#database = database
  }

  get(key: string): Uint8Array | undefined {
    return this.#database.get(key)
  }

  getMany(keys: readonly string[]): number {
    let found = 0
    for (const value of this.#database.getMany(keys)) if (value !== undefined) found++
    return found
  }

  put(key: string, value: Uint8Array): void {
    this.#database.putSync(key, value)
  }

  putMany(entries: readonly Entry[]): Promise<unknown> {
    return Promise.all(entries.map(({ key, value }) => this.#database.put(key, value)))
  }

  putBatch(entries: readonly Entry[]): void {
    this.#database.batchSync(entries.map(({ key, value }) => ({ type: 'put', key, value })))
  }

  scanAll(): number {
    let entries = 0
    for (const [key, value] of this.#database.entries()) if (key !== undefined && value !== undefined) entries++
    return entries
  }

  scan(key: string, limit: number): number {
    let entries = 0
    for (const entry of this.#database.entries({ gte: key, limit })) {
      if (entry[0] !== undefined && entry[1] !== undefined) entries++
    }
    return entries
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}
