// Ranges of encoded keys, and their bounds as the kernel takes them.
import { MAX_KEY_BYTES } from '../../assembly/state.ts'

/** A range of encoded keys, with one bound at each end. */
export interface ByteRange {
  /** `undefined`: from the first key. */
  readonly lower: Uint8Array | undefined
  /** Whether `lower` itself is outside. */
  readonly lowerOpen: boolean
  /** `undefined`: to the last key. */
  readonly upper: Uint8Array | undefined
  /** Whether `upper` itself is outside. */
  readonly upperOpen: boolean
  readonly reverse: boolean
  /** A whole number from 0, or `Infinity`. */
  readonly limit: number
  /** Whether no key can be in it, by its bounds or its limit. */
  readonly empty: boolean
}

/** The same range with bounds no longer than the longest key: no key lies between a longer bound and its beginning. */
export function clampBounds(range: ByteRange): ByteRange {
  let { lower, lowerOpen, upper, upperOpen } = range
  if (lower !== undefined && lower.length > MAX_KEY_BYTES) {
    lower = lower.subarray(0, MAX_KEY_BYTES)
    lowerOpen = true
  }
  if (upper !== undefined && upper.length > MAX_KEY_BYTES) {
    upper = upper.subarray(0, MAX_KEY_BYTES)
    upperOpen = false
  }
  return { ...range, lower, lowerOpen, upper, upperOpen }
}

/** The least byte string behind `bytes`. */
export function behind(bytes: Uint8Array): Uint8Array {
  const next = new Uint8Array(bytes.length + 1)
  next.set(bytes)
  return next
}
