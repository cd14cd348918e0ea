// What the benchmark of transactions asks of an engine: accounts, and transfers between two of them. A transfer reads
// both balances and writes both back. Balances are whole numbers, stored as the engine stores numbers best.
import type { Durability, MaybePromise } from '../drivers/driver.ts'

export interface BankOptions {
  readonly directory: string
  readonly durability: Durability
  readonly cacheBytes: number
}

export interface Bank {
  /** Puts the same balance into every account. */
  load(accounts: readonly string[], balance: number): MaybePromise<unknown>
  /** All balances together. */
  total(): number
  readonly ways: readonly Way[]
  close(): MaybePromise<unknown>
}

/** One way to make a transfer. */
export interface Way {
  /** The call, for the table. */
  readonly name: string
  /** Many may be under way at once; otherwise the call returns when all is done. */
  readonly takesMany: boolean
  /** `started` is called each time that the transaction's body is run. */
  transfer(order: Transfer, started: () => void): MaybePromise<unknown>
}

/** The two accounts differ. */
export interface Transfer {
  readonly from: string
  readonly to: string
  readonly amount: number
}
