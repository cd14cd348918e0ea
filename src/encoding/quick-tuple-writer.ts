import { writeUnits } from './text.ts'
import { arrayTag, endByte, escapeByte, falseTag, nullTag, numberTag, stringTag, trueTag } from './tuple-format.ts'

const mostElements = 4
// For longer strings a call into the platform is worth its price.
const longestText = 48
/** More than there ever is room for: what an element takes that is not written here. */
const tooMany = 0x1_0000

/**
 * Writes the tuple keys that most programs use straight to where they belong: arrays of up to four of null, booleans,
 * numbers and short strings. `TupleWriter` takes all keys, and twice as long.
 */
export class QuickTupleWriter {
  // A number and the two words that it consists of, the high one first or last as the machine has it.
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)
  readonly #high = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0

  /** Returns the number of bytes, or -1 when it is another key or could take more than `capacity`. */
  write(key: unknown, target: Uint8Array, at: number, capacity: number): number {
    if (!Array.isArray(key)) return -1
    const { length } = key
    // What a proxy gives as its length may be anything.
    if (!Number.isInteger(length) || length < 1 || length > mostElements) return -1
    // The key may be a proxy, whose code may use the target: all of that happens before anything is written.
    const first: unknown = key[0]
    const second: unknown = length > 1 ? key[1] : null
    const third: unknown = length > 2 ? key[2] : null
    const fourth: unknown = length > 3 ? key[3] : null
    const most = 1 + mostBytes(first) + mostBytes(second) + mostBytes(third) + mostBytes(fourth)
    if (most > capacity || at + most > target.length) return -1
    target[at] = arrayTag
    let end = this.#element(first, target, at + 1)
    if (length > 1 && end > 0) end = this.#element(second, target, end)
    if (length > 2 && end > 0) end = this.#element(third, target, end)
    if (length > 3 && end > 0) end = this.#element(fourth, target, end)
    return end > 0 ? end - at : -1
  }

  /** Writes one element and returns where it ends, or 0 when it has a character that is not written here. */
  #element(element: unknown, target: Uint8Array, at: number): number {
    if (typeof element === 'string') return writeString(element, target, at)
    if (typeof element === 'number') return this.#number(element, target, at)
    target[at] = element === null ? nullTag : element === true ? trueTag : falseTag
    return at + 1
  }

  /** As `GrowingBytes.orderedFloat` does it. */
  #number(number: number, target: Uint8Array, at: number): number {
    // Adding 0 makes 0 of -0, which is the same key.
    this.#float[0] = number + 0
    let high = this.#words[this.#high] ?? 0
    let low = this.#words[1 - this.#high] ?? 0
    if (high < 0x8000_0000) high += 0x8000_0000
    else {
      high = ~high
      low = ~low
    }
    target[at] = numberTag
    target[at + 1] = high >>> 24
    target[at + 2] = high >>> 16
    target[at + 3] = high >>> 8
    target[at + 4] = high
    target[at + 5] = low >>> 24
    target[at + 6] = low >>> 16
    target[at + 7] = low >>> 8
    target[at + 8] = low
    return at + 9
  }
}

/** The most bytes that the element can take. */
function mostBytes(element: unknown): number {
  if (typeof element === 'string') return element.length <= longestText ? element.length * 3 + 2 : tooMany
  if (typeof element === 'number') return Number.isNaN(element) ? tooMany : 9
  return element === null || typeof element === 'boolean' ? 1 : tooMany
}

function writeString(text: string, target: Uint8Array, at: number): number {
  const { length } = text
  const start = at + 1
  target[at] = stringTag
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit <= escapeByte) return 0
    if (unit > 0x7f) return writeRest(text, i, target, start + i)
    target[start + i] = unit
  }
  target[start + length] = endByte
  return start + length + 1
}

/** The same from the first character on that is not ASCII. */
function writeRest(text: string, from: number, target: Uint8Array, at: number): number {
  const end = writeUnits(text, from, target, at)
  for (let i = at; i < end; i++) if ((target[i] ?? 0) <= escapeByte) return 0
  target[end] = endByte
  return end + 1
}
