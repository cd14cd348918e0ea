// A process with a database in it, which does as it is told and says what came of it. Values can be told from their keys,
// so that whoever reads them later knows whether they are right.
import { contentFor, keyOf } from './content.ts'
import { type Database, isLightningError, type OpenOptions, open } from '../../src/index.ts'

/** What the process is asked to do; it answers each with an `Answer`. */
export type Order =
  | { readonly do: 'become'; readonly user: number }
  | { readonly do: 'open'; readonly location: string; readonly options?: OpenOptions }
  /** Puts entries `from` and up, `at once` of them unanswered at any time, until one is refused or `most` are there. */
  | {
      readonly do: 'fill'
      readonly from: number
      readonly atOnce: number
      readonly most: number
      readonly bytes: number
    }
  | { readonly do: 'put'; readonly number: number; readonly bytes: number }
  | { readonly do: 'delete'; readonly from: number; readonly to: number }
  | { readonly do: 'clear'; readonly from: number; readonly to: number }
  | { readonly do: 'check'; readonly bytes: number }
  | { readonly do: 'checkpoint' | 'compact' | 'verify' | 'stats' | 'told' | 'close' }

/** `error`: its code. The rest depends on what was asked. */
export interface Answer {
  readonly error?: string | undefined
  readonly message?: string | undefined
  /** Numbers of the entries that were acknowledged, or are there. */
  readonly numbers?: readonly number[]
  readonly found?: unknown
}

let db: Database<string, Uint8Array> | undefined
const events: string[] = []

function opened(): Database<string, Uint8Array> {
  if (db === undefined) throw new Error('Nothing is open.')
  return db
}

async function obey(order: Order): Promise<Answer> {
  switch (order.do) {
    case 'become':
      process.setgroups?.([])
      process.setgid?.(order.user)
      process.setuid?.(order.user)
      return {}
    case 'open':
      db = await open<string, Uint8Array>(order.location, { ...order.options, valueEncoding: 'view' })
      for (const event of ['degraded', 'recovered'] as const) db.on(event, () => events.push(event))
      return {}
    case 'fill':
      return fill(order)
    case 'put':
      await opened().put(keyOf(order.number), contentFor(order.number, order.bytes))
      return { numbers: [order.number] }
    case 'delete':
      for (let number = order.from; number < order.to; number++) await opened().del(keyOf(number))
      return {}
    case 'clear':
      await opened().clear({ gte: keyOf(order.from), lt: keyOf(order.to) })
      return {}
    case 'check':
      return check(order.bytes)
    case 'checkpoint':
      await opened().checkpoint()
      return {}
    case 'compact':
      await opened().compact()
      return {}
    case 'verify':
      return { found: (await opened().verify()).problems }
    case 'stats':
      return { found: opened().stats() }
    case 'told':
      return { found: events.splice(0) }
    case 'close':
      await opened().close()
      return {}
  }
}

async function fill(order: Extract<Order, { do: 'fill' }>): Promise<Answer> {
  const numbers: number[] = []
  let refusal: unknown
  let next = order.from
  const work = async () => {
    while (refusal === undefined && next < order.from + order.most) {
      const number = next++
      try {
        await opened().put(keyOf(number), contentFor(number, order.bytes))
        numbers.push(number)
        process.send?.({ acknowledged: number })
      } catch (error) {
        refusal ??= error
      }
    }
  }
  await Promise.all(Array.from({ length: order.atOnce }, work))
  return { ...(refusal === undefined ? {} : failure(refusal)), numbers }
}

/** Reads everything, in order and key by key. */
function check(bytes: number): Answer {
  const numbers: number[] = []
  for (const [key, value] of opened().entries()) {
    const number = Number(key.slice(4))
    if (Buffer.compare(value, contentFor(number, bytes)) !== 0) throw new Error(`${key} has a wrong value`)
    if (Buffer.compare(opened().get(key) ?? new Uint8Array(), value) !== 0) throw new Error(`${key} reads otherwise`)
    numbers.push(number)
  }
  return { numbers }
}

function failure(error: unknown): Answer {
  if (!isLightningError(error)) throw error
  return { error: error.code, message: error.message }
}

process.on('message', (order: Order) => {
  obey(order)
    .catch(failure)
    .then(
      answer => process.send?.({ answer }),
      (error: unknown) => {
        throw error
      }
    )
})
