import fc from 'fast-check'
import { Unpackr, Packr } from 'msgpackr'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { valueEncodingOf } from '../../src/encoding/encodings.ts'
import { largestDepth } from '../../src/encoding/msgpack-format.ts'
import { bytesOf, expectCode, hex, roundTrip, seeded, tryRead } from './support.ts'

const msgpack = valueEncodingOf('msgpack', 'test')

const typedArray = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array()
)
const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.5,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 53
  ),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.date({ noInvalidDate: false }),
  typedArray
)
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', '')
)
const { value } = fc.letrec<{ value: unknown; inner: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('inner'), { maxLength: 5 }),
    fc.dictionary(name, tie('inner'), { maxKeys: 5 }),
    fc.array(fc.tuple(tie('inner'), tie('inner')), { maxLength: 3 }).map(entries => new Map(entries)),
    fc.array(tie('inner'), { maxLength: 3 }).map(members => new Set(members))
  ),
  inner: fc.oneof({ maxDepth: 4 }, fc.constant(undefined), tie('value'))
}))

describe("the encoding 'msgpack'", () => {
  it('gives every structured value back', () => {
    fc.assert(
      fc.property(value, some => {
        const read = roundTrip(msgpack, some)
        // Objects made without a prototype come back with the usual one, hence by contents.
        expect(read).toEqual(structuredClone(some))
        expect(shape(read)).toBe(shape(some))
      }),
      { ...seeded, numRuns: 1_000 }
    )
  })

  it('writes the bytes that the documentation shows', () => {
    const documented: [unknown, string][] = [
      [{ a: 1, b: [null, true, 'é'] }, '82 a1 61 01 a1 62 93 c0 c3 a2 c3 a9'],
      [-33, 'd0 df'],
      [2 ** 32 - 1, 'ce ff ff ff ff'],
      [2 ** 32, 'ca 4f 80 00 00'],
      [0.1, 'cb 3f b9 99 99 99 99 99 9a'],
      [-0, 'ca 80 00 00 00'],
      [Uint8Array.of(1, 2), 'c4 02 01 02'],
      [new Date(1_000), 'd6 ff 00 00 00 01'],
      [new Date(1_500), 'd7 ff 77 35 94 00 00 00 00 01'],
      [new Date(-1), 'c7 0c ff 3b 8b 87 c0 ff ff ff ff ff ff ff ff'],
      [new Date(Number.NaN), 'c7 00 03'],
      [[undefined], '91 d4 01 00'],
      [-2n, 'd7 02 ff ff ff ff ff ff ff fe'],
      [2n ** 63n, 'd8 02 00 00 00 00 00 00 00 00 80 00 00 00 00 00 00 00'],
      [new Map([[1, 'a']]), 'c9 00 00 00 03 04 01 a1 61'],
      [new Set([5]), 'c9 00 00 00 01 05 05'],
      [Int16Array.of(1), 'c7 03 06 03 01 00']
    ]
    for (const [some, digits] of documented) expect(hex(msgpack, some)).toBe(digits.replaceAll(' ', ''))
  })

  it('keeps the length of everything at the bounds of its forms', () => {
    for (const length of [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]) {
      const text = 'x'.repeat(length)
      expect(roundTrip(msgpack, text) === text).toBe(true)
      const accented = 'é'.repeat(length)
      expect(roundTrip(msgpack, ['before', accented, 'after'])).toEqual(['before', accented, 'after'])
      const bytes = new Uint8Array(length).fill(7)
      expect(Buffer.from(bytes).equals(roundTrip(msgpack, bytes) as Uint8Array)).toBe(true)
      const list = Array.from({ length }, (_, i) => i & 63)
      expect(String(roundTrip(msgpack, list)) === String(list)).toBe(true)
      const object = Object.fromEntries(list.map((member, i) => [`m${i}`, member]))
      expect(JSON.stringify(roundTrip(msgpack, object)) === JSON.stringify(object)).toBe(true)
      expect(new Set(roundTrip(msgpack, new Set(list)) as Set<number>).size).toBe(Math.min(length, 64))
    }
  })

  it('keeps whole numbers at the bounds of their forms', () => {
    for (let bits = 0; bits <= 64; bits++) {
      for (const sign of [1, -1]) {
        for (const difference of [-1, 0, 1]) {
          const number = sign * 2 ** bits + difference
          expect(Object.is(roundTrip(msgpack, number), number)).toBe(true)
          const big = BigInt(sign) * 2n ** BigInt(bits) + BigInt(difference)
          expect(roundTrip(msgpack, big)).toBe(big)
        }
      }
    }
  })

  it('tells undefined members from missing ones', () => {
    expect(roundTrip(msgpack, { a: undefined })).toStrictEqual({ a: undefined })
    expect(roundTrip(msgpack, [undefined])).toStrictEqual([undefined])
    expect(Object.keys(roundTrip(msgpack, { a: undefined }) as object)).toEqual(['a'])
  })

  it('keeps dates of every kind', () => {
    for (const ms of [
      0,
      1,
      -1,
      999,
      1_000,
      -1_000,
      2 ** 32 * 1_000,
      2 ** 34 * 1_000,
      2 ** 34 * 1_000 - 1,
      8.64e15,
      -8.64e15,
      Number.NaN
    ]) {
      expect((roundTrip(msgpack, new Date(ms)) as Date).getTime()).toBe(ms)
    }
  })

  it('keeps array buffers and data views', () => {
    const buffer = Uint8Array.of(1, 2, 3, 4).buffer
    expect(roundTrip(msgpack, buffer)).toEqual(buffer)
    const view = roundTrip(msgpack, new DataView(buffer, 1, 2))
    expect(view).toBeInstanceOf(DataView)
    expect([(view as DataView).byteLength, (view as DataView).getUint16(0)]).toEqual([2, 0x0203])
    expect(roundTrip(msgpack, Buffer.from('ab'))).toStrictEqual(Uint8Array.of(0x61, 0x62))
  })

  it('does not let stored names reach prototypes', () => {
    const read = roundTrip(msgpack, JSON.parse('{"__proto__":{"polluted":true}}'))
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.keys(read as object)).toEqual(['__proto__'])
  })

  it('stores what objects of classes and other realms own', () => {
    class Point {
      x = 1
      get double() {
        return this.x * 2
      }
    }
    expect(roundTrip(msgpack, new Point())).toStrictEqual({ x: 1 })
    expect(roundTrip(msgpack, Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
    const foreign: unknown = runInNewContext(
      '({ d: new Date(5), m: new Map([[1, new Set([2])]]), b: Uint8Array.of(1), i: Int16Array.of(3) })'
    )
    const ours = { d: new Date(5), m: new Map([[1, new Set([2])]]), b: Uint8Array.of(1), i: Int16Array.of(3) }
    expect(roundTrip(msgpack, foreign)).toStrictEqual(ours)
  })

  it('refuses what it could not give back', () => {
    const circular: { self?: unknown; list: unknown[] } = { list: [] }
    circular.list.push(new Map([[1, new Set([circular])]]))
    const wide: unknown[] = Array.from({ length: 100_000 }, (_, i) => i)
    wide.push(wide)
    const strangers = ['Map', 'Set', 'Date', 'ArrayBuffer', 'Int8Array', 'Stranger'].map(tag =>
      Object.create({ [Symbol.toStringTag]: tag })
    )
    const unstorable = [
      () => 1,
      Symbol('s'),
      new WeakMap(),
      Promise.resolve(),
      /x/,
      new Error('e'),
      new SharedArrayBuffer(1),
      new String('s')
    ]
    for (const some of [undefined, ...unstorable, ...strangers, '\ud800', circular, wide]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => msgpack.encode(some))
    }
    for (const some of [...unstorable, { '\udc00': 1 }]) {
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => msgpack.write({ a: [some] }, new Uint8Array(1_000), 0, 1_000))
    }
  })

  it('takes one object in many places for many', () => {
    const shared = { a: 1 }
    let nested: unknown = [shared, shared]
    for (let i = 0; i < 20; i++) nested = [shared, nested]
    expect(roundTrip(msgpack, nested)).toEqual(nested)
  })

  it('bounds nesting, written and read', () => {
    let deep: unknown = 1
    for (let i = 0; i < largestDepth; i++) deep = i % 2 === 0 ? [deep] : { a: deep }
    expect(roundTrip(msgpack, deep)).toStrictEqual(deep)
    expectCode('LIGHTNING_INVALID_ARGUMENT', () => msgpack.encode([deep]))
    for (const digits of ['91', 'dd00000001', '81a161', 'c9000f423f04', 'c9000f423f05']) {
      expect(tryRead(msgpack, bytesOf(digits.repeat(200_000)))).toBe('refused')
    }
  })

  it('survives a getter that stores something, even if the memory grows under it', () => {
    const target = new Uint8Array(100)
    const meddling = {
      a: 1,
      get b() {
        msgpack.encode({ something: 'else', entirely: [1, 2, 3] })
        return 2
      }
    }
    expect(hex(msgpack, meddling)).toBe(hex(msgpack, { a: 1, b: 2 }))
    const growing = {
      get a() {
        structuredClone(target.buffer, { transfer: [target.buffer] })
        return 1
      }
    }
    expect(msgpack.write(growing, target, 0, 100)).toBe(-1)
    const failing = {
      get a() {
        throw new Error('mine')
      }
    }
    const { cause } = expectCode('LIGHTNING_INVALID_ARGUMENT', () => msgpack.encode(failing))
    expect(cause).toEqual(new Error('mine'))
    expect(roundTrip(msgpack, { a: 1 })).toEqual({ a: 1 })
  })

  it('answers -1 and writes nothing when there is no room', () => {
    const target = new Uint8Array(200)
    expect(msgpack.write({ a: 'x'.repeat(100) }, target, 0, 104)).toBe(-1)
    expect(target.every(byte => byte === 0)).toBe(true)
    expect(msgpack.write({ a: 'x'.repeat(100) }, target, 0, 105)).toBe(105)
  })
})

