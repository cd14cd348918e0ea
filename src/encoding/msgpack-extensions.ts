// The extension types of MessagePack that are one piece of bytes (see msgpack-format.ts).

import { copyBytes } from './bytes.ts'
import { undecodable } from './failure.ts'
import type { NumberReader } from './number-reader.ts'
import { bufferKinds } from './msgpack-format.ts'

type BufferMaker = (new (buffer: ArrayBuffer) => object) & { readonly BYTES_PER_ELEMENT?: number }

const largestDateMs = 8.64e15

/** The Date of the standard's timestamp in 4, 8 or 12 bytes. Throws `LIGHTNING_DECODE`. */
export function readTimestamp(numbers: NumberReader, source: Uint8Array, start: number, end: number): Date {
  let seconds: number
  let nanoseconds = 0
  if (end - start === 4) seconds = numbers.uint32(source, start)
  else if (end - start === 8) {
    const high = numbers.uint32(source, start)
    seconds = (high % 4) * 2 ** 32 + numbers.uint32(source, start + 4)
    nanoseconds = Math.floor(high / 4)
  } else if (end - start === 12) {
    nanoseconds = numbers.uint32(source, start)
    seconds = Number(numbers.int64(source, start + 4))
  } else throw damaged('a timestamp has 4, 8 or 12 bytes')
  // A Date has no finer unit than the millisecond.
  const ms = seconds * 1_000 + Math.floor(nanoseconds / 1_000_000)
  if (nanoseconds > 999_999_999 || !(Math.abs(ms) <= largestDateMs)) throw damaged('a timestamp is out of range')
  return new Date(ms)
}

/** Throws `LIGHTNING_DECODE`. */
export function readBigint(numbers: NumberReader, source: Uint8Array, start: number, end: number): bigint {
  const length = end - start
  if (length === 8) return numbers.int64(source, start)
  if (length === 0 || length % 8 !== 0) throw damaged('a bigint has a multiple of 8 bytes')
  const digits: string[] = []
  for (let at = start; at < end; at++) digits.push((source[at] ?? 0).toString(16).padStart(2, '0'))
  try {
    return BigInt.asIntN(length * 8, BigInt(`0x${digits.join('')}`))
  } catch (cause) {
    throw damaged('a bigint is larger than this platform can hold', cause)
  }
}

/** An ArrayBuffer or one of its views. Throws `LIGHTNING_DECODE`. */
export function readBuffer(source: Uint8Array, start: number, end: number): object {
  const kind = start < end ? bufferKinds[source[start] ?? 0] : undefined
  if (kind === undefined) throw damaged('a typed array is of no known kind')
  const maker: unknown = Reflect.get(globalThis, kind)
  if (!isBufferMaker(maker)) throw damaged(`this platform has no ${kind}`)
  // An ArrayBuffer and a DataView have no elements.
  if ((end - start - 1) % (maker.BYTES_PER_ELEMENT ?? 1) !== 0) throw damaged(`a ${kind} is cut off`)
  const { buffer } = copyBytes(source, start + 1, end)
  return kind === 'ArrayBuffer' ? buffer : new maker(buffer)
}

function isBufferMaker(found: unknown): found is BufferMaker {
  return typeof found === 'function'
}

/** The error of bytes that are no MessagePack; `what` says why. */
export function damaged(what: string, cause?: unknown): Error {
  const message = `The stored bytes are no MessagePack: ${what}. Read them with the encoding they were written with.`
  return undecodable(message, { cause })
}
