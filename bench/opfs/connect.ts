import { type Client, connect } from '../../src/index.ts'
import { cacheBytes, type Entry, type OpenStore, type Store } from './store.ts'

/** Lightning DB as a page has it: the owner is a worker that `connect` starts. */
export const openClient: OpenStore = async durability => {
  const options = { valueEncoding: 'view', durability, cacheBytes } as const
  return new ClientStore(await connect<string, Uint8Array>('bench', options))
}

class ClientStore implements Store {
  readonly #client: Client<string, Uint8Array>

  constructor(client: Client<string, Uint8Array>) {
    this.#client = client
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#client.get(key)
  }

  async getMany(keys: readonly string[]): Promise<number> {
    const values = await this.#client.getMany(keys)
    return values.filter(value => value !== undefined).length
  }

  put(key: string, value: Uint8Array): Promise<void> {
    return this.#client.put(key, value)
  }

  putMany(entries: readonly Entry[]): Promise<unknown> {
    return Promise.all(entries.map(({ key, value }) => this.#client.put(key, value)))
  }

  putBatch(entries: readonly Entry[]): Promise<void> {
    return this.#client.batch(entries.map(({ key, value }) => ({ type: 'put', key, value })))
  }

  async scanAll(): Promise<number> {
    let entries = 0
    for await (const [key, value] of this.#client.entries()) if (key !== undefined && value !== undefined) entries++
    return entries
  }

  async scan(key: string, limit: number): Promise<number> {
    let entries = 0
    for await (const entry of this.#client.entries({ gte: key, limit })) if (entry[1] !== undefined) entries++
    return entries
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
