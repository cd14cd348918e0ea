import type { RootDatabase } from 'lmdb'
import type { Key } from '../data.ts'
import type { Driver, Engine, NativeKey } from './driver.ts'
import { installedVersion } from './installed-version.ts'

/** LMDB through lmdb-js. Its keys are ordered-binary (text, numbers and tuples as they are), its values Buffers. */
export const lmdb: Engine = {
  name: 'lmdb',
  version: installedVersion('lmdb'),
  modes: { strict: 'overlappingSync: false', relaxed: 'noSync: true' },
  load: () => import('lmdb'),
  async open({ directory, durability }) {
    const { open } = await import('lmdb')
    const database: RootDatabase<Uint8Array, NativeKey> = open({
      path: directory,
      encoding: 'binary',
      mapSize: 2 ** 36,
      ...(durability === 'strict' ? { overlappingSync: false } : { noSync: true })
    })
    return new LmdbDriver(database)
  }
}

class LmdbDriver implements Driver {
  readonly #database: RootDatabase<Uint8Array, NativeKey>

  constructor(database: RootDatabase<Uint8Array, NativeKey>) {
    this.#database = database
  }

  native(key: Key): NativeKey {
    return typeof key === 'object' ? [...key] : key
  }

  get(key: NativeKey): Uint8Array | undefined {
    return this.#database.get(key)
  }

  scanAll(): number {
    let entries = 0
    for (const { key, value } of this.#database.getRange({ snapshot: false })) {
      if (key !== undefined && value !== undefined) entries++
    }
    return entries
  }

  scan(key: NativeKey, limit: number): number {
    let entries = 0
    for (const entry of this.#database.getRange({ start: key, limit, snapshot: false })) {
      if (entry.key !== undefined && entry.value !== undefined) entries++
    }
    return entries
  }

  put(key: NativeKey, value: Uint8Array): void {
    this.#database.putSync(key, value)
  }

  putConcurrently(key: NativeKey, value: Uint8Array): Promise<unknown> {
    return this.#database.put(key, value)
  }

  deleteConcurrently(key: NativeKey): Promise<unknown> {
    return this.#database.remove(key)
  }

  putBatch(keys: readonly NativeKey[], values: readonly Uint8Array[]): void {
    // The callback must not return a put's promise: the transaction would stay open until it resolves.
    this.#database.transactionSync(() => {
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]
        const value = values[i]
        if (key !== undefined && value !== undefined) this.#database.put(key, value)
      }
    })
  }

  close(): Promise<unknown> {
    return this.#database.close()
  }
}
