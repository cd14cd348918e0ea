import { copyBytes, isBytes, writeBytes } from './bytes.ts'
import type { KeyEncoding } from './encoding.ts'
import { describe, invalidArgument, undecodable } from './failure.ts'
import { type BufferConstructor, nodeBuffer } from './node-buffer.ts'
import { encodeText, readText, writeText } from './text.ts'

type Callback = (argument: unknown) => unknown

/** A codec whose shape has been checked; the callbacks keep their `this`. */
interface CheckedCodec {
  readonly name: string
  readonly format: 'view' | 'buffer' | 'utf8'
  readonly encode: Callback
  readonly decode: Callback
}

/** An encoding made from a caller's codec: see `Codec`. What the codec throws becomes the cause of an error. */
export class CodecEncoding implements KeyEncoding<unknown> {
  readonly name: string
  readonly callsBack = true
  readonly aliasesOwned = false
  readonly #codec: CheckedCodec
  readonly #Buffer: BufferConstructor | undefined

  /** `where` names the option for messages. Throws `LIGHTNING_INVALID_ARGUMENT` when `option` is no codec. */
  constructor(option: object, where: string) {
    this.#codec = checkCodec(option, where)
    this.name = this.#codec.name
    this.#Buffer = this.#codec.format === 'buffer' ? nodeBuffer : undefined
  }

  write(value: unknown, target: Uint8Array, at: number, capacity: number): number {
    const encoded = this.#encoded(value)
    if (typeof encoded !== 'string') return writeBytes(encoded, encoded.length, target, at, capacity)
    return at + capacity > target.length ? -1 : writeText(encoded, target, at, capacity)
  }

  encode(value: unknown): Uint8Array {
    const encoded = this.#encoded(value)
    // A copy: the codec may use its buffer again.
    return typeof encoded === 'string' ? encodeText(encoded) : copyBytes(encoded, 0, encoded.length)
  }

  read(source: Uint8Array, start: number, end: number): unknown {
    const encoded = this.#codec.format === 'utf8' ? readText(source, start, end) : this.#ownBytes(source, start, end)
    try {
      return this.#codec.decode(encoded)
    } catch (cause) {
      throw undecodable(`The codec '${this.name}' could not decode the stored bytes; the cause says why.`, { cause })
    }
  }

  readOwned(source: Uint8Array, start: number, end: number): unknown {
    return this.read(source, start, end)
  }

  encodePrefix(prefix: unknown): Uint8Array {
    return this.encode(prefix)
  }

  #encoded(value: unknown): Uint8Array | string {
    if (value === undefined)
      throw invalidArgument(`The codec '${this.name}' got undefined. Pass a value, or delete the key.`)
    let encoded: unknown
    try {
      encoded = this.#codec.encode(value)
    } catch (cause) {
      throw invalidArgument(`The codec '${this.name}' could not encode ${describe(value)}; the cause says why.`, {
        cause
      })
    }
    const { format } = this.#codec
    if (format === 'utf8') {
      if (typeof encoded === 'string') return encoded
      throw invalidArgument(
        `The codec '${this.name}' has format 'utf8', so encode must return a string, not ${describe(encoded)}.`
      )
    }
    if (isBytes(encoded)) return encoded
    throw invalidArgument(
      `The codec '${this.name}' has format '${format}', so encode must return a Uint8Array, not ${describe(encoded)}. ` +
        "A codec that makes strings says format: 'utf8'."
    )
  }

  #ownBytes(source: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#Buffer === undefined) return copyBytes(source, start, end)
    const bytes = this.#Buffer.allocUnsafe(end - start)
    bytes.set(source.subarray(start, end))
    return bytes
  }
}

function checkCodec(option: object, where: string): CheckedCodec {
  const name: unknown = Reflect.get(option, 'name')
  const format: unknown = Reflect.get(option, 'format')
  const encode: unknown = Reflect.get(option, 'encode')
  const decode: unknown = Reflect.get(option, 'decode')
  if (!isCallback(encode) || !isCallback(decode)) {
    throw invalidArgument(`${where}: a codec has the functions encode and decode. Add the missing one.`)
  }
  if (name !== undefined && typeof name !== 'string') {
    throw invalidArgument(`${where}: the name of a codec is a string, got ${describe(name)}.`)
  }
  if (format !== undefined && format !== 'view' && format !== 'buffer' && format !== 'utf8') {
    throw invalidArgument(`${where}: the format of a codec is 'view', 'buffer' or 'utf8', got ${describe(format)}.`)
  }
  if (format === 'buffer' && nodeBuffer === undefined) {
    throw invalidArgument(`${where}: format 'buffer' needs Node's Buffer, which is missing here. Use format 'view'.`)
  }
  return {
    name: name ?? 'codec',
    format: format ?? 'view',
    encode: value => encode.call(option, value),
    decode: encoded => decode.call(option, encoded)
  }
}

function isCallback(found: unknown): found is (this: unknown, argument: unknown) => unknown {
  return typeof found === 'function'
}
