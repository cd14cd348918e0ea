// Bounds of ranges as the kernel takes them.
import { MAX_KEY_BYTES } from '../../assembly/state.ts'

/** A range of encoded keys, as the layer above parses it. */
export interface ByteRange {
  readonly lower: Uint8Array | undefined
  readonly lowerOpen: boolean
  readonly upper: Uint8Array | undefined
  readonly upperOpen: boolean
  readonly reverse: boolean
  /** `Infinity`: no limit. */
  readonly limit: number
  /** No key can be in it. */
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
