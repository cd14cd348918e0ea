// Ranges of keys: checked, and turned from what callers pass into bytes.

import { checkBoolean, checkInteger, checkKnown, type KnownNames } from '../encoding/arguments.ts'
import { compareBytes, successorOf } from '../encoding/bytes.ts'
import type { KeyEncoding } from '../encoding/encoding.ts'
import type { ByteRange } from '../engine/bounds.ts'

/** Which keys, in which order, and how many of them. A bound that is `undefined` does not bound. */
export interface RangeOptions<K> {
  /** Only keys after this one. */
  readonly gt?: K | undefined
  /** Only this key and those after it. */
  readonly gte?: K | undefined
  /** Only keys before this one. */
  readonly lt?: K | undefined
  /** Only this key and those before it. */
  readonly lte?: K | undefined
  /** Only keys that begin with this one, by bytes; for tuples by elements. */
  readonly prefix?: K | undefined
  /** From the last key to the first (default false). */
  readonly reverse?: boolean | undefined
  /** At most so many; -1 and `Infinity` (default) mean no limit. */
  readonly limit?: number | undefined
}

interface Bound {
  readonly bytes: Uint8Array
  readonly open: boolean
}

/** The names of {@link RangeOptions}. */
export const rangeNames = ['gt', 'gte', 'lt', 'lte', 'prefix', 'reverse', 'limit'] as const

/** What `clear` takes, and reads on ranges in a snapshot or a transaction. */
export const rangeAndEncodingNames: KnownNames = new Set([...rangeNames, 'keyEncoding', 'valueEncoding'])

/** What the other reads on ranges take. */
export const readRangeNames: KnownNames = new Set([...rangeAndEncodingNames, 'snapshot'])

/**
 * Checks a range and encodes its bounds. Of several bounds at one end the tightest counts. `names` are all that the
 * call takes, its other options included. Throws `LIGHTNING_INVALID_ARGUMENT`.
 */
export function parseRange(
  range: unknown,
  keyEncoding: KeyEncoding<unknown>,
  names: KnownNames = readRangeNames,
  where = 'range'
): ByteRange {
  const given = checkKnown(range, names, where)
  const { gt, gte, lt, lte, prefix } = given
  let lower: Bound | undefined
  let upper: Bound | undefined
  if (prefix !== undefined) {
    const bytes = keyEncoding.encodePrefix(prefix)
    const successor = successorOf(bytes)
    lower = { bytes, open: false }
    if (successor !== undefined) upper = { bytes: successor, open: true }
  }
  if (gte !== undefined) lower = tighter(lower, { bytes: keyEncoding.encode(gte), open: false }, 1)
  if (gt !== undefined) lower = tighter(lower, { bytes: keyEncoding.encode(gt), open: true }, 1)
  if (lte !== undefined) upper = tighter(upper, { bytes: keyEncoding.encode(lte), open: false }, -1)
  if (lt !== undefined) upper = tighter(upper, { bytes: keyEncoding.encode(lt), open: true }, -1)
  const limit = parseLimit(given.limit, where)
  return {
    lower: lower?.bytes,
    lowerOpen: lower?.open ?? false,
    upper: upper?.bytes,
    upperOpen: upper?.open ?? false,
    reverse: checkBoolean(given.reverse, false, `${where}, option reverse`),
    limit,
    empty: limit === 0 || excludeAll(lower, upper)
  }
}

/**
 * The tighter of two bounds. `sign` is 1 for lower bounds, of which the greater is tighter, and -1 for upper bounds.
 */
function tighter(a: Bound | undefined, b: Bound, sign: 1 | -1): Bound {
  if (a === undefined) return b
  const order = compareBytes(a.bytes, b.bytes) * sign
  if (order === 0) return a.open ? a : b
  return order > 0 ? a : b
}

function excludeAll(lower: Bound | undefined, upper: Bound | undefined): boolean {
  if (upper === undefined) return false
  // The empty byte string is before every key.
  if (upper.bytes.length === 0) return true
  if (lower === undefined) return false
  const order = compareBytes(lower.bytes, upper.bytes)
  return order > 0 || (order === 0 && (lower.open || upper.open))
}

function parseLimit(value: unknown, where: string): number {
  if (value === undefined || value === -1 || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  return checkInteger(value, 0, Number.MAX_SAFE_INTEGER, `${where}, option limit`)
}
