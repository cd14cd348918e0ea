import { type Database, open } from '../../src/index.ts'
import type { Key, KeyKind } from '../data.ts'
import { type Driver, type DriverOptions, type Engine, integerBytes, type NativeKey } from './driver.ts'

/** Lightning DB, its kernel as WebAssembly. */
export const lightning: Engine = lightningEngine('lightning', {})

/** Lightning DB, its kernel as JavaScript. */
export const lightningJavaScript: Engine = lightningEngine('lightning (JavaScript)', { wasm: 'off' })

function lightningEngine(name: string, more: { readonly wasm?: 'off' }): Engine {
  return {
    name,
    version: 'this checkout',
    modes: { strict: "durability: 'strict'", relaxed: "durability: 'relaxed', synced every 100 ms" },
    load: () => Promise.resolve(),
    async open(options) {
      return new LightningDriver(await openDatabase(options, more), options.kind)
    }
  }
}

function openDatabase({ directory, kind, durability, cacheBytes }: DriverOptions, more: { readonly wasm?: 'off' }) {
  const keyEncoding = ({ text: 'utf8', integer: 'view', tuple: 'tuple' } as const)[kind]
  return open<NativeKey, Uint8Array>(directory, { keyEncoding, valueEncoding: 'view', durability, cacheBytes, ...more })
}

class LightningDriver implements Driver {
  readonly #database: Database<NativeKey, Uint8Array>
  readonly #kind: KeyKind

  constructor(database: Database<NativeKey, Uint8Array>, kind: KeyKind) {
    this.#database = database
    this.#kind = kind
  }

  native(key: Key): NativeKey {
    if (typeof key === 'object') return [...key]
    return this.#kind === 'integer' ? integerBytes(Number(key)) : key
  }

  get(key: NativeKey): Uint8Array | undefined {
    return this.#database.get(key)
  }

  scanAll(): number {
    let entries = 0
    for (const [key, value] of this.#database.entries()) {
      if (key !== undefined && value !== undefined) entries++
    }
    return entries
  }

  scan(key: NativeKey, limit: number): number {
    let entries = 0
    for (const entry of this.#database.entries({ gte: key, limit })) {
      if (entry[0] !== undefined && entry[1] !== undefined) entries++
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
    return this.#database.del(key)
  }

  putBatch(keys: readonly NativeKey[], values: readonly Uint8Array[]): Promise<unknown> {
    const operations: { type: 'put'; key: NativeKey; value: Uint8Array }[] = []
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      const value = values[i]
      if (key !== undefined && value !== undefined) operations.push({ type: 'put', key, value })
    }
    return this.#database.batch(operations)
  }

  close(): Promise<unknown> {
    return this.#database.close()
  }
}
