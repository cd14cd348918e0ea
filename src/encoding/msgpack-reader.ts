import { copyBytes } from './bytes.ts'
import { NumberReader } from './number-reader.ts'
import { extension, largestDepth } from './msgpack-format.ts'
import { damaged, readBigint, readBuffer, readTimestamp } from './msgpack-extensions.ts'
import { NameCache } from './name-cache.ts'
import { readText } from './text.ts'

/**
 * Reads MessagePack (see msgpack-format.ts): everything standard, and our extensions. Every stored length is
 * compared with the bytes that are left, and nothing is allocated for a count in advance.
 */
export class MsgpackReader {
  readonly #numbers = new NumberReader()
  readonly #names = new NameCache()
  #source: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0
  #depth = 0
  readonly #copy: (source: Uint8Array, start: number, end: number) => Uint8Array

  /** `copy` makes the byte strings that are given; by default each has a buffer of its own. */
  constructor(copy: (source: Uint8Array, start: number, end: number) => Uint8Array = copyBytes) {
    this.#copy = copy
  }

  /** Reads the one value that fills the bytes from `start` to `end`. Throws `LIGHTNING_DECODE`. */
  read(source: Uint8Array, start: number, end: number): unknown {
    this.#source = source
    this.#at = start
    this.#end = end
    this.#depth = 0
    const value = this.#value()
    if (this.#at !== end) throw damaged('bytes follow the value')
    return value
  }

  #value(): unknown {
    const head = this.#uint8()
    if (head < 0x80) return head
    if (head < 0x90) return this.#members(head & 0x0f)
    if (head < 0xa0) return this.#array(head & 0x0f)
    if (head < 0xc0) return this.#string(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    return this.#tagged(head)
  }

  #tagged(head: number): unknown {
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#bytes(this.#uint8())
      case 0xc5:
        return this.#bytes(this.#uint16())
      case 0xc6:
        return this.#bytes(this.#uint32())
      case 0xc7:
        return this.#extension(this.#uint8())
      case 0xc8:
        return this.#extension(this.#uint16())
      case 0xc9:
        return this.#extension(this.#uint32())
      case 0xd9:
        return this.#string(this.#uint8())
      case 0xda:
        return this.#string(this.#uint16())
      case 0xdb:
        return this.#string(this.#uint32())
      case 0xdc:
        return this.#array(this.#uint16())
      case 0xdd:
        return this.#array(this.#uint32())
      case 0xde:
        return this.#members(this.#uint16())
      case 0xdf:
        return this.#members(this.#uint32())
      default:
        return head >= 0xd4 && head <= 0xd8 ? this.#extension(1 << (head - 0xd4)) : this.#number(head)
    }
  }

  #number(head: number): number | bigint {
    switch (head) {
      case 0xca:
        return this.#numbers.float32(this.#source, this.#take(4))
      case 0xcb:
        return this.#numbers.float64(this.#source, this.#take(8))
      case 0xcc:
        return this.#uint8()
      case 0xcd:
        return this.#uint16()
      case 0xce:
        return this.#uint32()
      case 0xcf:
        return numberIfSafe(this.#numbers.uint64(this.#source, this.#take(8)))
      case 0xd0:
        return (this.#uint8() << 24) >> 24
      case 0xd1:
        return (this.#uint16() << 16) >> 16
      case 0xd2:
        return this.#uint32() | 0
      case 0xd3:
        return numberIfSafe(this.#numbers.int64(this.#source, this.#take(8)))
      default:
        throw damaged(`nothing begins with 0x${head.toString(16)}`)
    }
  }

  #string(length: number): string {
    const start = this.#take(length)
    return readText(this.#source, start, start + length)
  }

  #bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#copy(this.#source, start, start + length)
  }

  #array(count: number): unknown[] {
    this.#enter(count)
    const values: unknown[] = []
    for (let i = 0; i < count; i++) values.push(this.#value())
    this.#depth--
    return values
  }

  #members(count: number): object {
    this.#enter(count * 2)
    const members: { [name: string]: unknown } = {}
    for (let i = 0; i < count; i++) {
      const name = this.#name()
      const value = this.#value()
      // An assignment would set the prototype.
      if (name === '__proto__') defineMember(members, name, value)
      else members[name] = value
    }
    this.#depth--
    return members
  }

  #name(): string {
    const head = this.#source[this.#at] ?? 0
    if (head >= 0xa0 && head < 0xc0) {
      this.#at++
      const length = head & 0x1f
      const start = this.#take(length)
      return this.#names.read(this.#source, start, start + length)
    }
    const name = this.#value()
    if (typeof name === 'string') return name
    // Other programs write numbers as names, too; in JavaScript these are member names as text.
    if (typeof name === 'number') return String(name)
    throw damaged('the name of a member is no string')
  }

  #extension(length: number): unknown {
    const type = (this.#uint8() << 24) >> 24
    const start = this.#take(length)
    const end = this.#at
    switch (type) {
      case extension.timestamp:
        return readTimestamp(this.#numbers, this.#source, start, end)
      case extension.undefined:
        if (length === 1) return undefined
        break
      case extension.bigint:
        return readBigint(this.#numbers, this.#source, start, end)
      case extension.invalidDate:
        if (length === 0) return new Date(Number.NaN)
        break
      case extension.map:
        return this.#within(start, end, () => this.#map())
      case extension.set:
        return this.#within(start, end, () => this.#set())
      case extension.buffer:
        return readBuffer(this.#source, start, end)
    }
    throw damaged(`no extension of type ${type} has ${length} bytes`)
  }

  /** Lets `read` see only the bytes of an extension, all of which it uses. */
  #within<T>(start: number, end: number, read: () => T): T {
    const outerEnd = this.#end
    this.#at = start
    this.#end = end
    this.#enter(0)
    const value = read()
    this.#depth--
    this.#end = outerEnd
    return value
  }

  #map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    while (this.#at < this.#end) {
      const key = this.#value()
      map.set(key, this.#value())
    }
    return map
  }

  #set(): Set<unknown> {
    const set = new Set<unknown>()
    while (this.#at < this.#end) set.add(this.#value())
    return set
  }

  /** Enters a collection whose contents take at least `bytes` bytes. */
  #enter(bytes: number): void {
    if (bytes > this.#end - this.#at) throw damaged('it ends too early')
    if (++this.#depth > largestDepth) throw damaged('it is nested too deep')
  }

  /** Advances by `count` bytes and returns where they begin. */
  #take(count: number): number {
    const start = this.#at
    if (count > this.#end - start) throw damaged('it ends too early')
    this.#at = start + count
    return start
  }

  #uint8(): number {
    return this.#source[this.#take(1)] ?? 0
  }

  #uint16(): number {
    const at = this.#take(2)
    return ((this.#source[at] ?? 0) << 8) | (this.#source[at + 1] ?? 0)
  }

  #uint32(): number {
    const at = this.#take(4)
    const source = this.#source
    const high = ((source[at] ?? 0) << 8) | (source[at + 1] ?? 0)
    return high * 0x10000 + (((source[at + 2] ?? 0) << 8) | (source[at + 3] ?? 0))
  }
}

function numberIfSafe(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function defineMember(members: object, name: string, value: unknown): void {
  Object.defineProperty(members, name, { value, configurable: true, enumerable: true, writable: true })
}
