import { join } from 'node:path'
import type { Bank, BankOptions } from './bank.ts'

/** Transfers through better-sqlite3, whose calls and transactions are synchronous: one at a time. */
export async function openSqliteBank({ directory, durability, cacheBytes }: BankOptions): Promise<Bank> {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(join(directory, 'data.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${durability === 'strict' ? 'FULL' : 'OFF'}`)
  database.pragma(`cache_size = -${cacheBytes >>> 10}`)
  database.pragma(`mmap_size = ${2 ** 36}`)
  database.exec('CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, balance INTEGER NOT NULL) WITHOUT ROWID')
  const insert = database.prepare('INSERT INTO accounts (id, balance) VALUES (?, ?)')
  const select = database.prepare('SELECT balance FROM accounts WHERE id = ?').pluck()
  const update = database.prepare('UPDATE accounts SET balance = ? WHERE id = ?')
  const sum = database.prepare('SELECT sum(balance) FROM accounts').pluck()
  const load = database.transaction((keys: readonly string[], balance: number) => {
    for (const key of keys) insert.run(key, balance)
  })
  const transfer = database.transaction((from: string, to: string, amount: number, started: () => void) => {
    started()
    const before = Number(select.get(from))
    const beside = Number(select.get(to))
    update.run(before - amount, from)
    update.run(beside + amount, to)
  })
  return {
    load,
    total: () => Number(sum.get()),
    ways: [
      {
        name: 'transaction',
        takesMany: false,
        transfer: ({ from, to, amount }, started) => transfer(from, to, amount, started)
      }
    ],
    close: () => database.close()
  }
}
