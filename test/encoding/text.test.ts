import fc from 'fast-check'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { keyEncodingOf } from '../../src/encoding/encodings.ts'
import { bytesOf, expectCode, roundTrip, seeded, tryRead } from './support.ts'

const loneSurrogates = [
  '\ud800',
  'a\udc00',
  '\ud800é',
  'é\ud800\ud800\udc00',
  `${'long '.repeat(20)}\ud83d`,
  '\udc00\ud800',
  `\ud800${'x'.repeat(100)}`
]

// The same must hold where there is no Buffer, as in browsers, and where its text functions are of another kind.
const withoutBuffer = await encodingsWith(undefined)
const withLaxBuffer = await encodingsWith({ allocUnsafe: Buffer.allocUnsafe, prototype: laxText() })
const withThrowingBuffer = await encodingsWith({ allocUnsafe: Buffer.allocUnsafe, prototype: throwingText() })

afterAll(() => vi.unstubAllGlobals())

describe.each([
  ["Node's Buffer", keyEncodingOf('utf8', 'test')],
  ['no Buffer', withoutBuffer.keyEncodingOf('utf8', 'test')],
  ['a Buffer that drops byte order marks', withLaxBuffer.keyEncodingOf('utf8', 'test')],
  ['a Buffer that takes no Uint8Array', withThrowingBuffer.keyEncodingOf('utf8', 'test')]
])("the encoding 'utf8' with %s", (_, utf8) => {
  it('gives every well-formed string back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
        expect(roundTrip(utf8, text)).toBe(text)
      }),
      seeded
    )
  })

  it('writes what the platform writes', () => {
    const units = fc.constantFrom(
      'a',
      '\x7f',
      '\x80',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}'
    )
    fc.assert(
      fc.property(fc.string({ unit: units, maxLength: 30 }), fc.nat({ max: 60 }), (text, room) => {
        const expected = Buffer.from(text)
        const target = new Uint8Array(expected.length + room)
        expect(utf8.write(text, target, 0, target.length)).toBe(expected.length)
        expect(Buffer.from(target.buffer, 0, expected.length).equals(expected)).toBe(true)
      }),
      { ...seeded, numRuns: 1_000 }
    )
  })

  it('keeps a byte order mark, replacement characters and zero bytes, in short text and in long', () => {
    for (const text of ['\ufeff', '\ufeffa', '\ufffd', 'a\0b', '', '😀', 'é']) {
      expect(roundTrip(utf8, text)).toBe(text)
      expect(roundTrip(utf8, text + 'x'.repeat(100))).toBe(text + 'x'.repeat(100))
      expect(roundTrip(utf8, 'x'.repeat(100) + text)).toBe('x'.repeat(100) + text)
    }
  })

  it('refuses lone surrogates', () => {
    for (const text of loneSurrogates) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => utf8.encode(text))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => utf8.write(text, new Uint8Array(500), 0, 500))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => utf8.encodePrefix(text))
    }
  })

  it('refuses whatever is no string', () => {
    for (const value of [undefined, null, 5, true, ['a'], new Uint8Array(1), new String('a')]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => Reflect.apply(utf8.encode, utf8, [value]))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => Reflect.apply(utf8.write, utf8, [value, new Uint8Array(9), 0, 9]))
    }
  })

  it('refuses ill-formed bytes, in short text and in long', () => {
    const illFormed = ['80', 'c0 af', 'c3', 'ed a0 80', 'f4 90 80 80', 'f0 9f 98', 'ff', 'e2 28 a1', 'ef bf bd c3']
    for (const digits of illFormed) {
      for (const before of [0, 5, 60]) {
        for (const after of [0, 60]) {
          const bytes = [...new Uint8Array(before).fill(0x61), ...bytesOf(digits), ...new Uint8Array(after).fill(0x62)]
          expect(tryRead(utf8, Uint8Array.from(bytes))).toBe('refused')
        }
      }
    }
  })

  it('reads text of any length, wherever in it a character takes more than a byte', () => {
    for (const length of [0, 1, 2, 12, 19, 20, 21, 22, 159, 160, 161, 162]) {
      const ascii = Array.from({ length }, (_, i) => 0x20 + ((i * 7) % 0x60))
      const read = (bytes: readonly number[]): unknown => tryRead(utf8, Uint8Array.from(bytes))
      const text = String.fromCharCode(...ascii)
      expect(read(ascii)).toEqual({ value: text })
      for (let i = 0; i < length; i++) {
        expect(read(ascii.with(i, 0x80))).toBe('refused')
        expect(read(ascii.with(i, 0xff))).toBe('refused')
        expect(read(ascii.with(i, 0xc3))).toBe('refused')
        if (i + 1 === length) continue
        const accented = [...ascii.slice(0, i), 0xc3, 0xa9, ...ascii.slice(i + 2)]
        expect(read(accented)).toEqual({ value: `${text.slice(0, i)}é${text.slice(i + 2)}` })
      }
    }
  })

  it('reads exactly what a strict decoder reads', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const nearlyText = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 10 }).map(text => [...Buffer.from(text)]),
        fc.uint8Array({ maxLength: 2 }).map(bytes => [...bytes])
      ),
      { maxLength: 12 }
    )
    fc.assert(
      fc.property(nearlyText, parts => {
        const bytes = Uint8Array.from(parts.flat())
        let expected: unknown = 'refused'
        try {
          expected = { value: strict.decode(bytes) }
        } catch {}
        expect(tryRead(utf8, bytes)).toEqual(expected)
      }),
      { ...seeded, numRuns: 2_000 }
    )
  })

  it('answers -1 and keeps to the capacity when there is no room', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), fc.nat(), (text, cut) => {
        const length = Buffer.byteLength(text)
        const target = new Uint8Array(300).fill(0xee)
        const capacity = cut % length
        expect(utf8.write(text, target, 7, capacity)).toBe(-1)
        expect(target.subarray(7 + capacity).every(byte => byte === 0xee)).toBe(true)
        expect(utf8.write(text, target, 7, length)).toBe(length)
      }),
      seeded
    )
  })
})

describe("the encoding 'buffer'", () => {
  it('is refused where there is no Buffer', () => {
    const codec = { format: 'buffer', encode: () => new Uint8Array(1), decode: () => 1 }
    expect(() => withoutBuffer.keyEncodingOf('buffer', 'test')).toThrow(/needs Node's Buffer.*Use 'view'/)
    expect(() => withoutBuffer.valueEncodingOf(codec, 'test')).toThrow(/needs Node's Buffer.*Use format 'view'/)
  })
})

/** The module as it is when it is loaded with this global `Buffer`. */
async function encodingsWith(buffer: unknown): Promise<typeof import('../../src/encoding/encodings.ts')> {
  vi.resetModules()
  vi.stubGlobal('Buffer', buffer)
  try {
    return await import('../../src/encoding/encodings.ts')
  } finally {
    vi.unstubAllGlobals()
  }
}

function laxText(): object {
  const decoder = new TextDecoder()
  return {
    utf8Slice(this: Uint8Array, start: number, end: number) {
      return decoder.decode(this.subarray(start, end))
    },
    utf8Write(this: Uint8Array, text: string, at: number, room: number) {
      return new TextEncoder().encodeInto(text, this.subarray(at, at + room)).written
    }
  }
}

function throwingText(): object {
  const refuse = () => {
    throw new TypeError('not a Buffer')
  }
  return { utf8Slice: refuse, utf8Write: refuse }
}
