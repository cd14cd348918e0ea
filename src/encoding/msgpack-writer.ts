import { isBytes } from './bytes.ts'
import { dateMs } from './date-ms.ts'
import { describe, invalidArgument } from './failure.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { bufferKinds, extension, largestDepth } from './msgpack-format.ts'

// Cycles are looked for below this depth only: few values are nested so far, and a cycle soon is.
const uncheckedDepth = 8

const kindNames: readonly string[] = bufferKinds

type Members = { readonly [name: string]: unknown }

/** Writes values as MessagePack (see msgpack-format.ts) into `out`. */
export class MsgpackWriter {
  readonly out = new GrowingBytes()
  // The collections that are being written, outermost first.
  readonly #within: object[] = []

  /** Writes one value, in place of the one before. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  write(value: unknown): void {
    this.out.clear()
    this.#within.length = 0
    if (value === undefined) throw invalidArgument('undefined is no value of its own. Store null, or delete the key.')
    this.#value(value)
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#string(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'boolean':
        this.out.byte(value ? 0xc3 : 0xc2)
        return
      case 'object':
        if (value === null) this.out.byte(0xc0)
        else this.#object(value)
        return
      case 'undefined':
        this.#extensionHead(extension.undefined, 1)
        this.out.byte(0)
        return
      case 'bigint':
        this.#bigint(value)
        return
      default:
        throw unstorable(value)
    }
  }

  #object(value: object): void {
    if (Array.isArray(value)) this.#array(value)
    else if (isPlain(value)) this.#members(value)
    else if (isBytes(value)) this.#bytes(value)
    else this.#special(value)
  }

  /** Goes by what an object is rather than by its constructor, so that those of other realms do as well. */
  #special(value: object): void {
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    if (hasMembers(value, kind)) this.#members(value)
    else if (isMap(value, kind)) this.#map(value)
    else if (isSet(value, kind)) this.#set(value)
    else if (ArrayBuffer.isView(value)) this.#buffer(kind, value.buffer, value.byteOffset, value.byteLength)
    else if (isArrayBuffer(value, kind)) this.#buffer(kind, value, 0, value.byteLength)
    else {
      const ms = dateMs(value)
      if (ms === undefined) throw unstorable(value)
      this.#date(ms)
    }
  }

  #number(value: number): void {
    const { out } = this
    if ((value | 0) === value && !(value === 0 && 1 / value < 0)) {
      if (value >= 0) this.#unsigned(value)
      else this.#negative(value)
    } else if (value > 0x7fffffff && value <= 0xffffffff && Number.isInteger(value)) this.#unsigned(value)
    else if (Math.fround(value) === value) {
      out.byte(0xca)
      out.float32(value)
    } else {
      out.byte(0xcb)
      out.float64(value)
    }
  }

  #unsigned(value: number): void {
    const { out } = this
    if (value < 0x80) out.byte(value)
    else if (value < 0x100) {
      out.byte(0xcc)
      out.byte(value)
    } else if (value < 0x10000) {
      out.byte(0xcd)
      out.uint16(value)
    } else {
      out.byte(0xce)
      out.uint32(value)
    }
  }

  #negative(value: number): void {
    const { out } = this
    if (value >= -0x20) out.byte(value & 0xff)
    else if (value >= -0x80) {
      out.byte(0xd0)
      out.byte(value & 0xff)
    } else if (value >= -0x8000) {
      out.byte(0xd1)
      out.uint16(value & 0xffff)
    } else {
      out.byte(0xd2)
      out.uint32(value)
    }
  }

  #string(text: string): void {
    const { out } = this
    const start = out.length
    const expected = headBytes(text.length)
    out.reserve(expected)
    out.length += expected
    const length = out.text(text)
    // Only text that is not ASCII can need a longer head than its number of characters let expect.
    const head = headBytes(length)
    if (head !== expected) out.insert(start + expected, head - expected)
    const { bytes } = out
    if (head === 1) bytes[start] = 0xa0 | length
    else if (head === 2) {
      bytes[start] = 0xd9
      bytes[start + 1] = length
    } else if (head === 3) {
      bytes[start] = 0xda
      bytes[start + 1] = length >>> 8
      bytes[start + 2] = length
    } else {
      bytes[start] = 0xdb
      out.setUint32(start + 1, length)
    }
  }

  #bigint(value: bigint): void {
    const { out } = this
    if (BigInt.asIntN(64, value) === value) {
      this.#extensionHead(extension.bigint, 8)
      out.int64(value)
      return
    }
    // Hexadecimal digits are the only conversion whose time grows in proportion.
    const magnitude = value < 0n ? -value : value
    const words = Math.floor(magnitude.toString(16).length / 16) + 1
    const digits = BigInt.asUintN(words * 64, value)
      .toString(16)
      .padStart(words * 16, '0')
    this.#extensionHead(extension.bigint, words * 8)
    for (let i = 0; i < digits.length; i += 8) out.uint32(Number.parseInt(digits.slice(i, i + 8), 16))
  }

  #date(ms: number): void {
    const { out } = this
    if (Number.isNaN(ms)) {
      this.#extensionHead(extension.invalidDate, 0)
      return
    }
    const seconds = Math.floor(ms / 1_000)
    const nanoseconds = (ms - seconds * 1_000) * 1_000_000
    if (seconds >= 0 && seconds <= 0xffffffff && nanoseconds === 0) {
      this.#extensionHead(extension.timestamp, 4)
      out.uint32(seconds)
    } else if (seconds >= 0 && seconds < 2 ** 34) {
      this.#extensionHead(extension.timestamp, 8)
      out.uint32(nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
      out.uint32(seconds % 2 ** 32)
    } else {
      this.#extensionHead(extension.timestamp, 12)
      out.uint32(nanoseconds)
      out.int64(BigInt(seconds))
    }
  }

  #array(values: readonly unknown[]): void {
    this.#enter(values)
    const { length } = values
    this.#head(length, 0x90, 0xdc)
    for (let i = 0; i < length; i++) this.#value(values[i])
    this.#within.pop()
  }

  #members(value: Members): void {
    this.#enter(value)
    const names = Object.keys(value)
    this.#head(names.length, 0x80, 0xde)
    for (const name of names) {
      this.#string(name)
      this.#value(value[name])
    }
    this.#within.pop()
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    this.#enter(map)
    const start = this.#openExtension(extension.map)
    for (const [key, value] of Map.prototype.entries.call(map)) {
      this.#value(key)
      this.#value(value)
    }
    this.#closeExtension(start)
    this.#within.pop()
  }

  #set(set: ReadonlySet<unknown>): void {
    this.#enter(set)
    const start = this.#openExtension(extension.set)
    for (const member of Set.prototype.values.call(set)) this.#value(member)
    this.#closeExtension(start)
    this.#within.pop()
  }

  #bytes(bytes: Uint8Array): void {
    const { out } = this
    const { length } = bytes
    if (length < 0x100) {
      out.byte(0xc4)
      out.byte(length)
    } else if (length < 0x10000) {
      out.byte(0xc5)
      out.uint16(length)
    } else {
      out.byte(0xc6)
      out.uint32(length)
    }
    out.copy(bytes)
  }

  #buffer(kind: string, buffer: ArrayBufferLike, offset: number, length: number): void {
    const code = kindNames.indexOf(kind)
    if (code < 0) throw unstorable(buffer)
    this.#extensionHead(extension.buffer, length + 1)
    this.out.byte(code)
    this.out.copy(new Uint8Array(buffer, offset, length))
  }

  /** The head of an array or a map: `fixed` for up to 15, else `wide` for 16 bits and the next for 32. */
  #head(count: number, fixed: number, wide: number): void {
    const { out } = this
    if (count < 16) out.byte(fixed | count)
    else if (count < 0x10000) {
      out.byte(wide)
      out.uint16(count)
    } else {
      out.byte(wide + 1)
      out.uint32(count)
    }
  }

  #extensionHead(type: number, length: number): void {
    const { out } = this
    if (length === 1 || length === 2 || length === 4 || length === 8 || length === 16) {
      out.byte(0xd4 + (31 - Math.clz32(length)))
    } else if (length < 0x100) {
      out.byte(0xc7)
      out.byte(length)
    } else if (length < 0x10000) {
      out.byte(0xc8)
      out.uint16(length)
    } else {
      out.byte(0xc9)
      out.uint32(length)
    }
    out.byte(type & 0xff)
  }

  /** Begins an extension whose length is not known yet; returns what `#closeExtension` wants. */
  #openExtension(type: number): number {
    const { out } = this
    out.byte(0xc9)
    out.uint32(0)
    out.byte(type)
    return out.length
  }

  #closeExtension(start: number): void {
    this.out.setUint32(start - 5, this.out.length - start)
  }

  #enter(collection: object): void {
    const within = this.#within
    if (within.length >= uncheckedDepth) {
      if (within.includes(collection)) throw invalidArgument('The value contains itself. Remove the cycle.')
      if (within.length >= largestDepth) {
        throw invalidArgument(`The value is nested more than ${largestDepth} deep. Flatten it, or store it in parts.`)
      }
    }
    within.push(collection)
  }
}