describe('MessagePack of others', () => {
  const theirs = {
    packer: new Packr({ useRecords: false }),
    unpacker: new Unpackr({ useRecords: false })
  }

  it('is read, and reads ours, within the standard', () => {
    const standard = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(standard, some => {
        const plain: unknown = JSON.parse(JSON.stringify(some))
        const packed = Uint8Array.from(theirs.packer.pack(plain))
        expect(msgpack.read(packed, 0, packed.length)).toEqual(plain)
        expect(theirs.unpacker.unpack(msgpack.encode(plain))).toEqual(plain)
      }),
      seeded
    )
  })

  it('shares bytes, dates and 64-bit integers', () => {
    for (const date of [new Date(0), new Date(1.7e12), new Date(1.7e12 + 1), new Date(-5), new Date(2 ** 36 * 1_000)]) {
      expect(theirs.unpacker.unpack(msgpack.encode(date))).toEqual(date)
      expect(tryRead(msgpack, theirs.packer.pack(date))).toEqual({ value: date })
    }
    expect(tryRead(msgpack, bytesOf('cf ff ff ff ff ff ff ff ff'))).toEqual({ value: 2n ** 64n - 1n })
    expect(tryRead(msgpack, bytesOf('cf 00 00 00 01 00 00 00 00'))).toEqual({ value: 2 ** 32 })
    expect(tryRead(msgpack, bytesOf('d3 ff ff ff ff 00 00 00 00'))).toEqual({ value: -(2 ** 32) })
    expect(tryRead(msgpack, bytesOf('82 01 a1 61 c4 00 00'))).toBe('refused')
    expect(tryRead(msgpack, bytesOf('81 01 a1 61'))).toEqual({ value: { 1: 'a' } })
    expect(tryRead(msgpack, bytesOf('d9 01 61'))).toEqual({ value: 'a' })
    expect(tryRead(msgpack, bytesOf('81 d9 01 61 01'))).toEqual({ value: { a: 1 } })
  })
})

