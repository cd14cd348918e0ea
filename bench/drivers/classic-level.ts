import type { ClassicLevel } from 'classic-level'
import type { Key, KeyKind } from '../data.ts'
import { type Driver, type Durability, type Engine, integerBytes, type NativeKey } from './driver.ts'
import { installedVersion } from './installed-version.ts'

/** Integers are padded to the same width inside tuples, whose parts are joined by the lowest character. */
const tupleSeparator = '\0'
const tupleDigits = 10
/** Rows fetched from the pool's thread at once in a full scan. */
const scanRows = 1000

/** LevelDB through classic-level. Its keys are UTF-8 text, or bytes for integers; values come as views. */
export const classicLevel: Engine = {
  name: 'classic-level',
  version: installedVersion('classic-level'),
  modes: { strict: 'sync: true', relaxed: 'sync: false' },
  load: () => import('classic-level'),
  async open({ directory, kind, durability, cacheBytes }) {
    const { ClassicLevel } = await import('classic-level')
    const database = new ClassicLevel<NativeKey, Uint8Array>(directory, {
      keyEncoding: kind === 'integer' ? 'view' : 'utf8',
      valueEncoding: 'view',
      cacheSize: cacheBytes,
      writeBufferSize: 64 << 20
    })
    await database.open()
    return new LevelDriver(database, kind, durability)
  }
}

class LevelDriver implements Driver {
  readonly #database: ClassicLevel<NativeKey, Uint8Array>
  readonly #kind: KeyKind
  readonly #options: { readonly sync: boolean }

  constructor(database: ClassicLevel<NativeKey, Uint8Array>, kind: KeyKind, durability: Durability) {
    this.#database = database
    this.#kind = kind
    this.#options = { sync: durability === 'strict' }
  }

  native(key: Key): NativeKey {
    if (typeof key === 'object') {
      const [first, number, last] = key
      return [first, String(number).padStart(tupleDigits, '0'), last].join(tupleSeparator)
    }
    return this.#kind === 'integer' ? integerBytes(Number(key)) : key
  }

  get(key: NativeKey): Uint8Array | undefined {
    return this.#database.getSync(key)
  }

  async scanAll(): Promise<number> {
    const iterator = this.#database.iterator({ highWaterMarkBytes: 1 << 20 })
    let entries = 0
    for (;;) {
      const rows = await iterator.nextv(scanRows)
      if (rows.length === 0) break
      entries += rows.length
    }
    await iterator.close()
    return entries
  }

  async scan(key: NativeKey, limit: number): Promise<number> {
    const iterator = this.#database.iterator({ gte: key, limit })
    const rows = await iterator.nextv(limit)
    await iterator.close()
    return rows.length
  }

  put(key: NativeKey, value: Uint8Array): Promise<unknown> {
    return this.#database.put(key, value, this.#options)
  }

  putConcurrently(key: NativeKey, value: Uint8Array): Promise<unknown> {
    return this.#database.put(key, value, this.#options)
  }

  deleteConcurrently(key: NativeKey): Promise<unknown> {
    return this.#database.del(key, this.#options)
  }

  putBatch(keys: readonly NativeKey[], values: readonly Uint8Array[]): Promise<unknown> {
    const batch = this.#database.batch()
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      const value = values[i]
      if (key !== undefined && value !== undefined) batch.put(key, value)
    }
    return batch.write(this.#options)
  }

  close(): Promise<unknown> {
    return this.#database.close()
  }
}
