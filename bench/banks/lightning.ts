import { type Database, type Isolation, open, type Transaction } from '../../src/index.ts'
import type { Bank, BankOptions, Transfer, Way } from './bank.ts'

type Accounts = Database<string, number>

/** A client does not give up: what is measured is how long it takes until all is done. */
const retries = Number.POSITIVE_INFINITY

/**
 * Transfers through `db.transaction` and `db.transactionSync`. Bodies of the former wait for a turn of the microtask
 * queue between reading and writing. Since they wait for nothing else, those under way at once run one after the other
 * (src/txn/turnstile.ts), as lmdb's do.
 */
export async function openLightningBank({ directory, durability, cacheBytes }: BankOptions): Promise<Bank> {
  const accounts: Accounts = await open<string, number>(directory, { durability, cacheBytes })
  return {
    load: (keys, balance) => accounts.batch(keys.map(key => ({ type: 'put', key, value: balance }))),
    total: () => {
      let total = 0
      for (const balance of accounts.values()) total += balance
      return total
    },
    ways: [
      reading(accounts, 'serializable'),
      reading(accounts, 'snapshot'),
      locking(accounts, 'serializable'),
      locking(accounts, 'read-committed'),
      synchronous(accounts)
    ],
    close: () => accounts.close()
  }
}

function reading(accounts: Accounts, isolation: Isolation): Way {
  const options = { isolation, retries }
  return {
    name: `transaction, ${isolation}`,
    takesMany: true,
    transfer: (order, started) =>
      accounts.transaction(async tx => {
        started()
        const from = tx.get(order.from) ?? 0
        const to = tx.get(order.to) ?? 0
        await undefined
        move(tx, order, from, to)
      }, options)
  }
}

/** Locks in the order of the keys, as one does who wants no deadlocks. */
function locking(accounts: Accounts, isolation: Isolation): Way {
  const options = { isolation, retries }
  return {
    name: `getForUpdate, ${isolation}`,
    takesMany: true,
    transfer: (order, started) =>
      accounts.transaction(async tx => {
        started()
        if (order.from < order.to) {
          const from = (await tx.getForUpdate(order.from)) ?? 0
          const to = (await tx.getForUpdate(order.to)) ?? 0
          move(tx, order, from, to)
        } else {
          const to = (await tx.getForUpdate(order.to)) ?? 0
          const from = (await tx.getForUpdate(order.from)) ?? 0
          move(tx, order, from, to)
        }
      }, options)
  }
}

function synchronous(accounts: Accounts): Way {
  return {
    name: 'transactionSync',
    takesMany: false,
    transfer: (order, started) =>
      accounts.transactionSync(tx => {
        started()
        move(tx, order, tx.get(order.from) ?? 0, tx.get(order.to) ?? 0)
      })
  }
}

function move(tx: Transaction<string, number>, { from, to, amount }: Transfer, before: number, beside: number): void {
  tx.put(from, before - amount)
  tx.put(to, beside + amount)
}
