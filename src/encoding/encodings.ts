import { isObject } from './arguments.ts'
import { bufferEncoding, viewEncoding } from './bytes-encoding.ts'
import { CodecEncoding } from './codec-encoding.ts'
import {
  type KeyEncoding,
  keyEncodingNames,
  type TupleKey,
  type ValueEncoding,
  valueEncodingNames
} from './encoding.ts'
import { describe, invalidArgument } from './failure.ts'
import { JsonEncoding } from './json-encoding.ts'
import { MsgpackEncoding } from './msgpack-encoding.ts'
import { nodeBuffer } from './node-buffer.ts'
import { TupleEncoding } from './tuple-encoding.ts'
import { Utf8Encoding } from './utf8-encoding.ts'

/**
 * The key encoding that an option names, or that a codec makes. `where` is the option's name for messages.
 * Every call makes a new one, with buffers of its own; see `EncodingTable`. Throws `LIGHTNING_INVALID_ARGUMENT`.
 */
export function keyEncodingOf(option: 'utf8', where: string): KeyEncoding<string>
export function keyEncodingOf(option: 'view', where: string): KeyEncoding<Uint8Array>
export function keyEncodingOf(option: 'tuple', where: string): KeyEncoding<TupleKey>
export function keyEncodingOf(option: unknown, where: string): KeyEncoding<unknown>
export function keyEncodingOf(option: unknown, where: string): KeyEncoding<unknown> {
  if (option === 'tuple') return new TupleEncoding()
  return commonEncodingOf(option, where) ?? refuse(option, where, keyEncodingNames)
}

/** The value encoding that an option names, or that a codec makes; as `keyEncodingOf`. */
export function valueEncodingOf(option: 'utf8', where: string): ValueEncoding<string>
export function valueEncodingOf(option: 'view', where: string): ValueEncoding<Uint8Array>
export function valueEncodingOf(option: unknown, where: string): ValueEncoding<unknown>
export function valueEncodingOf(option: unknown, where: string): ValueEncoding<unknown> {
  if (option === 'msgpack') return new MsgpackEncoding()
  if (option === 'json') return new JsonEncoding()
  return commonEncodingOf(option, where) ?? refuse(option, where, valueEncodingNames)
}

/** The encodings in use, so that an option given with every call costs a look-up and shares its buffers. */
export class EncodingTable {
  readonly #keys = new Map<unknown, KeyEncoding<unknown>>()
  readonly #values = new Map<unknown, ValueEncoding<unknown>>()
  // Weak, since codecs may be made for one call.
  readonly #codecs = new WeakMap<object, KeyEncoding<unknown>>()

  /** Throws `LIGHTNING_INVALID_ARGUMENT`. */
  key(option: unknown, where: string): KeyEncoding<unknown> {
    if (isObject(option)) return this.#codec(option, where)
    return remembered(this.#keys, option, () => keyEncodingOf(option, where))
  }

  /** Throws `LIGHTNING_INVALID_ARGUMENT`. */
  value(option: unknown, where: string): ValueEncoding<unknown> {
    if (isObject(option)) return this.#codec(option, where)
    return remembered(this.#values, option, () => valueEncodingOf(option, where))
  }

  #codec(option: object, where: string): KeyEncoding<unknown> {
    return remembered(this.#codecs, option, () => new CodecEncoding(option, where))
  }
}

/** What the map has for the option, or else what `make` gives, which it keeps. */
function remembered<O, E>(
  map: { get(option: O): E | undefined; set(option: O, made: E): unknown },
  option: O,
  make: () => E
): E {
  let encoding = map.get(option)
  if (encoding === undefined) {
    encoding = make()
    map.set(option, encoding)
  }
  return encoding
}

function commonEncodingOf(option: unknown, where: string): KeyEncoding<unknown> | undefined {
  if (option === 'utf8') return new Utf8Encoding()
  if (option === 'view') return viewEncoding()
  if (option === 'buffer') {
    if (nodeBuffer !== undefined) return bufferEncoding(nodeBuffer)
    throw invalidArgument(`${where}: 'buffer' needs Node's Buffer, which is missing here. Use 'view'.`)
  }
  if (isObject(option)) return new CodecEncoding(option, where)
  return undefined
}

function refuse(option: unknown, where: string, names: readonly string[]): never {
  const legal = names.map(name => `'${name}'`).join(', ')
  throw invalidArgument(
    `${where}: ${describe(option)} is no encoding. Use one of ${legal}, or a codec with encode and decode.`
  )
}
