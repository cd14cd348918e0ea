// What the benchmark of transactions measures in one process: transfers between accounts by so many clients at once, each
// of whom begins the next when the last is done. After every measurement the balances must still add up.
import { open } from '../src/index.ts'
import type { Bank, BankOptions, Transfer, Way } from './banks/bank.ts'
import { openSqliteBank } from './banks/better-sqlite3.ts'
import { openLightningBank } from './banks/lightning.ts'
import { openLmdbBank } from './banks/lmdb.ts'
import { generator } from './random.ts'

const banks = {
  lightning: openLightningBank,
  lmdb: openLmdbBank,
  'better-sqlite3': openSqliteBank
} as const satisfies Record<string, (options: BankOptions) => Promise<Bank>>

export type BankName = keyof typeof banks

export const contentions = ['low', 'high'] as const
/** `low`: any of the accounts, `high`: some of ten. */
export type Contention = (typeof contentions)[number]

/** Transactions under way at once. */
export const clientCounts = [1, 10, 100, 1000]
export const hotAccounts = 10

/** One measurement. */
export interface Transfers {
  readonly way: string
  readonly contention: Contention
  /** Undefined: the call is synchronous, one at a time. */
  readonly clients: number | undefined
  readonly transfers: number
  /** Bodies that were run, those of lost transactions included. */
  readonly attempts: number
  readonly seconds: number
}

/** What a transaction costs that is alone, beside a plain put; nanoseconds. */
export interface Alone {
  readonly putSyncNs: number
  readonly commitSyncNs: number
  readonly putNs: number
  readonly commitNs: number
}

const balance = 1_000_000
const secondsOfEach = 0.3
/** Of each way with one client and with many: compilers need about a second in all. */
const secondsOfWarming = 0.15
const clientsOfWarming = [1, 100]
/** Clients who live on resolved promises alone would keep timers, and so the pauses before another attempt, waiting. */
const longestTurnMs = 1

/** Opens a bank in an empty directory, measures all its ways, and closes it. Throws when money was lost or made. */
export async function measureTransfers(name: BankName, options: BankOptions, accounts: number): Promise<Transfers[]> {
  const keys = Array.from({ length: accounts }, (_, i) => accountOf(i))
  const bank = await banks[name](options)
  await bank.load(keys, balance)
  for (const way of bank.ways) {
    for (const clients of way.takesMany ? clientsOfWarming : [undefined]) {
      await measureOne(way, keys, 'low', clients, secondsOfWarming)
    }
  }
  const measured: Transfers[] = []
  for (const way of bank.ways) {
    for (const contention of contentions) {
      for (const clients of way.takesMany ? clientCounts : [undefined]) {
        const one = await measureOne(way, keys, contention, clients, secondsOfEach)
        const total = bank.total()
        if (total !== balance * accounts) {
          throw new Error(`${way.name}: the balances add up to ${total} instead of ${balance * accounts}`)
        }
        measured.push(one)
      }
    }
  }
  await bank.close()
  return measured
}

async function measureOne(
  way: Way,
  keys: readonly string[],
  contention: Contention,
  clients: number | undefined,
  seconds: number
): Promise<Transfers> {
  const next = transfersOver(contention === 'high' ? keys.slice(0, hotAccounts) : keys)
  let attempts = 0
  const started = () => {
    attempts++
  }
  let transfers = 0
  const begun = performance.now()
  const end = begun + seconds * 1000
  const turns = new Turns()
  const client = async () => {
    while (performance.now() < end) {
      const pending = way.transfer(next(), started)
      if (pending instanceof Promise) await pending
      transfers++
      if (turns.isDue) await turns.next()
    }
  }
  await Promise.all(Array.from({ length: clients ?? 1 }, client))
  const elapsedMs = performance.now() - begun
  return { way: way.name, contention, clients, transfers, attempts, seconds: elapsedMs / 1000 }
}

/** Turns of the event loop, shared by all clients. */
class Turns {
  #last = performance.now()
  #next: Promise<void> | undefined

  get isDue(): boolean {
    return performance.now() - this.#last > longestTurnMs
  }

  next(): Promise<void> {
    this.#next ??= new Promise(resolve => {
      setImmediate(() => {
        this.#last = performance.now()
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}

function transfersOver(keys: readonly string[]): () => Transfer {
  const random = generator(31)
  return () => {
    const first = random() % keys.length
    const second = (first + 1 + (random() % (keys.length - 1))) % keys.length
    return { from: keys[first] ?? '', to: keys[second] ?? '', amount: 1 + (random() % 100) }
  }
}

/** In one piece: a concatenation is kept as a tree until someone reads it. */
function accountOf(index: number): string {
  return Buffer.from(`account:${String(index).padStart(10, '0')}`).toString()
}

const rounds = 200
const perRound = 500

/**
 * With no other transaction open: begin, get, put, commit beside a plain put of the same keys, relaxed, in turn, so that
 * a slow moment of the machine hits both.
 */
export async function measureAlone(
  { directory, cacheBytes }: Omit<BankOptions, 'durability'>,
  accounts: number
): Promise<Alone> {
  const keys = Array.from({ length: accounts }, (_, i) => accountOf(i))
  const database = await open<string, number>(directory, { durability: 'relaxed', cacheBytes })
  await database.batch(keys.map(key => ({ type: 'put', key, value: balance })))
  const random = generator(37)
  const some = () => Array.from({ length: perRound }, () => keys[random() % keys.length] ?? '')
  const spent = [0, 0, 0, 0]
  const bodies: readonly ((key: string) => Promise<void> | undefined)[] = [
    key => {
      database.putSync(key, 1)
      return undefined
    },
    key => {
      const tx = database.begin()
      tx.put(key, (tx.get(key) ?? 0) + 1)
      tx.commitSync()
      return undefined
    },
    key => database.put(key, 1),
    key => {
      const tx = database.begin()
      tx.put(key, (tx.get(key) ?? 0) + 1)
      return tx.commit()
    }
  ]
  for (let round = 0; round < rounds; round++) {
    for (const [i, body] of bodies.entries()) {
      const order = some()
      const begun = performance.now()
      for (const key of order) {
        const pending = body(key)
        if (pending !== undefined) await pending
      }
      // The first rounds are for the compiler.
      if (round >= rounds / 4) spent[i] = (spent[i] ?? 0) + performance.now() - begun
    }
  }
  await database.close()
  const [putSyncNs = 0, commitSyncNs = 0, putNs = 0, commitNs = 0] = spent.map(
    ms => (ms * 1e6) / (perRound * rounds * 0.75)
  )
  return { putSyncNs, commitSyncNs, putNs, commitNs }
}
