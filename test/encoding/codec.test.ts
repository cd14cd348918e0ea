import { describe, expect, it, vi } from 'vitest'
import { EncodingTable, keyEncodingOf, valueEncodingOf } from '../../src/encoding/encodings.ts'
import { expectCode, hex, roundTrip, tryRead } from './support.ts'

const upperCase = {
  name: 'upper',
  format: 'utf8',
  encode: (text: string) => text.toUpperCase(),
  decode: (text: string) => text.toLowerCase()
}

describe('a codec', () => {
  it('makes strings, bytes or Buffers, as its format says', () => {
    const reversed = {
      encode: (list: number[]) => Uint8Array.from(list).reverse(),
      decode: (bytes: Uint8Array) => [...bytes].reverse()
    }
    expect(roundTrip(valueEncodingOf(upperCase, 'test'), 'abc')).toBe('abc')
    expect(hex(valueEncodingOf(upperCase, 'test'), 'abc')).toBe('414243')
    expect(roundTrip(keyEncodingOf(reversed, 'test'), [1, 2, 3])).toEqual([1, 2, 3])
    expect(hex(keyEncodingOf({ ...reversed, format: 'view' }, 'test'), [1, 2, 3])).toBe('030201')
    const buffers = {
      format: 'buffer',
      encode: (text: string) => Buffer.from(text),
      decode: (bytes: Buffer) => bytes.toString('latin1')
    }
    expect(roundTrip(valueEncodingOf(buffers, 'test'), 'abc')).toBe('abc')
  })

  it('is called as a method, and named in messages', () => {
    class Shifted {
      name = 'shifted'
      shift = 1
      encode(value: number) {
        return Uint8Array.of(value + this.shift)
      }
      decode(bytes: Uint8Array) {
        return (bytes[0] ?? 0) - this.shift
      }
    }
    const encoding = valueEncodingOf(new Shifted(), 'test')
    expect(encoding.name).toBe('shifted')
    expect(roundTrip(encoding, 5)).toBe(5)
  })

  it('passes on what it throws as the cause', () => {
    const failure = new TypeError('mine')
    const throwing = vi.fn(() => {
      throw failure
    })
    const encoding = keyEncodingOf({ name: 'bad', encode: throwing, decode: throwing }, 'test')
    for (const action of [
      () => encoding.encode(1),
      () => encoding.write(1, new Uint8Array(9), 0, 9),
      () => encoding.encodePrefix(1)
    ]) {
      const error = expectCode('LIGHTNING_INVALID_ARGUMENT', action)
      expect(error.cause).toBe(failure)
      expect(error.message).toContain("'bad'")
    }
    expect(expectCode('LIGHTNING_DECODE', () => encoding.read(new Uint8Array(9), 0, 9)).cause).toBe(failure)
    expect(throwing).toHaveBeenCalledTimes(4)
  })

  it('may neither return something else than its format says nor take undefined', () => {
    const returning = (format: string | undefined, result: unknown) =>
      valueEncodingOf({ format, encode: () => result, decode: () => 1 }, 'test')
    for (const result of [undefined, null, 5, 'text', [1], new ArrayBuffer(1)]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => returning(undefined, result).encode(1))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => returning('buffer', result).write(1, new Uint8Array(9), 0, 9))
    }
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => returning('utf8', new Uint8Array(1)).encode(1))
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => returning('utf8', '\ud800').encode(1))
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => returning('view', new Uint8Array(1)).encode(undefined))
  })

  it('gets bytes of its own, and its own buffer is copied', () => {
    const reused = new Uint8Array(1)
    const kept: Uint8Array[] = []
    const encoding = valueEncodingOf(
      { encode: (value: number) => reused.fill(value), decode: (bytes: Uint8Array) => kept.push(bytes) },
      'test'
    )
    const first = encoding.encode(1)
    encoding.encode(2)
    expect([...first]).toEqual([1])
    const source = Buffer.from([1, 2, 3])
    encoding.read(source, 1, 3)
    source.fill(0)
    expect(kept.map(bytes => [...bytes])).toEqual([[2, 3]])
    expect(kept[0]?.buffer.byteLength).toBe(2)
  })

  it('with text is strict about stored bytes', () => {
    expect(tryRead(valueEncodingOf(upperCase, 'test'), Uint8Array.of(0xff))).toBe('refused')
  })

  it('is refused when it is none', () => {
    const both = { encode: () => 1, decode: () => 1 }
    for (const option of [
      {},
      { encode: both.encode },
      { ...both, name: 5 },
      { ...both, format: 'text' },
      { ...both, decode: 1 }
    ]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => keyEncodingOf(option, 'test'))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => new EncodingTable().value(option, 'test'))
    }
  })
})

describe('the name of an encoding', () => {
  it('is one of those listed, which the message repeats', () => {
    for (const option of ['utf-8', '', 'msgpack', 'json', null, 5, undefined, () => 1]) {
      const { message } = expectCode('LIGHTNING_INVALID_ARGUMENT', () => keyEncodingOf(option, 'option keyEncoding'))
      expect(message).toMatch(/^option keyEncoding: .*'utf8', 'view', 'buffer', 'tuple'/)
    }
    const { message } = expectCode('LIGHTNING_INVALID_ARGUMENT', () => valueEncodingOf('tuple', 'option valueEncoding'))
    expect(message).toMatch(/'msgpack', 'json', 'utf8', 'view', 'buffer'/)
  })

  it('stands for one encoding per table', () => {
    const table = new EncodingTable()
    expect(table.key('tuple', 'test')).toBe(table.key('tuple', 'test'))
    expect(table.value('view', 'test')).toBe(table.value('view', 'test'))
    expect(table.key(upperCase, 'test')).toBe(table.value(upperCase, 'test'))
    expect(new EncodingTable().key('tuple', 'test')).not.toBe(table.key('tuple', 'test'))
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => table.key('json', 'test'))
  })
})
