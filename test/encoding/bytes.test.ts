import fc from 'fast-check'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { ByteSlab, largestSlabCopy, slabBytes } from '../../src/encoding/byte-slab.ts'
import { compareBytes, successorOf } from '../../src/encoding/bytes.ts'
import { keyEncodingOf } from '../../src/encoding/encodings.ts'
import { expectCode, roundTrip, seeded } from './support.ts'

const someBytes = fc.uint8Array({ maxLength: 2_000, size: 'max' })

describe("the encodings 'view' and 'buffer'", () => {
  it.each(['view', 'buffer'])("'%s' gives every byte string back", name => {
    const encoding = keyEncodingOf(name, 'test')
    fc.assert(
      fc.property(someBytes, bytes => {
        const read = roundTrip(encoding, bytes)
        expect(Buffer.from(bytes).equals(Buffer.from(read as Uint8Array))).toBe(true)
        expect(Buffer.isBuffer(read)).toBe(name === 'buffer')
      }),
      seeded
    )
  })

  it.each(['view', 'buffer'])("'%s' takes any Uint8Array and nothing else", name => {
    const encoding = keyEncodingOf(name, 'test')
    const ofAnotherRealm: unknown = runInNewContext('Uint8Array.of(1, 2)')
    for (const bytes of [Buffer.from([1, 2]), new Uint8Array([0, 1, 2, 3]).subarray(1, 3), ofAnotherRealm]) {
      expect([...encoding.encode(bytes)]).toEqual([1, 2])
    }
    for (const value of [
      undefined,
      null,
      'ab',
      5,
      [1, 2],
      new ArrayBuffer(2),
      new Uint16Array(2),
      new DataView(new ArrayBuffer(2))
    ]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => encoding.encode(value))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => encoding.write(value, new Uint8Array(9), 0, 9))
    }
  })

  it("copies at the call, so that the caller's bytes may change afterwards", () => {
    const encoding = keyEncodingOf('view', 'test')
    for (const bytes of [new Uint8Array(8).fill(1), Buffer.alloc(5_000, 1)]) {
      const encoded = encoding.encode(bytes)
      bytes.fill(2)
      expect(encoded.every(byte => byte === 1)).toBe(true)
    }
  })

  it('answers -1 and writes nothing when there is no room, or none any more', () => {
    const encoding = keyEncodingOf('view', 'test')
    for (const length of [1, 10, 300]) {
      const target = new Uint8Array(400)
      expect(encoding.write(new Uint8Array(length).fill(1), target, 3, length - 1)).toBe(-1)
      expect(target.every(byte => byte === 0)).toBe(true)
    }
    const detached = new Uint8Array(100)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    expect(encoding.write(new Uint8Array(4), detached, 0, 100)).toBe(-1)
  })
})

describe('a slab', () => {
  it('hands out copies that never overlap, from any place in any array', () => {
    const copies = fc.array(fc.record({ start: fc.nat({ max: 5_000 }), length: fc.nat({ max: 1_500 }) }), {
      maxLength: 200
    })
    fc.assert(
      fc.property(copies, fc.nat({ max: 7 }), fc.nat({ max: 3 }), (wanted, offset, cut) => {
        const slab = new ByteSlab()
        const buffer = new ArrayBuffer(6_600)
        const source = new Uint8Array(buffer, offset, 6_500 - cut)
        for (let i = 0; i < source.length; i++) source[i] = i * 7 + (i >> 8)
        const made = wanted.map(({ start, length }) =>
          slab.copy(source, start, Math.min(start + length, source.length))
        )
        const expected = wanted.map(({ start, length }) => source.slice(start, Math.min(start + length, source.length)))
        for (const [i, copy] of made.entries())
          expect(Buffer.from(copy).equals(expected[i] ?? new Uint8Array(0))).toBe(true)
        for (const copy of made) copy.fill(0)
        expect(source[1]).toBe(7)
      }),
      { ...seeded, numRuns: 60 }
    )
  })

  it('copies the last bytes of an array whose length is no multiple of four', () => {
    const slab = new ByteSlab()
    for (let length = 0; length < 40; length++) {
      const source = Uint8Array.from({ length }, (_, i) => i + 1)
      expect([...slab.copy(source, 0, length)]).toEqual([...source])
    }
  })

  it('shares its buffer between small copies only', () => {
    const slab = new ByteSlab()
    const source = new Uint8Array(10_000)
    expect(slab.copy(source, 0, 100).buffer).toBe(slab.copy(source, 4, 104).buffer)
    expect(slab.copy(source, 0, 100).buffer.byteLength).toBe(slabBytes)
    expect(slab.copy(source, 0, largestSlabCopy + 1).buffer.byteLength).toBe(largestSlabCopy + 1)
  })
})

describe('the order of bytes', () => {
  it('is that of Buffer.compare', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      }),
      seeded
    )
  })

  it('has a successor for every prefix but those of 255 alone', () => {
    expect(successorOf(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 3))
    expect(successorOf(Uint8Array.of(1, 255, 255))).toEqual(Uint8Array.of(2))
    expect(successorOf(Uint8Array.of(255, 255))).toBeUndefined()
    expect(successorOf(new Uint8Array(0))).toBeUndefined()
  })
})
