import { describe, expect, it } from 'vitest'
import type { KeyEncodingChoice, ValueEncodingChoice } from '../../../src/index.ts'
import { callUnchecked, rejection, type Target } from '../../support/database.ts'
import { all, openNew, refusal } from '../../support/either.ts'

/** What encodings make of keys and values that are stored. */
export function encodings(target: Target): void {
  describe('msgpack', () => {
    it('brings every structured value back', async () => {
      const db = await openNew(target)
      const values = [
        null,
        true,
        -0,
        1.5,
        2 ** 53,
        -(2n ** 70n),
        '',
        '\ufeffé💡',
        new Date(1_700_000_000_123),
        Uint8Array.of(1, 2),
        Float64Array.of(0.5),
        [1, [2, [undefined]]],
        { a: undefined, b: { c: [] } },
        new Map<unknown, unknown>([
          [1, 'one'],
          ['k', new Set([1])]
        ])
      ]
      await db.batch(values.map((value, i) => ({ type: 'put', key: `k${i}`, value })))
      for (const [i, value] of values.entries()) {
        expect(await db.get(`k${i}`)).toEqual(value)
        expect(Object.is(await db.get(`k${i}`), -0)).toBe(Object.is(value, -0))
      }
    })

    it('refuses what it could not bring back', async () => {
      const db = await openNew(target)
      const circular: unknown[] = []
      circular.push(circular)
      for (const value of [undefined, () => 1, circular, [() => 1]]) {
        await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('a', value))
      }
      expect(await db.has('a')).toBe(false)
    })
  })

  describe('tuple keys', () => {
    it('stand in their natural order, and have prefixes by elements', async () => {
      const db = await openNew(target, { keyEncoding: 'tuple' })
      const keys = [
        null,
        false,
        true,
        -5,
        0,
        2,
        10,
        new Date(5),
        '',
        'a',
        'b',
        Uint8Array.of(0),
        ['a'],
        ['a', 1],
        ['ab']
      ]
      await db.batch([...keys].reverse().map(key => ({ type: 'put', key, value: 1 })))
      expect(await all(db.keys())).toEqual(keys)
      expect(await all(db.keys({ prefix: ['a'] }))).toEqual([['a'], ['a', 1]])
      expect(await all(db.keys({ gte: 0, lt: new Date(0) }))).toEqual([0, 2, 10])
      await rejection('LIGHTNING_INVALID_ARGUMENT', db.put(Number.NaN, 1))
    })
  })

  describe('a codec', () => {
    const point = {
      name: 'point',
      encode: ({ x, y }: { x: number; y: number }) => Uint8Array.of(x, y),
      decode: (bytes: Uint8Array) => ({ x: bytes[0] ?? 0, y: bytes[1] ?? 0 })
    }

    it('serves keys and values', async () => {
      const db = await openNew(target, { keyEncoding: point, valueEncoding: point })
      await db.put({ x: 2, y: 1 }, { x: 5, y: 6 })
      await db.put({ x: 1, y: 9 }, { x: 7, y: 8 })
      expect(await all(db.entries())).toEqual([
        [
          { x: 1, y: 9 },
          { x: 7, y: 8 }
        ],
        [
          { x: 2, y: 1 },
          { x: 5, y: 6 }
        ]
      ])
    })

    it('that throws is the cause, and nothing is written', async () => {
      const db = await openNew(target)
      const mine = new Error('mine')
      const broken = {
        encode(_: string): Uint8Array {
          throw mine
        },
        decode(_: Uint8Array): string {
          throw mine
        }
      }
      await db.put('a', 1)
      const error = await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('a', 'x', { valueEncoding: broken }))
      expect(error.cause).toBe(mine)
      expect((await refusal('LIGHTNING_DECODE', () => db.get('a', { valueEncoding: broken }))).cause).toBe(mine)
      expect(await db.get('a')).toBe(1)
    })

    it('may use the database while it encodes', async () => {
      const db = await openNew(target)
      const seen: unknown[] = []
      const nosy = {
        format: 'utf8' as const,
        encode(text: string): string {
          seen.push(db.count(), db.get('suffix'), db.put(`seen ${text}`, 1))
          return `${text}!`
        },
        decode: (text: string): string => text
      }
      await db.put('suffix', '!')
      await db.put('a', 'x', { valueEncoding: nosy })
      expect(await Promise.all(seen)).toEqual([1, '!', undefined])
      expect(await all(db.entries({ prefix: 'seen' }))).toEqual([['seen x', 1]])
      expect(await db.get('a', { valueEncoding: 'utf8' })).toBe('x!')
    })
  })

  describe('what the code of a key or value throws while it is encoded', () => {
    const mine = new Error('mine')
    const throwing = {
      get member(): never {
        throw mine
      }
    }
    const values: readonly (readonly [ValueEncodingChoice, unknown])[] = [
      ['msgpack', { deep: [throwing] }],
      ['json', { deep: [throwing] }],
      ['json', { toJSON: () => throwing.member }],
      [{ encode: ({ member }: { member: Uint8Array }) => member, decode: () => 1 }, throwing]
    ]

    it.each(values)('is the cause of a refusal of the value (%s)', async (valueEncoding, value) => {
      const db = await openNew(target)
      const before = await db.sequence()
      await using tx = await db.begin()
      for (const at of [db, tx]) {
        const calls = [
          () => callUnchecked(at, 'put', 'a', value, { valueEncoding }),
          () => callUnchecked(at, 'batch', [{ type: 'put', key: 'a', value, valueEncoding }])
        ]
        for (const call of calls) expect((await refusal('LIGHTNING_INVALID_ARGUMENT', call)).cause).toBe(mine)
      }
      expect([await db.sequence(), await tx.has('a')]).toEqual([before, false])
    })

    const keys: readonly (readonly [KeyEncodingChoice, unknown])[] = [
      ['tuple', Object.defineProperty([0, 1], 0, { get: () => throwing.member })],
      ['tuple', [[0, Object.defineProperty([0], 0, { get: () => throwing.member })]]],
      [{ encode: ({ member }: { member: Uint8Array }) => member, decode: () => 1 }, throwing]
    ]

    it.each(keys)('is the cause of a refusal of the key (%s)', async (keyEncoding, key) => {
      const db = await openNew(target)
      const before = await db.sequence()
      const calls = [
        () => callUnchecked(db, 'get', key, { keyEncoding }),
        () => callUnchecked(db, 'put', key, 1, { keyEncoding }),
        () => callUnchecked(db, 'clear', { gt: key, keyEncoding }),
        () => callUnchecked(db, 'batch', [{ type: 'del', key, keyEncoding }])
      ]
      for (const call of calls) expect((await refusal('LIGHTNING_INVALID_ARGUMENT', call)).cause).toBe(mine)
      expect(await db.sequence()).toBe(before)
    })
  })

  it('text is strict: ill-formed strings are refused, a byte order mark is kept', async () => {
    const db = await openNew(target, { valueEncoding: 'utf8' })
    await rejection('LIGHTNING_INVALID_ARGUMENT', db.put('a', 'x\udfff'))
    await db.put('\ufeffk', '\ufeffv')
    expect(await all(db.entries())).toEqual([['\ufeffk', '\ufeffv']])
  })
}
