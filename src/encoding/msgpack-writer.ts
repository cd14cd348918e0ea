import { isBytes } from './bytes.ts'
import { dateMs } from './date-ms.ts'
import { describe, invalidArgument } from './failure.ts'
import { bufferKinds, extension, largestDepth } from './msgpack-format.ts'
import { MsgpackOutput } from './msgpack-output.ts'

type Members = { readonly [name: string]: unknown }

// Cycles are looked for only below this depth: ordinary values are not nested so deep, and a cycle soon is.
const uncheckedDepth = 8

const kindNames: readonly string[] = bufferKinds

/** Writes values as MessagePack (see msgpack-format.ts) into `out`. */
export class MsgpackWriter {
  readonly out = new MsgpackOutput()
  // The collections that are being written, outermost first.
  readonly #within: object[] = []

  /** Writes one value, in place of the one before. Throws `LIGHTNING_INVALID_ARGUMENT`. */
  write(value: unknown): void {
    this.out.clear()
    this.append(value)
  }

  /** Writes one more value behind what is in `out`. Throws `LIGHTNING_INVALID_ARGUMENT`; `out` may then have a part. */
  append(value: unknown): void {
    this.#within.length = 0
    if (value === undefined) throw invalidArgument('undefined is no value of its own. Store null, or delete the key.')
    this.#value(value)
  }

  #value(value: unknown): void {
    const { out } = this
    switch (typeof value) {
      case 'string':
        out.string(value)
        return
      case 'number':
        out.number(value)
        return
      case 'boolean':
        out.byte(value ? 0xc3 : 0xc2)
        return
      case 'object':
        if (value === null) out.byte(0xc0)
        else this.#object(value)
        return
      case 'undefined':
        out.extensionHead(extension.undefined, 1)
        out.byte(0)
        return
      case 'bigint':
        out.bigint(value)
        return
      default:
        throw unstorable(value)
    }
  }

  #object(value: object): void {
    if (Array.isArray(value)) this.#array(value)
    else if (isPlain(value)) this.#members(value)
    else if (isBytes(value)) this.out.binary(value)
    else this.#special(value)
  }

  /** Goes by what an object is rather than by its constructor, so that objects of other realms are recognized. */
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
      this.out.date(ms)
    }
  }

  #array(values: readonly unknown[]): void {
    this.#enter(values)
    const { length } = values
    this.out.arrayHead(length)
    for (let i = 0; i < length; i++) this.#value(values[i])
    this.#within.pop()
  }

  #members(value: Members): void {
    this.#enter(value)
    const names = Object.keys(value)
    this.out.membersHead(names.length)
    for (const name of names) {
      this.out.string(name)
      this.#value(value[name])
    }
    this.#within.pop()
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    this.#enter(map)
    const start = this.out.openExtension(extension.map)
    for (const [key, value] of Map.prototype.entries.call(map)) {
      this.#value(key)
      this.#value(value)
    }
    this.out.closeExtension(start)
    this.#within.pop()
  }

  #set(set: ReadonlySet<unknown>): void {
    this.#enter(set)
    const start = this.out.openExtension(extension.set)
    for (const member of Set.prototype.values.call(set)) this.#value(member)
    this.out.closeExtension(start)
    this.#within.pop()
  }

  #buffer(kind: string, buffer: ArrayBufferLike, offset: number, length: number): void {
    const code = kindNames.indexOf(kind)
    if (code < 0) throw unstorable(buffer)
    this.out.extensionHead(extension.buffer, length + 1)
    this.out.byte(code)
    this.out.copy(new Uint8Array(buffer, offset, length))
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

/** Whether a built-in getter accepts the object. `Symbol.toStringTag` alone is no proof: any object can have it. */
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
