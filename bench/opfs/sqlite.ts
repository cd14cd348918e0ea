// SQLite over a pool of access handles, the faster of its two ways to private files. The database is this thread's alone
// (`locking_mode = EXCLUSIVE`), so that the write-ahead log needs no shared memory.
import initSqlite, { type OpfsSAHPoolDatabase, type PreparedStatement, type SAHPoolUtil } from '@sqlite.org/sqlite-wasm'
import { cacheBytes, type Entry, type OpenStore, type Store } from './store.ts'

let pool: Promise<SAHPoolUtil> | undefined

export const openSqlite: OpenStore = async durability => {
  pool ??= initSqlite().then(sqlite => sqlite.installOpfsSAHPoolVfs({ initialCapacity: 8 }))
  const { OpfsSAHPoolDb } = await pool
  const database = new OpfsSAHPoolDb('/bench.sqlite')
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'OFF'};
    PRAGMA cache_size = -${cacheBytes >>> 10};
    CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  `)
  const journal = database.selectValue('PRAGMA journal_mode')
  if (journal !== 'wal') throw new Error(`SQLite has a journal of another kind: ${String(journal)}`)
  return new SqliteStore(database)
}

class SqliteStore implements Store {
  readonly #database: OpfsSAHPoolDatabase
  readonly #get: PreparedStatement
  readonly #put: PreparedStatement
  readonly #all: PreparedStatement
  readonly #from: PreparedStatement
  readonly #begin: PreparedStatement
  readonly #commit: PreparedStatement

  constructor(database: OpfsSAHPoolDatabase) {
    this.#database = database
    this.#get = database.prepare('SELECT value FROM entries WHERE key = ?')
    this.#put = database.prepare('INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)')
    this.#all = database.prepare('SELECT key, value FROM entries ORDER BY key')
    this.#from = database.prepare('SELECT key, value FROM entries WHERE key >= ? ORDER BY key LIMIT ?')
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  get(key: string): Uint8Array | undefined {
    const statement = this.#get.bind(1, key)
    const value = statement.step() ? statement.getBlob(0) : null
    statement.reset()
    return value ?? undefined
  }

  getMany(keys: readonly string[]): number {
    let found = 0
    for (const key of keys) if (this.get(key) !== undefined) found++
    return found
  }

  put(key: string, value: Uint8Array): void {
    this.#put.bind(1, key).bind(2, value).stepReset()
  }

  putMany(entries: readonly Entry[]): void {
    for (const { key, value } of entries) this.put(key, value)
  }

  putBatch(entries: readonly Entry[]): void {
    this.#begin.stepReset()
    for (const { key, value } of entries) this.put(key, value)
    this.#commit.stepReset()
  }

  scanAll(): number {
    return rowsOf(this.#all)
  }

  scan(key: string, limit: number): number {
    return rowsOf(this.#from.bind(1, key).bind(2, limit))
  }

  close(): void {
    const statements = [this.#get, this.#put, this.#all, this.#from, this.#begin, this.#commit]
    for (const statement of statements) statement.finalize()
    this.#database.close()
  }
}

function rowsOf(statement: PreparedStatement): number {
  let rows = 0
  while (statement.step()) {
    if (statement.getString(0) !== null && statement.getBlob(1) !== null) rows++
  }
  statement.reset()
  return rows
}
