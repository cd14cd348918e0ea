import { describe, expect, it } from 'vitest'
import { checkSignal, checkTimeout, parseOpenOptions } from '../../src/db/options.ts'
import { checkKnown } from '../../src/encoding/arguments.ts'
import { expectCode } from '../encoding/support.ts'

const mib = 2 ** 20

/** The message with which these options are refused. */
function refused(options: unknown): string {
  return expectCode('LIGHTNING_INVALID_ARGUMENT', () => parseOpenOptions(options)).message
}

describe('the options of open', () => {
  it('have these defaults', () => {
    const { keyEncoding, valueEncoding, encodings, ...plain } = parseOpenOptions(undefined)
    expect([keyEncoding.name, valueEncoding.name]).toEqual(['utf8', 'msgpack'])
    expect(encodings.key('utf8', 'test')).toBe(keyEncoding)
    expect(plain).toEqual({
      createIfMissing: true,
      errorIfExists: false,
      readOnly: false,
      durability: 'strict',
      syncIntervalMs: 100,
      pageSize: undefined,
      cacheBytes: 64 * mib,
      valueCache: 0,
      compression: 'lz4',
      walBytes: 64 * mib,
      maxBytes: undefined,
      lockTimeoutMs: 10_000,
      maxSnapshotAgeMs: undefined,
      verifyWrites: false,
      wasm: undefined,
      logger: undefined
    })
  })

  it('take undefined for absent', () => {
    const names = Object.keys(parseOpenOptions({})).filter(name => name !== 'encodings')
    const allUndefined = Object.fromEntries(names.map(name => [name, undefined]))
    expect(JSON.stringify(parseOpenOptions(allUndefined))).toBe(JSON.stringify(parseOpenOptions(undefined)))
  })

  it('are refused as a whole when they are no object', () => {
    for (const options of [null, 5, 'utf8', [], () => 1]) refused(options)
  })

  it('are refused when unknown, with the nearest known name', () => {
    expect(refused({ cacheBites: 5 })).toContain("Did you mean 'cacheBytes'?")
    expect(refused({ readonly: true })).toContain("Did you mean 'readOnly'?")
    expect(refused({ valueEncodign: 'json' })).toContain("Did you mean 'valueEncoding'?")
    // As near to 'pageSize' as to what was meant.
    expect(refused({ cacheSize: 5 })).toContain('cacheBytes')
    expect(refused({ frobnicate: undefined })).toContain('createIfMissing, errorIfExists, readOnly')
    expect(refused({ ['x'.repeat(100_000)]: 1 })).toContain('The options here are')
    expect(refused(JSON.parse('{"__proto__": 1}'))).toContain("'__proto__'")
  })

  const legal: Record<string, readonly unknown[]> = {
    createIfMissing: [true, false],
    errorIfExists: [true, false],
    readOnly: [true, false],
    durability: ['strict', 'relaxed'],
    syncIntervalMs: [1, 100, 2 ** 31 - 1],
    pageSize: [4_096, 8_192, 16_384, 32_768, 65_536],
    cacheBytes: [4 * mib, 3 * 1_024 * mib],
    valueCache: [0, 10_000],
    compression: ['lz4', 'none'],
    walBytes: [mib, 1_024 * mib],
    maxBytes: [1, 2 ** 40],
    lockTimeoutMs: [0, 1, Number.POSITIVE_INFINITY],
    maxSnapshotAgeMs: [1, 60_000],
    verifyWrites: [true, false],
    wasm: [
      'off',
      'https://example.org/kernel.wasm',
      new URL('file:///kernel.wasm'),
      new Uint8Array(8),
      new ArrayBuffer(8)
    ],
    logger: [console, { debug() {}, info() {}, warn() {}, error() {} }]
  }
  const illegal: Record<string, readonly unknown[]> = {
    createIfMissing: [null, 0, 'true'],
    errorIfExists: [1],
    readOnly: ['false'],
    keyEncoding: ['msgpack', null, 5, {}],
    valueEncoding: ['tuple', null, 5, {}],
    durability: ['Strict', null, true],
    syncIntervalMs: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '100'],
    pageSize: [0, 2_048, 4_097, 12_288, 131_072, 16_384.5, '16384', null],
    cacheBytes: [0, 4 * mib - 1, 3 * 1_024 * mib + 1, 5e6 + 0.5, Number.NaN, Number.POSITIVE_INFINITY, null, 64n],
    valueCache: [-1, 0.5, Number.POSITIVE_INFINITY, true],
    compression: ['zstd', true, null],
    walBytes: [mib - 1, Number.NaN, Number.POSITIVE_INFINITY],
    maxBytes: [0, -1, 0.5, Number.NaN, null],
    lockTimeoutMs: [-1, 0.5, Number.NaN, 2 ** 31, null, '10'],
    maxSnapshotAgeMs: [0, -1, 0.5, 2 ** 31, null],
    verifyWrites: [1, null],
    wasm: ['', true, null, 5, {}],
    logger: [null, {}, () => 1, { debug() {}, info() {}, warn() {} }, []]
  }

  it.each(Object.entries(legal))('take legal values of %s', (name, values) => {
    for (const value of values) expect(Reflect.get(parseOpenOptions({ [name]: value }), name)).toBe(value)
  })

  it.each(Object.entries(illegal))('refuse illegal values of %s, naming it', (name, values) => {
    for (const value of values) expect(refused({ [name]: value })).toContain(`option ${name}`)
  })

  it('take Infinity for no limit', () => {
    const none = parseOpenOptions({ maxBytes: Number.POSITIVE_INFINITY, maxSnapshotAgeMs: Number.POSITIVE_INFINITY })
    expect([none.maxBytes, none.maxSnapshotAgeMs]).toEqual([undefined, undefined])
  })

  it('take codecs and names for encodings', () => {
    const codec = { name: 'mine', encode: () => new Uint8Array(1), decode: () => 1 }
    const { keyEncoding, valueEncoding } = parseOpenOptions({ keyEncoding: 'tuple', valueEncoding: codec })
    expect([keyEncoding.name, valueEncoding.name]).toEqual(['tuple', 'mine'])
  })

  it('take a compiled module', async () => {
    const module = await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    expect(parseOpenOptions({ wasm: module }).wasm).toBe(module)
  })
})

describe('the checks that calls share', () => {
  it('let inherited names pass', () => {
    const inherited = Object.create({ unheardOf: 1 }, { limit: { value: 5, enumerable: true } })
    expect(checkKnown(inherited, new Set(['limit']), 'test').limit).toBe(5)
  })

  it('take an AbortSignal or nothing', () => {
    const { signal } = new AbortController()
    expect([checkSignal(signal, 'test'), checkSignal(undefined, 'test')]).toEqual([signal, undefined])
    for (const value of [null, {}, new AbortController(), true]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => checkSignal(value, 'option signal'))
    }
  })

  it('take timeouts from 0 to for ever', () => {
    expect([undefined, 0, 5, Number.POSITIVE_INFINITY].map(ms => checkTimeout(ms, 7, 'test'))).toEqual([
      7,
      0,
      5,
      Number.POSITIVE_INFINITY
    ])
  })
})
