import { expect } from 'vitest'
import type { KeyEncoding, ValueEncoding } from '../../src/encoding/encoding.ts'
import { isLightningError, type LightningErrorCode } from '../../src/errors.ts'

/** Every property in these tests runs from this seed, so that a failure is the same everywhere. */
export const seeded = { seed: 20_261_101, numRuns: 300 }

/** What comes back when `value` is written into the middle of a larger array and read from there. */
export function roundTrip(encoding: ValueEncoding<unknown>, value: unknown): unknown {
  const own = encoding.encode(value)
  const target = new Uint8Array(own.length + 40).fill(0xee)
  const written = encoding.write(value, target, 13, own.length)
  expect(written).toBe(own.length)
  // (As Buffers, for `toEqual` takes its time over each byte.)
  expect(Buffer.from(own).equals(target.subarray(13, 13 + written))).toBe(true)
  expect(Buffer.alloc(27, 0xee).equals(target.subarray(13 + written))).toBe(true)
  const read = encoding.read(target, 13, 13 + written)
  // What was read must not change with the array it was read from.
  target.fill(0x55)
  return read
}

/** Refuses to read `bytes`, or reads them; anything but `LIGHTNING_DECODE` fails the test. */
export function tryRead(encoding: ValueEncoding<unknown>, bytes: Uint8Array): { value: unknown } | 'refused' {
  const source = new Uint8Array(bytes.length + 16).fill(0x41)
  source.set(bytes, 8)
  try {
    return { value: encoding.read(source, 8, 8 + bytes.length) }
  } catch (error) {
    if (isLightningError(error, 'LIGHTNING_DECODE')) return 'refused'
    throw error
  }
}

/** Expects `action` to throw a LightningError with this code, and gives it back. */
export function expectCode(code: LightningErrorCode, action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    if (!isLightningError(error, code)) throw error
    // A sentence, with something to do in it.
    expect(error.message).toMatch(/^.{20,}[.?]$/s)
    return error
  }
  throw new Error(`Expected ${code}, but nothing was thrown`)
}

/** The bytes of a key as hexadecimal digits. */
export function hex(encoding: KeyEncoding<unknown> | ValueEncoding<unknown>, value: unknown): string {
  return Buffer.from(encoding.encode(value)).toString('hex')
}

/** Bytes from hexadecimal digits; spaces are for the reader. */
export function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
}
