import { isBytes } from './bytes.ts'
import { dateMs } from './date-ms.ts'
import { describe, invalidArgument } from './failure.ts'
import { GrowingBytes } from './growing-bytes.ts'
import {
  arrayTag,
  bytesTag,
  dateTag,
  endByte,
  escapeByte,
  falseTag,
  largestTupleDepth,
  nullTag,
  numberTag,
  stringTag,
  trueTag
} from './tuple-format.ts'

/** Writes tuple keys (see tuple-format.ts) into `out`. */
export class TupleWriter {
  readonly out = new GrowingBytes()
  // The arrays that are being written, outermost first: as many as `#depth`. A number of its own, since changing the
  // length of an array takes longer than writing a key.
  readonly #within: unknown[] = []
  #depth = 0

  /** Writes one key, in place of the one before. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  write(key: unknown): void {
    const { out } = this
    out.clear()
    this.#depth = 0
    if (!Array.isArray(key)) {
      this.#element(key)
      return
    }
    out.byte(arrayTag)
    this.#elements(key)
  }

  #elements(elements: readonly unknown[]): void {
    const depth = this.#depth++
    this.#within[depth] = elements
    for (let i = 0; i < elements.length; i++) this.#element(elements[i])
    this.#within[depth] = undefined
    this.#depth = depth
  }

  #element(element: unknown): void {
    const { out } = this
    switch (typeof element) {
      case 'string':
        this.#string(element)
        return
      case 'number':
        if (Number.isNaN(element)) throw invalidArgument('NaN has no place in the order of keys. Use null instead.')
        out.byte(numberTag)
        // 0 and -0 are one key, as they are one number to === and to Map.
        out.orderedFloat(element === 0 ? 0 : element)
        return
      case 'boolean':
        out.byte(element ? trueTag : falseTag)
        return
      default:
        if (element === null) out.byte(nullTag)
        else if (Array.isArray(element)) this.#array(element)
        else if (isBytes(element)) this.#bytes(element)
        else this.#date(element)
    }
  }

  #array(elements: readonly unknown[]): void {
    if (this.#within.lastIndexOf(elements, this.#depth - 1) >= 0)
      throw invalidArgument('The key contains itself. Remove the cycle.')
    if (this.#depth >= largestTupleDepth) {
      throw invalidArgument(`The arrays of the key are nested more than ${largestTupleDepth} deep. Flatten it.`)
    }
    this.out.byte(arrayTag)
    this.#elements(elements)
    this.out.byte(endByte)
  }

  #date(element: unknown): void {
    const ms = dateMs(element)
    if (ms === undefined) throw notAnElement(element)
    if (Number.isNaN(ms)) throw invalidArgument('An invalid Date has no place in the order of keys. Use null instead.')
    this.out.byte(dateTag)
    this.out.orderedFloat(ms)
  }

  #string(text: string): void {
    const { out } = this
    out.byte(stringTag)
    const start = out.length
    const written = out.text(text)
    // Strings with the two characters that need an escape are rare; they are written again.
    if (hasEscapes(out.bytes, start, start + written)) {
      const plain = out.bytes.slice(start, start + written)
      out.length = start
      this.#escaped(plain)
    }
    out.byte(endByte)
  }

  #bytes(bytes: Uint8Array): void {
    this.out.byte(bytesTag)
    this.#escaped(bytes)
    this.out.byte(endByte)
  }

  #escaped(bytes: Uint8Array): void {
    const { out } = this
    out.reserve(bytes.length * 2)
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0
      if (byte > escapeByte) out.byte(byte)
      else {
        out.byte(escapeByte)
        out.byte(byte + 1)
      }
    }
  }
}

function hasEscapes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) <= escapeByte) return true
  return false
}

function notAnElement(element: unknown): Error {
  return invalidArgument(
    `A tuple key holds null, booleans, numbers, dates, strings, Uint8Arrays and arrays of them, not ${describe(element)}. Convert it.`
  )
}
