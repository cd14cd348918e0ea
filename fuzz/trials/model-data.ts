// The keys and values of the trial `model`: the model knows keys by their place in the order, values by a number. Here
// is what they are in each encoding.
import { isDeepStrictEqual } from 'node:util'
import type { KeyEncodingName, TupleKey, ValueEncodingName } from '../../src/index.ts'
import { allKeys } from '../../test/txn/model.ts'
import { Random } from '../../test/support/random.ts'

export const keyCount = allKeys.length

/** The keys of an encoding in the order of the database. */
export interface KeyPool {
  readonly encoding: KeyEncodingName
  readonly keys: readonly unknown[]
  /** Places of the keys that begin as this one does, with so many of its parts (bytes, letters, elements). */
  prefix(place: number, parts: number): { readonly prefix: unknown; readonly from: number; readonly to: number }
}

export function keyPool(encoding: KeyEncodingName): KeyPool {
  if (encoding === 'tuple') {
    return pool(
      encoding,
      tuples,
      (key, parts) => key.slice(0, parts),
      (key, prefix) => prefix.every((element, i) => isDeepStrictEqual(element, key[i]))
    )
  }
  if (encoding === 'utf8') {
    const texts = byteKeys.map(bytes => new TextDecoder().decode(bytes))
    return pool(
      encoding,
      texts,
      (key, parts) => [...key].slice(0, parts).join(''),
      (key, prefix) => key.startsWith(prefix)
    )
  }
  const keys = encoding === 'buffer' ? byteKeys.map(bytes => Buffer.from(bytes)) : byteKeys
  return pool<Uint8Array>(
    encoding,
    keys,
    (key, parts) => key.subarray(0, parts),
    (key, prefix) => prefix.every((byte, i) => byte === key[i])
  )
}

function pool<K>(
  encoding: KeyEncodingName,
  keys: readonly K[],
  cut: (key: K, parts: number) => K,
  begins: (key: K, prefix: K) => boolean
): KeyPool {
  return {
    encoding,
    keys,
    prefix(place, parts) {
      const key = keys[place]
      if (key === undefined) throw new RangeError(`no key has place ${place}`)
      const prefix = cut(key, parts)
      const from = keys.findIndex(other => begins(other, prefix))
      const to = keys.findLastIndex(other => begins(other, prefix)) + 1
      return { prefix, from, to }
    }
  }
}

/** Texts, so that they do for all encodings of bytes: short and long, of letters of all lengths, prefixes of each other. */
const byteKeys: readonly Uint8Array[] = [
  '\0',
  '\0\0',
  '\0a',
  '\u0001',
  'a',
  'a\0',
  'a\0b',
  'aa',
  `aa${'x'.repeat(900)}`,
  `aa${'x'.repeat(1_000)}`,
  'ab',
  'abc',
  'abc\u007f',
  'b',
  `b${'é'.repeat(200)}`,
  'zz',
  '\u007f',
  '\u0080',
  'é',
  'éa',
  '\u07ff',
  '\u0800',
  '\uffff',
  '💡'
].map(text => new TextEncoder().encode(text))

const tuples: readonly (readonly TupleKey[])[] = [
  [null],
  [false],
  [true],
  [Number.NEGATIVE_INFINITY],
  [-1.5, 'a'],
  [-1],
  [0],
  [0, null],
  [0, 1],
  [0, 1, 'a'],
  [0, 'a'],
  [1e-300],
  [1],
  [2 ** 53],
  [new Date(-5)],
  [new Date(1_700_000_000_000), 1],
  [''],
  ['\0'],
  ['a', ''],
  ['a', 'b'],
  ['ab'],
  [Uint8Array.of(0)],
  [Uint8Array.of(0, 255), 5],
  [[1, 'a'], 2]
]

/** Bytes from which a value leaves the tree at the smallest page size. */
const largeBytes = 3_000

/** The value with a number: of many lengths, now and then one that leaves the tree. */
export function valueOfNumber(number: number, encoding: ValueEncodingName): unknown {
  const random = new Random(number)
  const length = random.chance(0.04)
    ? largeBytes + random.below(90_000)
    : random.below(random.pick([1, 20, 200, 1_500]))
  const text = `${number} ${letters.slice(random.below(letters.length - length)).slice(0, length)}`
  if (encoding === 'utf8') return text
  if (encoding === 'json') return { number, text, list: [null, true, [number]] }
  if (encoding === 'msgpack')
    return { number, text, when: new Date(number), bytes: Uint8Array.of(1, 2), none: undefined }
  return encoding === 'buffer' ? Buffer.from(text) : new TextEncoder().encode(text)
}

const letters = makeLetters(new Random(2))

function makeLetters(random: Random): string {
  let text = ''
  while (text.length < 200_000) text += `${random.next().toString(36)} or ${random.below(50)}, `
  return text
}
