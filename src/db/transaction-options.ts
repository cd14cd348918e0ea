// Checks of what the methods that begin transactions take.
import { checkChoice, checkInteger, checkKnown, type KnownNames } from '../encoding/arguments.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import { type EncodedPlace, encodingNames, type Encodings, encodingsOf } from './call-options.ts'
import { checkSignal, checkTimeout } from './options.ts'
import type { Isolation } from './transaction-types.ts'

/** The options of `begin`, checked. */
export interface CheckedBegin {
  readonly isolation: Isolation
  /** Undefined: that of the database. */
  readonly lockTimeoutMs: number | undefined
}

/** The options of `transaction`, checked. */
export interface CheckedTransaction extends CheckedBegin {
  readonly retries: number
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/** The options of `getForUpdate`, checked. */
export interface CheckedForUpdate extends Encodings {
  /** Bound of the wait; undefined: that of the transaction. */
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

const forUpdateNames: KnownNames = new Set([...encodingNames, 'lockTimeoutMs', 'signal'])
const beginNames: KnownNames = new Set(['isolation', 'lockTimeoutMs'])
/** The options of `transactionSync`. */
export const syncNames: KnownNames = new Set(['isolation'])
const transactionNames: KnownNames = new Set(['isolation', 'lockTimeoutMs', 'retries', 'timeoutMs', 'signal'])

const isolations: readonly Isolation[] = ['serializable', 'snapshot', 'read-committed']
const defaultRetries = 10
const defaults: CheckedBegin = { isolation: 'serializable', lockTimeoutMs: undefined }

/** Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkForUpdate(place: EncodedPlace, options: unknown): CheckedForUpdate {
  const given = checkKnown(options, forUpdateNames, 'getForUpdate')
  const { keyEncoding, valueEncoding } = encodingsOf(place, given, {}, 'getForUpdate')
  const timeoutMs = lockTimeoutOf(given.lockTimeoutMs, 'getForUpdate')
  return { keyEncoding, valueEncoding, timeoutMs, signal: checkSignal(given.signal, 'getForUpdate, option signal') }
}

/** Throws `LIGHTNING_INVALID_ARGUMENT`. `names`: the options that the call takes. */
export function checkBegin(options: unknown, where: string, names = beginNames): CheckedBegin {
  return options === undefined ? defaults : common(checkKnown(options, names, where), where)
}

const transactionDefaults: CheckedTransaction = {
  ...defaults,
  retries: defaultRetries,
  timeoutMs: undefined,
  signal: undefined
}

/** Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkTransaction(options: unknown, where: string): CheckedTransaction {
  if (options === undefined) return transactionDefaults
  const given = checkKnown(options, transactionNames, where)
  const { isolation, lockTimeoutMs } = common(given, where)
  const { retries, timeoutMs, signal } = given
  return {
    isolation,
    lockTimeoutMs,
    retries: retries === undefined ? defaultRetries : retriesOf(retries, where),
    timeoutMs: timeoutOf(timeoutMs, where),
    signal: checkSignal(signal, `${where}, option signal`)
  }
}

function retriesOf(value: unknown, where: string): number {
  if (value === Number.POSITIVE_INFINITY) return value
  return checkInteger(value, 0, Number.MAX_SAFE_INTEGER, `${where}, option retries`)
}

function timeoutOf(value: unknown, where: string): number | undefined {
  const timeoutMs = checkTimeout(value, Number.POSITIVE_INFINITY, `${where}, option timeoutMs`)
  return timeoutMs === Number.POSITIVE_INFINITY ? undefined : timeoutMs
}

/** The body of a transaction. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkBody(body: unknown, where: string): void {
  if (typeof body === 'function') return
  throw invalidArgument(`${where}: pass a function that gets the transaction; got ${describe(body)}.`)
}

function common(given: { readonly [name: string]: unknown }, where: string): CheckedBegin {
  const { isolation, lockTimeoutMs } = given
  return {
    isolation:
      isolation === undefined ? 'serializable' : checkChoice(isolation, isolations, `${where}, option isolation`),
    lockTimeoutMs: lockTimeoutOf(lockTimeoutMs, where)
  }
}

function lockTimeoutOf(value: unknown, where: string): number | undefined {
  return value === undefined ? undefined : checkTimeout(value, 0, `${where}, option lockTimeoutMs`)
}