/** Bytes before a string of `length` bytes. */
function headBytes(length: number): number {
  if (length < 0x20) return 1
  if (length < 0x100) return 2
  return length < 0x10000 ? 3 : 5
}

function isPlain(value: object): value is Members {
  return Object.getPrototypeOf(value) === Object.prototype
}

/** Objects without a prototype, of another realm, and of classes: like IndexedDB, only what they own is stored. */
function hasMembers(value: object, kind: string): value is Members {
  return kind === 'Object'
}

function isMap(value: object, kind: string): value is ReadonlyMap<unknown, unknown> {
  return kind === 'Map' && answers(() => Reflect.get(Map.prototype, 'size', value))
}

function isSet(value: object, kind: string): value is ReadonlySet<unknown> {
  return kind === 'Set' && answers(() => Reflect.get(Set.prototype, 'size', value))
}

function isArrayBuffer(value: object, kind: string): value is ArrayBuffer {
  return kind === 'ArrayBuffer' && answers(() => Reflect.get(ArrayBuffer.prototype, 'byteLength', value))
}

/** Whether a getter takes the object for one of its own: a tag alone can be claimed by anything. */
function answers(question: () => unknown): boolean {
  try {
    question()
    return true
  } catch {
    return false
  }
}

function unstorable(value: unknown): Error {
  return invalidArgument(
    `The encoding 'msgpack' cannot store ${describe(value)}. Convert it, or use a codec that knows it.`
  )
}
