import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valueEncodingOf } from '../../src/encoding/encodings.ts'
import { expectCode, roundTrip, seeded, tryRead } from './support.ts'

const json = valueEncodingOf('json', 'test')

describe("the encoding 'json'", () => {
  it('gives JSON values back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(roundTrip(json, value)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      seeded
    )
  })

  it('refuses what has no JSON, with the cause', () => {
    const circular: unknown[] = []
    circular.push(circular)
    for (const value of [undefined, () => 1, Symbol('s')]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => json.encode(value))
    }
    for (const value of [
      circular,
      5n,
      {
        toJSON: () => {
          throw new Error('mine')
        }
      }
    ]) {
      const error = expectCode('LIGHTNING_INVALID_ARGUMENT', () => json.encode(value))
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  it('tells of whatever toJSON throws, even if that has no text', () => {
    const thrown: unknown = Object.create(null)
    const value = {
      toJSON: () => {
        throw thrown
      }
    }
    expect(expectCode('LIGHTNING_INVALID_ARGUMENT', () => json.encode(value)).cause).toBe(thrown)
  })

  it('refuses lone surrogates, but not text that looks like their escapes', () => {
    for (const value of ['\ud800', ['a\udc00b'], { 'k\ud83d': 1 }, '\\\ud800', '\\\\\udfff']) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => json.encode(value))
    }
    for (const value of ['\\ud800', 'a\\\\ud800', '\\\\\\udc00', '😀', '\\']) expect(roundTrip(json, value)).toBe(value)
  })

  it('refuses bytes that are no JSON', () => {
    for (const text of ['', '{', '[1,]', 'undefined', '\ufeff1', '"\t"', '1 2']) {
      expect(tryRead(json, Uint8Array.from(Buffer.from(text)))).toBe('refused')
    }
    expect(tryRead(json, Uint8Array.of(0x22, 0xff, 0x22))).toBe('refused')
  })

  it('answers -1 when toJSON made the memory grow', () => {
    const target = new Uint8Array(100)
    const value = { toJSON: () => structuredClone(target.buffer, { transfer: [target.buffer] }).byteLength }
    expect(json.write(value, target, 0, 100)).toBe(-1)
  })
})
