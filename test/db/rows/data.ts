// Keyspaces of all encodings whose keys and values follow from numbers, so that a row can be checked at any time.
import { isDeepStrictEqual } from 'node:util'
import type { Codec, KeyEncodingChoice, TupleKey, ValueEncodingChoice } from '../../../src/index.ts'

/** Numbers of keys, in the order of the keys. */
export const keyCount = 900

const encoder = new TextEncoder()

/** A codec for text that calls `meddle` whenever it decodes. */
export function textCodec(meddle: () => void): Codec<string> {
  return {
    format: 'utf8',
    encode: text => text,
    decode: text => {
      meddle()
      return text
    }
  }
}

/** A codec for bytes, likewise. */
export function bytesCodec(meddle: () => void): Codec<Uint8Array> {
  return {
    format: 'view',
    encode: bytes => bytes,
    decode: bytes => {
      meddle()
      return bytes
    }
  }
}

/** What the rows of a keyspace are, and how they can be read. */
export interface Kind {
  readonly name: string
  readonly keyEncoding: KeyEncodingChoice
  readonly valueEncoding: ValueEncodingChoice
  /** Whether values are bytes of text, and keys too: they can be read by several encodings. */
  readonly isPlain: boolean
  /** Whether some values are no text after all. */
  readonly hasOthers: boolean
}

export const kinds: readonly Kind[] = [
  { name: 'text', keyEncoding: 'utf8', valueEncoding: 'utf8', isPlain: true, hasOthers: false },
  { name: 'bytes', keyEncoding: 'view', valueEncoding: 'view', isPlain: true, hasOthers: true },
  { name: 'buffers', keyEncoding: 'buffer', valueEncoding: 'buffer', isPlain: true, hasOthers: true },
  { name: 'json', keyEncoding: 'utf8', valueEncoding: 'json', isPlain: false, hasOthers: false },
  { name: 'msgpack', keyEncoding: 'tuple', valueEncoding: 'msgpack', isPlain: false, hasOthers: false }
]

function mixed(a: number, b: number): number {
  let mix = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35)
  mix = Math.imul(mix ^ (mix >>> 15), 0x2c1b3c6d)
  return (mix ^ (mix >>> 13)) >>> 0
}

/** Text that is like no other's. */
function textOf(id: number, version: number, length: number): string {
  const piece = `${id}:${version}${version % 3 === 0 ? 'é' : ''}|`
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
}

function lengthOf(id: number, version: number): number {
  const mix = mixed(id, version)
  // Rows beside each other are often of one size, so that batches are of all kinds.
  const size = mix % 5 === 0 ? mix >>> 8 : mixed(id >> 7, version >> 4)
  const within = mix >>> 12
  if (mix % 211 === 0) return 20_000 + (within % 60_000)
  switch (size % 6) {
    case 0:
      return within % 12
    case 1:
    case 2:
      return within % 60
    case 3:
      return 100 + (within % 200)
    case 4:
      return 200 + (within % 1_200)
    default:
      return within % 9_000
  }
}

/** The key as text. */
export function keyText(id: number): string {
  const mix = mixed(id, 77)
  const length = mix % 7 === 0 ? 200 + (mix % 150) : (mix >>> 8) % 40
  return `${1_000 + id}${textOf(id, mix % 6, length)}`
}

/** The value as bytes, of a plain keyspace. */
function plainValue(kind: Kind, id: number, version: number): Uint8Array {
  const bytes = encoder.encode(textOf(id, version, lengthOf(id, version)))
  if (kind.hasOthers && bytes.length > 0 && version % 31 === 0) bytes[bytes.length >> 1] = 0xff
  return bytes
}

/** The key as the keyspace takes it, or a call that names another encoding. */
export function keyFor(kind: Kind, id: number, encoding: KeyEncodingChoice = kind.keyEncoding): TupleKey {
  if (encoding === 'tuple') return [id, keyText(id), encoder.encode(keyText(id))]
  return isTextual(encoding) ? keyText(id) : encoder.encode(keyText(id))
}

/** Whether an encoding of plain keyspaces gives text. */
export function isTextual(encoding: KeyEncodingChoice | ValueEncodingChoice): boolean {
  return encoding === 'utf8' || (typeof encoding === 'object' && encoding.format === 'utf8')
}

export function valueFor(kind: Kind, id: number, version: number): unknown {
  if (kind.isPlain) {
    const bytes = plainValue(kind, id, version)
    return kind.valueEncoding === 'utf8' ? new TextDecoder().decode(bytes) : bytes
  }
  const text = textOf(id, version, lengthOf(id, version))
  const structure = { id, version, text, halves: [text.slice(0, text.length >> 1), null] }
  if (kind.valueEncoding === 'json') return structure
  return { ...structure, bytes: encoder.encode(text), map: new Map([[id, encoder.encode(text.slice(0, 9)).buffer]]) }
}

/** Whether `found` is what an encoding makes of the key. */
export function isKey(kind: Kind, id: number, found: unknown): boolean {
  if (kind.keyEncoding === 'tuple') return isDeepStrictEqual(found, keyFor(kind, id))
  return isText(found, encoder.encode(keyText(id)))
}

/** Whether `found` is what an encoding makes of the value. */
export function isValue(kind: Kind, id: number, version: number, found: unknown): boolean {
  if (kind.isPlain) return isText(found, plainValue(kind, id, version))
  return isDeepStrictEqual(found, valueFor(kind, id, version))
}

/** Whether the value can be read as text. */
export function isReadable(kind: Kind, id: number, version: number): boolean {
  return !kind.hasOthers || version % 31 !== 0 || lengthOf(id, version) === 0
}

/** The key as bytes, of a plain keyspace. */
export function isKeyBytes(id: number, found: unknown): boolean {
  return isText(found, encoder.encode(keyText(id)))
}

function isText(found: unknown, bytes: Uint8Array): boolean {
  if (typeof found === 'string') return found === new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return found instanceof Uint8Array && Buffer.compare(found, bytes) === 0
}
