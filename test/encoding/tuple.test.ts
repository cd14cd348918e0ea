import fc from 'fast-check'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { compareBytes, successorOf } from '../../src/encoding/bytes.ts'
import type { KeyEncoding, TupleKey } from '../../src/encoding/encoding.ts'
import { keyEncodingOf } from '../../src/encoding/encodings.ts'
import { largestTupleDepth } from '../../src/encoding/tuple-format.ts'
import { bytesOf, expectCode, hex, roundTrip, seeded, tryRead } from './support.ts'

const tuple: KeyEncoding<unknown> = keyEncodingOf('tuple', 'test')

// Small alphabets, so that keys share prefixes and hold the bytes that need an escape.
const element = fc.oneof(
  fc.constantFrom<TupleKey[]>(null, true, false, 0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.double({ noNaN: true }),
  fc.date({ noInvalidDate: true }),
  fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a', 'é', '\uffff', '😀'), maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.constantFrom(0, 1, 2, 254, 255), { maxLength: 4 }).map(bytes => Uint8Array.from(bytes))
)
const { key } = fc.letrec<{ key: TupleKey; list: TupleKey[] }>(tie => ({
  key: fc.oneof({ maxDepth: 3, withCrossShrink: true }, element, tie('list')),
  list: fc.array(tie('key'), { maxLength: 4 })
}))

/** The order that the documentation promises, without any encoding. */
function compareKeys(a: TupleKey, b: TupleKey): number {
  const ranks = rankOf(a) - rankOf(b)
  if (ranks !== 0) return ranks
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : Number(a > b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  if (typeof a === 'string' && typeof b === 'string') return compareLists(codePoints(a), codePoints(b), (x, y) => x - y)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareLists([...a], [...b], (x, y) => x - y)
  if (Array.isArray(a) && Array.isArray(b)) return compareLists<TupleKey>(a, b, compareKeys)
  return 0
}

function rankOf(key: TupleKey): number {
  if (key === null) return 0
  if (Array.isArray(key)) return 6
  if (key instanceof Date) return 3
  if (key instanceof Uint8Array) return 5
  return ['boolean', 'number', '', 'string'].indexOf(typeof key) + 1
}

function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [i, x] of a.entries()) {
    const y = b[i]
    if (y === undefined) return 1
    const order = compare(x, y)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function codePoints(text: string): number[] {
  return Array.from(text, character => character.codePointAt(0) ?? 0)
}

/** 0 and -0 are one key. */
function withoutNegativeZero(key: TupleKey): TupleKey {
  if (Array.isArray(key)) return key.map(withoutNegativeZero)
  return key === 0 ? 0 : key
}

describe("the encoding 'tuple'", () => {
  it('gives every key back', () => {
    fc.assert(
      fc.property(key, some => {
        expect(roundTrip(tuple, some)).toStrictEqual(withoutNegativeZero(some))
      }),
      { ...seeded, numRuns: 1_000 }
    )
  })

  it('orders keys as null < booleans < numbers < dates < strings < bytes < arrays, each naturally', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const order = compareBytes(tuple.encode(a), tuple.encode(b))
        expect(Math.sign(order)).toBe(Math.sign(compareKeys(a, b)))
      }),
      { ...seeded, numRuns: 5_000 }
    )
  })

  it('keeps this list in this order', () => {
    const listed: TupleKey[] = [null, false, true, Number.NEGATIVE_INFINITY, -1e300, -1.5, -1, -5e-324, 0, 5e-324, 1, 2]
    listed.push(
      2 ** 53,
      Number.POSITIVE_INFINITY,
      new Date(-1),
      new Date(0),
      new Date(8.64e15),
      '',
      '\0',
      '\0\0',
      '\x01'
    )
    listed.push('\x01\0', '\x02', 'a', 'a\0', 'aa', 'b', '\ue000', '😀', new Uint8Array(0), Uint8Array.of(0))
    listed.push(Uint8Array.of(255), [], [null], [[]], [[], 1], [[[]]])
    const shuffled = [...listed].sort((a, b) => hex(tuple, a).length - hex(tuple, b).length)
    shuffled.sort((a, b) => compareBytes(tuple.encode(a), tuple.encode(b)))
    expect(shuffled).toStrictEqual(listed.sort(compareKeys))
    expect(listed.map(some => hex(tuple, some))).toEqual(shuffled.map(some => hex(tuple, some)))
  })

  it('takes prefixes by elements: exactly the arrays that begin with them', () => {
    const list = fc.array(element, { maxLength: 3 })
    fc.assert(
      fc.property(list, list, list, (prefix, more, other) => {
        const from = tuple.encodePrefix(prefix)
        const to = successorOf(from)
        const isInside = (some: TupleKey): boolean => {
          const bytes = tuple.encode(some)
          return compareBytes(bytes, from) >= 0 && (to === undefined || compareBytes(bytes, to) < 0)
        }
        expect(isInside([...prefix, ...more])).toBe(true)
        const begins = compareKeys(other.slice(0, prefix.length), prefix) === 0
        expect(isInside(other)).toBe(begins)
      }),
      { ...seeded, numRuns: 2_000 }
    )
  })

  it('does not take part of a string for an element', () => {
    const prefix = tuple.encodePrefix(['user'])
    const begins = (some: TupleKey) => Buffer.from(tuple.encode(some)).subarray(0, prefix.length).equals(prefix)
    expect(begins(['user'])).toBe(true)
    expect(begins(['user', 1])).toBe(true)
    expect(begins(['users', 1])).toBe(false)
    expect(begins(['user\0', 1])).toBe(false)
    expect(begins('user')).toBe(false)
  })

  it('keeps one element apart from an array of it', () => {
    expect(hex(tuple, 5)).not.toBe(hex(tuple, [5]))
    expect(roundTrip(tuple, 5)).toBe(5)
    expect(roundTrip(tuple, [5])).toStrictEqual([5])
    expect(roundTrip(tuple, [[5]])).toStrictEqual([[5]])
  })

  it('takes 0 and -0 for one key, which reads as 0', () => {
    expect(hex(tuple, -0)).toBe(hex(tuple, 0))
    expect(roundTrip(tuple, -0)).toBe(0)
  })

  it('writes the bytes that the documentation shows', () => {
    expect(hex(tuple, ['user', 1, true])).toBe('7050757365720030bff000000000000021')
    expect(hex(tuple, -1)).toBe('30400fffffffffffff')
    expect(hex(tuple, 'a\0b\x01')).toBe('506101016201' + '0200')
    expect(hex(tuple, [[null], Uint8Array.of(0)])).toBe('7070100060010100')
    expect(hex(tuple, new Date(0))).toBe('408000000000000000')
  })

  it('refuses what has no place in the order', () => {
    const circular: unknown[] = [1]
    circular.push([circular])
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const sparse = [1, 2, 3]
    delete sparse[1]
    for (const part of [
      undefined,
      Number.NaN,
      new Date(Number.NaN),
      5n,
      Symbol('s'),
      () => 1,
      {},
      new Map(),
      new Uint16Array(1)
    ]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => tuple.encode(part))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => tuple.encode([1, [part]]))
    }
    for (const whole of [circular, deep, sparse, ['\ud800'], { [Symbol.toStringTag]: 'Date' }]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => tuple.write(whole, new Uint8Array(1_000), 0, 1_000))
    }
    // A refusal leaves nothing behind.
    expect(roundTrip(tuple, ['a', ['b']])).toStrictEqual(['a', ['b']])
  })

  it('takes dates, bytes and arrays of another realm', () => {
    const foreign: unknown = runInNewContext('[new Date(5), Uint8Array.of(1), ["a"]]')
    expect(hex(tuple, foreign)).toBe(hex(tuple, [new Date(5), Uint8Array.of(1), ['a']]))
  })

  it('nests arrays to its bound', () => {
    let nested: unknown[] = []
    for (let depth = 1; depth < largestTupleDepth; depth++) nested = [nested]
    expect(roundTrip(tuple, nested)).toStrictEqual(nested)
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => tuple.encode([nested]))
    expect(tryRead(tuple, new Uint8Array(100_000).fill(0x70))).toBe('refused')
  })

  it('answers -1 and writes nothing when there is no room', () => {
    const target = new Uint8Array(50)
    expect(tuple.write(['user', 1], target, 0, 15)).toBe(-1)
    expect(target.every(byte => byte === 0)).toBe(true)
    expect(tuple.write(['user', 1], target, 0, 16)).toBe(16)
  })

  it('writes the same bytes in place as apart, up to the capacity and not beyond it', () => {
    const common = fc.oneof(
      fc.constantFrom<TupleKey[]>(null, true, false, 0, -0, 1, -1, Number.NEGATIVE_INFINITY),
      fc.double({ noNaN: true }),
      fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a', '~', '\x7f', 'é'), maxLength: 4 }),
      fc.string({ unit: 'grapheme-ascii', minLength: 44, maxLength: 52 })
    )
    fc.assert(
      fc.property(fc.array(common, { maxLength: 5 }), fc.nat({ max: 4 }), (some, room) => {
        const bytes = tuple.encode(some)
        const target = new Uint8Array(bytes.length + 10).fill(7)
        const written = tuple.write(some, target, 3, bytes.length + room - 2)
        expect(written).toBe(room < 2 ? -1 : bytes.length)
        if (written >= 0) expect(target.subarray(3, 3 + written)).toEqual(bytes)
        expect([...target.subarray(3 + bytes.length)].every(byte => byte === 7)).toBe(true)
        expect([...target.subarray(0, 3)]).toEqual([7, 7, 7])
      }),
      { ...seeded, numRuns: 5_000 }
    )
  })

  it('runs the code of a key before it writes', () => {
    const target = new Uint8Array(20)
    const meddling = new Proxy(['a', 1], {
      get(list, name) {
        tuple.write([true, 'b', 'c', 2], target, 0, 20)
        return Reflect.get(list, name)
      }
    })
    expect(tuple.write(meddling, target, 0, 20)).toBe(13)
    expect(target.subarray(0, 13)).toEqual(tuple.encode(['a', 1]))
  })

  it('survives a key whose own code encodes another key', () => {
    const meddling = new Proxy(['a', 'b'], {
      get(list, name) {
        tuple.encode(['something', 'else', 'altogether'])
        return Reflect.get(list, name)
      }
    })
    expect(hex(tuple, meddling)).toBe(hex(tuple, ['a', 'b']))
  })

  it.each([-1, 0, 0.5, 1.5, 3, Number.NaN, undefined, '2'])(
    'writes as many elements straight to their place as otherwise when a proxy says %s',
    length => {
      const odd = new Proxy(['a', 1, true], {
        get: (list, name) => (name === 'length' ? length : Reflect.get(list, name))
      })
      const target = new Uint8Array(100)
      const written = tuple.write(odd, target, 0, target.length)
      expect(target.subarray(0, written)).toEqual(tuple.encode(odd))
    }
  )
})

