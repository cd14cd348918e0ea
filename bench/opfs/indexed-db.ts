// IndexedDB at its best: reads one after the other share a transaction, as the calls of a program that reads in a loop do;
// scans take keys and values in large pieces; writes commit explicitly and do not wait for the round trip.
import type { Durability } from '../drivers/driver.ts'
import type { Entry, OpenStore, Store } from './store.ts'

const storeName = 'entries'
const rowsPerPiece = 10_000

export const openIndexedDb: OpenStore = async durability => {
  const opening = indexedDB.open('bench', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(storeName)
  return new IndexedDbStore(await answer(opening), durability)
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase
  readonly #durability: Durability
  /** The transaction of the newest read, as long as it lives. */
  #reading: IDBObjectStore | undefined

  constructor(database: IDBDatabase, durability: Durability) {
    this.#database = database
    this.#durability = durability
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await answer<unknown>(this.#reader().get(key)))
  }

  getMany(keys: readonly string[]): Promise<number> {
    const entries = this.#reader()
    return new Promise((resolve, reject) => {
      let found = 0
      let answered = 0
      for (const key of keys) {
        const request = entries.get(key)
        request.onsuccess = () => {
          if (request.result !== undefined) found++
          if (++answered === keys.length) resolve(found)
        }
        request.onerror = () => reject(request.error)
      }
    })
  }

  put(key: string, value: Uint8Array): Promise<void> {
    return this.putBatch([{ key, value }])
  }

  putMany(entries: readonly Entry[]): Promise<unknown> {
    return Promise.all(entries.map(({ key, value }) => this.put(key, value)))
  }

  putBatch(entries: readonly Entry[]): Promise<void> {
    const transaction = this.#database.transaction(storeName, 'readwrite', { durability: this.#durability })
    const store = transaction.objectStore(storeName)
    for (const { key, value } of entries) store.put(value, key)
    const completed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
    transaction.commit()
    return completed
  }

  async scanAll(): Promise<number> {
    let entries = 0
    let after: IDBKeyRange | undefined
    while (true) {
      const [keys, values] = await this.#rows(after, rowsPerPiece)
      entries += Math.min(keys.length, values.length)
      const last = keys.at(-1)
      if (last === undefined || keys.length < rowsPerPiece) return entries
      after = IDBKeyRange.lowerBound(last, true)
    }
  }

  async scan(key: string, limit: number): Promise<number> {
    const [keys, values] = await this.#rows(IDBKeyRange.lowerBound(key), limit)
    return Math.min(keys.length, values.length)
  }

  close(): void {
    this.#database.close()
  }

  #rows(range: IDBKeyRange | undefined, limit: number): Promise<[IDBValidKey[], unknown[]]> {
    const entries = this.#reader()
    return Promise.all([answer(entries.getAllKeys(range, limit)), answer<unknown[]>(entries.getAll(range, limit))])
  }

  #reader(): IDBObjectStore {
    if (this.#reading !== undefined) return this.#reading
    const transaction = this.#database.transaction(storeName, 'readonly')
    const reading = transaction.objectStore(storeName)
    transaction.oncomplete = () => {
      if (this.#reading === reading) this.#reading = undefined
    }
    this.#reading = reading
    return reading
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}
