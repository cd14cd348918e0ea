// The data of the benchmarks: keys and values of different shapes, the same for every engine.
//
// Values come from a pool of 65,536 different ones, so that 10 million entries need no 10 million values in this
// process. Half of each value is noise and half is text that all share: it compresses about 2 : 1 in a page.
import { generator, mixed } from './random.ts'

/** A key as the workloads know it; drivers turn it into what their engine takes fastest, outside all timing. */
export type Key = string | number | readonly [string, number, string]

/** What a key is to all drivers: text, a whole number from 0 to 2^53 - 1, or a tuple of text, number, text. */
export type KeyKind = 'text' | 'integer' | 'tuple'

export const shapes = ['users', 'uuids', 'urls', 'integers', 'tuples', 'documents', 'unicode'] as const
export type Shape = (typeof shapes)[number]

/** What each shape stands for, for people. */
export const shapeTitles: Readonly<Record<Shape, string>> = {
  users: 'user:0000012345, 100-byte values',
  uuids: 'UUIDs, 100-byte values',
  urls: 'URLs sharing 40 bytes, 100-byte values',
  integers: '8-byte integers, 100-byte values',
  tuples: 'tuples (text, number, text), 100-byte values',
  documents: 'user:0000012345, 1 KiB JSON documents',
  unicode: 'non-ASCII text, 100-byte non-ASCII text values'
}

/** `count` entries; keys of shape `users` and `documents` ascend, the others do not. */
export interface DataSet {
  readonly shape: Shape
  readonly kind: KeyKind
  readonly count: number
  readonly valueBytes: number
  key(index: number): Key
  /** A key that is not there, between those that are. */
  missingKey(index: number): Key
  value(index: number): Uint8Array
}

const poolSize = 1 << 16
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function dataSet(shape: Shape, count: number): DataSet {
  const { kind, key, missing } = keyShapes[shape]
  const values = valuePool(shape)
  const [first] = values
  return {
    shape,
    kind,
    count,
    valueBytes: first?.length ?? 0,
    key,
    missingKey: missing,
    value: index => values[mixed(index) & (poolSize - 1)] ?? new Uint8Array()
  }
}

interface KeyShape {
  readonly kind: KeyKind
  key(index: number): Key
  missing(index: number): Key
}

const keyShapes: Readonly<Record<Shape, KeyShape>> = {
  users: textShape(user),
  documents: textShape(user),
  uuids: textShape(uuid),
  urls: textShape(i => `https://www.example.com/articles/archive/${mixed(i).toString(36)}-${i}`),
  unicode: textShape(i => `città/größe/${syllables(mixed(i))}/${i}`),
  integers: { kind: 'integer', key: i => integer(i) * 2, missing: i => integer(i) * 2 + 1 },
  tuples: {
    kind: 'tuple',
    key: i => ['tenant', mixed(i) % 1000, `item-${i}`],
    missing: i => ['tenant', mixed(i) % 1000, `item-${i}~`]
  }
}

function textShape(text: (index: number) => string): KeyShape {
  return { kind: 'text', key: i => flat(text(i)), missing: i => flat(`${text(i)}~`) }
}

function user(index: number): string {
  return `user:${String(index).padStart(10, '0')}`
}

function uuid(index: number): string {
  const [a, b, c, d] = [1, 2, 3, 4].map(part => hex(mixed(Math.imul(index, 4) + part)))
  return `${a}-${b?.slice(0, 4)}-4${b?.slice(5)}-a${c?.slice(1, 4)}-${c?.slice(4)}${d}`
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

/** Scattered over 2^52, different for different indexes below 2^32 (`mixed` is a permutation). */
function integer(index: number): number {
  return mixed(index) * 0x10_0000 + (index & 0xfffff)
}

function syllables(value: number): string {
  const parts = ['ä', 'ß', 'é', '木', '水', 'ж', 'я', 'ñ']
  return [0, 3, 6, 9, 12, 15].map(shift => parts[(value >>> shift) & 7]).join('')
}

/** The same text in one piece: concatenations are kept as trees, and the first engine to read one would pay for that. */
function flat(text: string): string {
  return decoder.decode(encoder.encode(text))
}

function valuePool(shape: Shape): Uint8Array[] {
  const random = generator(17)
  const make = shape === 'documents' ? document : shape === 'unicode' ? prose : halfNoise
  return Array.from({ length: poolSize }, (_, i) => make(random, i))
}

const shared = encoder.encode('{"name":"Lightning","state":"active","tags":["a","b"]}')

/** 50 bytes that do not compress behind 50 that do. */
function halfNoise(random: () => number): Uint8Array {
  const value = new Uint8Array(100)
  value.set(shared.subarray(0, 50))
  for (let i = 50; i < 100; i++) value[i] = random()
  return value
}

function document(random: () => number, index: number): Uint8Array {
  const items = Array.from({ length: 12 }, () => ({
    sku: hex(random()),
    price: (random() % 10_000) / 100,
    quantity: 1
  }))
  const text = JSON.stringify({ id: index, customer: uuid(random()), status: 'shipped', items, note: '' })
  const value = new Uint8Array(1024).fill(0x20)
  value.set(encoder.encode(text).subarray(0, 1024))
  return value
}

function prose(random: () => number): Uint8Array {
  const value = new Uint8Array(100).fill(0x20)
  const text = encoder.encode(Array.from({ length: 7 }, () => syllables(random())).join(' '))
  value.set(text.subarray(0, 100))
  return value
}
