// Checks of the options of single calls.

import { checkKnown, isList, type KnownNames } from '../encoding/arguments.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { abortError, describe, invalidArgument } from '../encoding/failure.ts'
import type { Progress } from '../engine/engine.ts'
import { checkSignal } from './options.ts'
import type { EncodingTable } from '../encoding/encodings.ts'

/** Options of reads of single keys. */
export const readNames: KnownNames = new Set(['snapshot', 'keyEncoding', 'valueEncoding'])

/** Options of writes, of sublevels, and of reads through a snapshot. */
export const encodingNames: KnownNames = new Set(['keyEncoding', 'valueEncoding'])

/** Options of the list of sublevels. */
export const sublevelsNames: KnownNames = new Set(['snapshot'])

/** Options whose names have been checked. */
export interface Given {
  readonly [name: string]: unknown
}

const careNames: KnownNames = new Set(['signal'])
const progressNames: KnownNames = new Set(['signal', 'onProgress'])

/** The options of a long operation, checked. */
export interface CheckedCare {
  readonly signal: AbortSignal | undefined
}

/** The options of a long operation that reports its progress, checked. */
export interface CheckedProgress extends CheckedCare {
  readonly onProgress: ((progress: Progress) => void) | undefined
}

/** Throws `LIGHTNING_INVALID_ARGUMENT`, and `LIGHTNING_ABORTED` when the signal has fired already. */
export function checkCare(options: unknown, where: string): CheckedCare {
  const given = checkKnown(options, careNames, where)
  return { signal: checkLiveSignal(given.signal, where) }
}

/** As `checkCare`, for calls that also take `onProgress`. */
export function checkProgress(options: unknown, where: string): CheckedProgress {
  const given = checkKnown(options, progressNames, where)
  const { onProgress } = given
  if (onProgress !== undefined && !isFunction(onProgress)) {
    throw invalidArgument(`${where}, option onProgress: pass a function; got ${describe(onProgress)}.`)
  }
  return { signal: checkLiveSignal(given.signal, where), onProgress }
}

/** Throws `LIGHTNING_INVALID_ARGUMENT` unless `value` can be called. */
export function checkFunction(value: unknown, where: string): (argument: unknown) => unknown {
  if (isFunction(value)) return value
  throw invalidArgument(`${where}: pass a function; got ${describe(value)}.`)
}

/** What `getMany` takes. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkKeys(value: unknown): readonly unknown[] {
  if (isList(value)) return value
  throw invalidArgument(`getMany: pass an array of keys; got ${describe(value)}.`)
}

/** Throws `LIGHTNING_INVALID_ARGUMENT` unless `value` is text, as the name of a sublevel is. */
export function checkName(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw invalidArgument(`${where}: pass the name of a sublevel as a string; got ${describe(value)}.`)
}

/** Encodings of keys and values. */
export interface Encodings {
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
}

/** What is needed of a keyspace to find encodings. */
export interface EncodedPlace extends Encodings {
  readonly session: { readonly encodings: EncodingTable }
}

/**
 * The encodings that an operation names (`own`), else those of its call (`outer`), else those of its place. Throws
 * `LIGHTNING_INVALID_ARGUMENT`.
 */
export function encodingsOf(place: EncodedPlace, own: Given, outer: Given, where: string): Encodings {
  const keyOption = own.keyEncoding === undefined ? outer.keyEncoding : own.keyEncoding
  const valueOption = own.valueEncoding === undefined ? outer.valueEncoding : own.valueEncoding
  const { encodings } = place.session
  return {
    keyEncoding: keyOption === undefined ? place.keyEncoding : encodings.key(keyOption, `${where}, option keyEncoding`),
    valueEncoding:
      valueOption === undefined ? place.valueEncoding : encodings.value(valueOption, `${where}, option valueEncoding`)
  }
}

function checkLiveSignal(value: unknown, where: string): AbortSignal | undefined {
  const signal = checkSignal(value, `${where}, option signal`)
  if (signal?.aborted !== true) return signal
  throw abortError(signal, `${where}: the signal has fired; nothing was done.`)
}

function isFunction(value: unknown): value is (argument: unknown) => unknown {
  return typeof value === 'function'
}
