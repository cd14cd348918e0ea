import type { RootDatabase } from 'lmdb'
import type { Bank, BankOptions, Transfer, Way } from './bank.ts'

type Accounts = RootDatabase<number, string>

/**
 * Transfers through lmdb-js, whose transactions are serial: a body has the database for itself, and those that come
 * meanwhile are queued; many of the queue share a commit.
 */
export async function openLmdbBank({ directory, durability }: BankOptions): Promise<Bank> {
  const { open } = await import('lmdb')
  const accounts: Accounts = open({
    path: directory,
    mapSize: 2 ** 36,
    ...(durability === 'strict' ? { overlappingSync: false } : { noSync: true })
  })
  return {
    load: (keys, balance) =>
      accounts.transactionSync(() => {
        for (const key of keys) accounts.put(key, balance)
      }),
    total: () => {
      let total = 0
      for (const { value } of accounts.getRange({ snapshot: false })) total += value
      return total
    },
    ways: [queued(accounts), waiting(accounts), synchronous(accounts)],
    close: () => accounts.close()
  }
}

function queued(accounts: Accounts): Way {
  return {
    name: 'transaction',
    takesMany: true,
    transfer: (order, started) =>
      accounts.transaction(() => {
        started()
        move(accounts, order, accounts.get(order.from) ?? 0, accounts.get(order.to) ?? 0)
      })
  }
}

function waiting(accounts: Accounts): Way {
  return {
    name: 'transaction, its body waits',
    takesMany: true,
    transfer: (order, started) =>
      accounts.transaction(async () => {
        started()
        const from = accounts.get(order.from) ?? 0
        const to = accounts.get(order.to) ?? 0
        await undefined
        move(accounts, order, from, to)
      })
  }
}

function synchronous(accounts: Accounts): Way {
  return {
    name: 'transactionSync',
    takesMany: false,
    transfer: (order, started) =>
      accounts.transactionSync(() => {
        started()
        move(accounts, order, accounts.get(order.from) ?? 0, accounts.get(order.to) ?? 0)
      })
  }
}

/** The promises of the puts are those of the transaction, which is waited for. */
function move(accounts: Accounts, { from, to, amount }: Transfer, before: number, beside: number): void {
  accounts.put(from, before - amount)
  accounts.put(to, beside + amount)
}