describe('reading MessagePack', () => {
  it('never does anything but read or refuse', () => {
    const nearlyValue = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }), fc.nat())
        .map(([some, changes, cut]) => {
          const bytes = msgpack.encode(some)
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
        })
    )
    let accepted = 0
    fc.assert(
      fc.property(nearlyValue, bytes => {
        const read = tryRead(msgpack, bytes)
        if (read === 'refused' || read.value === undefined) return
        accepted++
        // What was read is a value like any other.
        expect(shape(roundTrip(msgpack, read.value))).toBe(shape(read.value))
      }),
      { ...seeded, numRuns: 5_000 }
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('refuses the damaged forms one by one', () => {
    const damaged = {
      'no bytes': '',
      'the byte that is never used': 'c1',
      'a second value': '01 01',
      'text cut off': 'a2 61',
      'ill-formed text': 'a1 ff',
      'an ill-formed name': '81 a1 ff 01',
      'a name that is an array': '81 90 01',
      'an array of four thousand million': 'dd ff ff ff ff',
      'an object of four thousand million': 'df ff ff ff ff',
      'bytes of four thousand million': 'c6 ff ff ff ff 00',
      'an array within its own count': 'dc 00 03 dc 00 03 01',
      'an extension of no known type': 'd4 07 00',
      'undefined of two bytes': 'd5 01 00 00',
      'a bigint of no bytes': 'c7 00 02',
      'a bigint of three bytes': 'c7 03 02 00 00 00',
      'an invalid date with bytes': 'd4 03 00',
      'a timestamp of one byte': 'd4 ff 00',
      'a timestamp with too many nanoseconds': 'd7 ff ff ff ff ff 00 00 00 00',
      'a timestamp out of range': 'c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff',
      'a map without its last value': 'c7 01 04 01',
      'a map whose value reaches beyond it': 'c7 02 04 01 a1 61',
      'a set cut off': 'c7 03 05 01',
      'a typed array of no kind': 'c7 00 06',
      'a typed array of an unknown kind': 'd4 06 7f',
      'a typed array with half an element': 'd5 06 03 00'
    }
    for (const [what, digits] of Object.entries(damaged))
      expect([what, tryRead(msgpack, bytesOf(digits))]).toEqual([what, 'refused'])
  })

  it('does not allocate for counts that the bytes do not hold', () => {
    // Each level claims as many elements as there are bytes left; reserving room for them would take gigabytes.
    const bytes = new Uint8Array(1_000_000)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < largestDepth; i++) {
      view.setUint8(i * 5, 0xdd)
      view.setUint32(i * 5 + 1, bytes.length - (i + 1) * 5)
    }
    const before = process.memoryUsage().heapUsed
    expect(tryRead(msgpack, bytes)).toBe('refused')
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 2 ** 20)
  })
})

/** A value in a form that tells -0, NaN, undefined, kinds of objects and all contents apart. */
function shape(some: unknown): string {
  if (typeof some !== 'object' || some === null) {
    return Object.is(some, -0)
      ? '-0'
      : `${typeof some} ${typeof some === 'string' ? JSON.stringify(some) : String(some)}`
  }
  const kind = Object.prototype.toString.call(some)
  if (some instanceof Date) return `${kind}(${some.getTime()})`
  if (Array.isArray(some)) return `[${some.map(shape).join()}]`
  if (some instanceof Map) return `${kind}(${[...some].map(shape).join()})`
  if (some instanceof Set) return `${kind}(${[...some].map(shape).join()})`
  if (some instanceof ArrayBuffer) return `${kind}(${Buffer.from(some).toString('hex')})`
  if (ArrayBuffer.isView(some))
    return `${kind}(${Buffer.from(some.buffer, some.byteOffset, some.byteLength).toString('hex')})`
  return `{${Object.entries(some).map(shape).join()}}`
}