describe('reading tuple keys', () => {
  it('accepts only bytes that writing the key gives again', () => {
    const nearlyKey = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(fc.constantFrom(0, 1, 2, 0x10, 0x20, 0x21, 0x30, 0x38, 0x40, 0x50, 0x60, 0x70, 0x61), { maxLength: 14 }),
      fc.tuple(key, fc.nat(), fc.nat({ max: 255 })).map(([some, at, byte]) => {
        const bytes = tuple.encode(some)
        bytes[at % bytes.length] = byte
        return bytes
      })
    )
    let accepted = 0
    fc.assert(
      fc.property(nearlyKey, list => {
        const bytes = Uint8Array.from(list)
        const read = tryRead(tuple, bytes)
        if (read === 'refused') return
        accepted++
        expect(Buffer.from(tuple.encode(read.value)).equals(bytes)).toBe(true)
      }),
      { ...seeded, numRuns: 5_000 }
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('refuses the damaged forms one by one', () => {
    const damaged = {
      'no bytes': '',
      'no such tag': '00',
      'the tag kept for bigint': '38 00',
      'a number cut off': '30 80 00 00',
      NaN: '30 ff f8 00 00 00 00 00 00',
      '-0': '30 7f ff ff ff ff ff ff ff',
      'a date with a fraction': '40 bf e0 00 00 00 00 00 00',
      'a date out of range': '40 ff e0 00 00 00 00 00 00',
      'text without an end': '50 61',
      'an escape without a second byte': '50 61 01',
      'an escape of nothing': '50 01 03 00',
      'an escaped end': '50 01 00',
      'ill-formed text': '50 ff 00',
      'ill-formed text with an escape': '50 01 01 ff 00',
      'bytes without an end': '60 61',
      'a nested array without an end': '70 70 10',
      'an end at the top': '70 10 00',
      'bytes behind the key': '10 10'
    }
    for (const [what, digits] of Object.entries(damaged))
      expect([what, tryRead(tuple, bytesOf(digits))]).toEqual([what, 'refused'])
  })
})
