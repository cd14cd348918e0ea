import { describe, expect, it } from 'vitest'
import { viewEncoding } from '../../src/encoding/bytes-encoding.ts'
import type { ValueEncoding } from '../../src/encoding/encoding.ts'
import { JsonEncoding } from '../../src/encoding/json-encoding.ts'
import { Utf8Encoding } from '../../src/encoding/utf8-encoding.ts'
import { FieldEncoder } from '../../src/host/field-encoder.ts'

const utf8 = new Utf8Encoding()

describe('keys and values for messages', () => {
  it('are what the encoding makes, however many there are', () => {
    const fields = new FieldEncoder()
    const values = Array.from({ length: 5_000 }, (_, i) => `${i} ${'€'.repeat(i % 300)}`)
    const encoded = values.map(value => fields.encode(utf8, value))
    expect(encoded.map(bytes => utf8.read(bytes, 0, bytes.length))).toEqual(values)
  })

  it('share a buffer when they are short', () => {
    const fields = new FieldEncoder()
    const bytes = viewEncoding()
    const [text, short, long] = ['key', Uint8Array.of(1, 2), new Uint8Array(2_000).fill(3)].map((value, i) =>
      fields.encode(i === 0 ? utf8 : bytes, value)
    )
    expect(text?.buffer).toBe(short?.buffer)
    expect(long?.buffer).not.toBe(text?.buffer)
    expect([text, short, long]).toEqual([
      Uint8Array.of(0x6b, 0x65, 0x79),
      Uint8Array.of(1, 2),
      new Uint8Array(2_000).fill(3)
    ])
  })

  it('may become longer than expected', () => {
    const json = new JsonEncoding()
    const text = '\u0001'.repeat(256)
    const bytes = new FieldEncoder().encode(json, text)
    expect(bytes.length).toBe(2 + 6 * 256)
    expect(json.read(bytes, 0, bytes.length)).toBe(text)
  })

  it('are not mixed up with what an encoding itself encodes on its way', () => {
    const fields = new FieldEncoder()
    const inner: Uint8Array[] = []
    const write = (value: unknown, target: Uint8Array, at: number, capacity: number): number => {
      inner.push(fields.encode(utf8, 'inner'))
      return utf8.write(value, target, at, capacity)
    }
    const outer: ValueEncoding<unknown> = {
      name: 'outer',
      callsBack: false,
      aliasesOwned: false,
      write,
      encode: value => utf8.encode(value),
      read: (source, start, end) => utf8.read(source, start, end),
      readOwned: (source, start, end) => utf8.read(source, start, end)
    }
    const found = [fields.encode(outer, 'outer 1'), fields.encode(outer, 'outer 2'), ...inner]
    expect(found.map(bytes => utf8.read(bytes, 0, bytes.length))).toEqual(['outer 1', 'outer 2', 'inner', 'inner'])
  })

  it('are refused as the encoding refuses them', () => {
    const fields = new FieldEncoder()
    expect(() => fields.encode(utf8, Uint8Array.of(1))).toThrow(expect.objectContaining({ name: 'LightningError' }))
    expect(() => fields.encode(utf8, 'half \ud83d')).toThrow(expect.objectContaining({ name: 'LightningError' }))
    expect(fields.encode(utf8, 'a')).toEqual(Uint8Array.of(0x61))
  })
})
