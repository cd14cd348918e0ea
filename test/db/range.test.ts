import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteRange } from '../../src/engine/bounds.ts'
import { parseRange, rangeNames } from '../../src/db/range.ts'
import { compareBytes } from '../../src/encoding/bytes.ts'
import { keyEncodingOf } from '../../src/encoding/encodings.ts'
import { expectCode, seeded } from '../encoding/support.ts'

const view = keyEncodingOf('view', 'test')
const utf8 = keyEncodingOf('utf8', 'test')
const tuple = keyEncodingOf('tuple', 'test')

function holds(range: ByteRange, key: Uint8Array): boolean {
  if (range.lower !== undefined) {
    const order = compareBytes(key, range.lower)
    if (order < 0 || (order === 0 && range.lowerOpen)) return false
  }
  if (range.upper === undefined) return true
  const order = compareBytes(key, range.upper)
  return order < 0 || (order === 0 && !range.upperOpen)
}

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes))
const bytes = fc.array(fc.constantFrom(0, 1, 254, 255), { maxLength: 3 }).map(list => Uint8Array.from(list))
const key = fc.array(fc.constantFrom(0, 1, 254, 255), { minLength: 1, maxLength: 4 }).map(list => Uint8Array.from(list))
const maybe = fc.option(bytes, { nil: undefined })

describe('a range', () => {
  it('holds exactly the keys that every one of its bounds lets through', () => {
    const bounds = fc.record({ gt: maybe, gte: maybe, lt: maybe, lte: maybe, prefix: maybe })
    fc.assert(
      fc.property(bounds, fc.array(key, { maxLength: 20 }), ({ gt, gte, lt, lte, prefix }, keys) => {
        const range = parseRange({ gt, gte, lt, lte, prefix }, view)
        for (const some of keys) {
          const expected =
            (gt === undefined || compareBytes(some, gt) > 0) &&
            (gte === undefined || compareBytes(some, gte) >= 0) &&
            (lt === undefined || compareBytes(some, lt) < 0) &&
            (lte === undefined || compareBytes(some, lte) <= 0) &&
            (prefix === undefined || compareBytes(some.subarray(0, prefix.length), prefix) === 0)
          expect(holds(range, some)).toBe(expected)
          if (expected) expect(range.empty).toBe(false)
        }
      }),
      { ...seeded, numRuns: 3_000 }
    )
  })

  it('is everything when nothing is said', () => {
    for (const options of [undefined, {}, { gt: undefined, prefix: undefined, limit: undefined, reverse: undefined }]) {
      expect(parseRange(options, utf8)).toEqual({
        lower: undefined,
        lowerOpen: false,
        upper: undefined,
        upperOpen: false,
        reverse: false,
        limit: Number.POSITIVE_INFINITY,
        empty: false
      })
    }
  })

  it('takes the tightest of several bounds at one end', () => {
    const range = parseRange({ gt: 'b', gte: 'b', lt: 'm', lte: 'k', prefix: '' }, utf8)
    expect([text(range.lower), range.lowerOpen, text(range.upper), range.upperOpen]).toEqual(['b', true, 'k', false])
    const within = parseRange({ gt: 'a', lt: 'z', prefix: 'm' }, utf8)
    expect([text(within.lower), within.lowerOpen, text(within.upper), within.upperOpen]).toEqual([
      'm',
      false,
      'n',
      true
    ])
  })

  it('may have empty bounds', () => {
    expect(parseRange({ gt: '' }, utf8).empty).toBe(false)
    expect(parseRange({ gte: '', prefix: '' }, utf8).empty).toBe(false)
    expect(parseRange({ lt: '' }, utf8).empty).toBe(true)
    expect(parseRange({ lte: '' }, utf8).empty).toBe(true)
  })

  it('knows when it can hold nothing', () => {
    for (const options of [
      { gt: 'b', lt: 'a' },
      { gt: 'a', lte: 'a' },
      { gte: 'a', lt: 'a' },
      { limit: 0 },
      { prefix: 'b', lt: 'a' }
    ]) {
      expect(parseRange(options, utf8).empty).toBe(true)
    }
    expect(parseRange({ gte: 'a', lte: 'a' }, utf8).empty).toBe(false)
  })

  it('takes tuple prefixes by elements, and null for a key', () => {
    const range = parseRange({ prefix: ['user'] }, tuple)
    expect(holds(range, tuple.encode(['user', 1]))).toBe(true)
    expect(holds(range, tuple.encode(['user2', 1]))).toBe(false)
    const aboveNull = parseRange({ gt: null }, tuple)
    expect([holds(aboveNull, tuple.encode(null)), holds(aboveNull, tuple.encode(false))]).toEqual([false, true])
  })

  it('takes limits from 0, and -1 or Infinity for none', () => {
    const limits = [0, 1, 1e12, -1, Number.POSITIVE_INFINITY].map(limit => parseRange({ limit }, utf8).limit)
    expect(limits).toEqual([0, 1, 1e12, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    for (const limit of [-2, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, '5', null, 5n]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseRange({ limit }, utf8))
    }
  })

  it('refuses misspelt bounds, wrong types and everything that is no object', () => {
    const { message } = expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseRange({ gtr: 'a' }, utf8))
    expect(message).toContain("'gtr'")
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseRange({ gtt: undefined }, utf8))
    for (const range of [
      null,
      'a',
      5,
      [],
      { gt: 5 },
      { lte: null },
      { prefix: ['a'] },
      { reverse: 1 },
      { reverse: null }
    ]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseRange(range, utf8))
    }
    expect(parseRange({ snapshot: {}, keyEncoding: 'utf8', valueEncoding: 'view' }, utf8).empty).toBe(false)
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseRange({ snapshot: {} }, utf8, new Set(rangeNames), 'clear'))
  })

  it("keeps its own copy of the caller's bounds", () => {
    const bound = Uint8Array.of(5)
    const range = parseRange({ gte: bound, lt: Uint8Array.of(9), prefix: new Uint8Array(0) }, view)
    bound.fill(0)
    expect(range.lower).toEqual(Uint8Array.of(5))
  })
})
