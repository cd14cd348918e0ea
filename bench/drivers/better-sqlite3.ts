import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { Key, KeyKind } from '../data.ts'
import type { Driver, Engine, NativeKey } from './driver.ts'
import { installedVersion } from './installed-version.ts'

/** SQLite through better-sqlite3: one table whose key is its primary key, prepared statements, write-ahead log. */
export const betterSqlite3: Engine = {
  name: 'better-sqlite3',
  version: installedVersion('better-sqlite3'),
  modes: { strict: 'WAL, synchronous = FULL', relaxed: 'WAL, synchronous = OFF' },
  load: () => import('better-sqlite3'),
  async open({ directory, kind, durability, cacheBytes }) {
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(join(directory, 'data.sqlite'))
    database.pragma('journal_mode = WAL')
    database.pragma(`synchronous = ${durability === 'strict' ? 'FULL' : 'OFF'}`)
    database.pragma(`cache_size = -${cacheBytes >>> 10}`)
    database.pragma(`mmap_size = ${2 ** 36}`)
    database.exec(tables[kind])
    return new SqliteDriver(database, kind)
  }
}

/** An integer key is the row's own number; other keys live in the table's tree itself. */
const tables: Readonly<Record<KeyKind, string>> = {
  text: 'CREATE TABLE IF NOT EXISTS entries (a TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID',
  integer: 'CREATE TABLE IF NOT EXISTS entries (a INTEGER PRIMARY KEY, value BLOB NOT NULL)',
  tuple:
    'CREATE TABLE IF NOT EXISTS entries (a TEXT, b INTEGER, c TEXT, value BLOB NOT NULL, PRIMARY KEY (a, b, c)) WITHOUT ROWID'
}

class SqliteDriver implements Driver {
  readonly #database: Database
  readonly #get
  readonly #all
  readonly #from
  readonly #put
  readonly #delete
  readonly #putBatch: (keys: readonly NativeKey[], values: readonly Uint8Array[]) => void

  constructor(database: Database, kind: KeyKind) {
    const columns = kind === 'tuple' ? 'a, b, c' : 'a'
    const marks = kind === 'tuple' ? '?, ?, ?' : '?'
    const put = database.prepare(`INSERT OR REPLACE INTO entries (${columns}, value) VALUES (${marks}, ?)`)
    this.#database = database
    this.#put = put
    this.#get = database.prepare(`SELECT value FROM entries WHERE (${columns}) = (${marks})`).pluck()
    this.#all = database.prepare(`SELECT ${columns}, value FROM entries ORDER BY ${columns}`).raw()
    this.#from = database
      .prepare(`SELECT ${columns}, value FROM entries WHERE (${columns}) >= (${marks}) ORDER BY ${columns} LIMIT ?`)
      .raw()
    this.#delete = database.prepare(`DELETE FROM entries WHERE (${columns}) = (${marks})`)
    this.#putBatch = database.transaction((keys: readonly NativeKey[], values: readonly Uint8Array[]) => {
      for (let i = 0; i < keys.length; i++) put.run(keys[i], values[i])
    })
  }

  native(key: Key): NativeKey {
    return typeof key === 'object' ? [...key] : key
  }

  get(key: NativeKey): Uint8Array | undefined {
    const value = this.#get.get(key)
    return value instanceof Uint8Array ? value : undefined
  }

  scanAll(): number {
    let entries = 0
    for (const row of this.#all.iterate()) if (row !== undefined) entries++
    return entries
  }

  scan(key: NativeKey, limit: number): number {
    return this.#from.all(key, limit).length
  }

  put(key: NativeKey, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  putConcurrently(key: NativeKey, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  deleteConcurrently(key: NativeKey): void {
    this.#delete.run(key)
  }

  putBatch(keys: readonly NativeKey[], values: readonly Uint8Array[]): void {
    this.#putBatch(keys, values)
  }

  close(): void {
    this.#database.close()
  }
}
