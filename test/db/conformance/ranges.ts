import { describe, expect, it } from 'vitest'
import type { RangeOptions } from '../../../src/index.ts'
import type { Target } from '../../support/database.ts'
import { all, end, type AnyDatabase, openNew, refusal } from '../../support/either.ts'

/** A codec for bytes. */
const hexadecimal = {
  format: 'utf8' as const,
  encode: (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(''),
  decode: (text: string) =>
    Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

const letters = ['a', 'b', 'ba', 'bb', 'c', 'd']

/** Reads of ranges, and iterators. */
export function readsOfRanges(target: Target): void {
  async function withLetters(): Promise<AnyDatabase<string, unknown>> {
    const db = await openNew(target)
    await db.batch(letters.map(key => ({ type: 'put', key, value: key.toUpperCase() })))
    return db
  }

  describe('a range', () => {
    const cases: [RangeOptions<string> | undefined, string[]][] = [
      [undefined, letters],
      [{}, letters],
      [{ gt: 'b' }, ['ba', 'bb', 'c', 'd']],
      [{ gte: 'b', lt: 'c' }, ['b', 'ba', 'bb']],
      [{ gt: 'b', lte: 'c' }, ['ba', 'bb', 'c']],
      [{ prefix: 'b' }, ['b', 'ba', 'bb']],
      [{ prefix: 'b', gt: 'ba' }, ['bb']],
      [{ prefix: '' }, letters],
      [{ gt: '', lte: 'a' }, ['a']],
      [{ lt: '' }, []],
      [{ gt: 'z' }, []],
      [{ gt: 'd', lt: 'a' }, []],
      [{ reverse: true }, [...letters].reverse()],
      [{ reverse: true, prefix: 'b', limit: 2 }, ['bb', 'ba']],
      [{ limit: 2 }, ['a', 'b']],
      [{ limit: 0 }, []],
      [{ limit: -1 }, letters],
      [{ limit: Number.POSITIVE_INFINITY, lt: undefined }, letters]
    ]
    it.each(cases)('%j holds %j', async (range, keys) => {
      const db = await withLetters()
      const upper = keys.map(key => key.toUpperCase())
      expect(await all(db.keys(range))).toEqual(keys)
      expect(await all(db.values(range))).toEqual(upper)
      expect(await all(db.entries(range))).toEqual(keys.map((key, i) => [key, upper[i]]))
      expect(await db.count(range)).toBe(keys.length)
      await db.clear(range)
      expect(await all(db.keys())).toEqual(letters.filter(key => !keys.includes(key)))
    })

    it('takes encodings and bounds of another kind for one call', async () => {
      const db = await withLetters()
      const bytes = await all(db.keys({ gte: Uint8Array.of(0x63), keyEncoding: 'view' }))
      expect(bytes).toEqual([Uint8Array.of(0x63), Uint8Array.of(0x64)])
      expect(await db.count({ prefix: Uint8Array.of(0x62), keyEncoding: 'view' })).toBe(3)
      expect((await all(db.values({ limit: 1, valueEncoding: 'view' })))[0]).toBeInstanceOf(Uint8Array)
    })

    it.each([
      ['view', 40],
      ['view', 400],
      ['msgpack', 40],
      ['utf8', 40],
      [hexadecimal, 40]
    ] as const)(
      'gives rows that stay as they are while others are read: %j, values of %i bytes',
      async (encoding, length) => {
        const db = await openNew(target, { valueEncoding: encoding })
        const keys = Array.from({ length: 300 }, (_, i) => `key:${String(i).padStart(12, '0')}`)
        const madeFor = (key: string): unknown => {
          const bytes = new Uint8Array(length).fill(Number(key.slice(4)))
          return encoding === 'utf8' ? key.padEnd(length, '-') : bytes
        }
        await db.batch(keys.map(key => ({ type: 'put', key, value: madeFor(key) })))
        const rows: [string, unknown][] = []
        for await (const row of db.entries()) {
          rows.push(row)
          // Iterators that end, that are left, and that go on.
          if (rows.length % 50 === 7) {
            expect(await all(db.keys({ gt: row[0] }))).toEqual(keys.slice(rows.length))
            await end(db.entries({ reverse: true }))
            await db.values({ gte: row[0] }).next()
          }
        }
        expect(rows).toEqual(keys.map(key => [key, madeFor(key)]))
        // Nobody else's memory: what is done to a value shows nowhere.
        for (const [, value] of rows) if (value instanceof Uint8Array) value.fill(0xee)
        expect(await all(db.values())).toEqual(keys.map(madeFor))
      }
    )

    it('gives a codec the bytes of its row, whatever it reads meanwhile', async () => {
      const db = await openNew(target)
      await db.batch(letters.flatMap(key => [key, `z${key}`]).map(key => ({ type: 'put', key, value: key })))
      let meddle: (() => unknown) | undefined
      const meddling = {
        encode: (text: string) => new TextEncoder().encode(text),
        decode: (bytes: Uint8Array) => {
          const meddler = meddle
          meddle = undefined
          meddler?.()
          return new TextDecoder().decode(bytes)
        }
      }
      const values = db.entries({ lt: 'z', keyEncoding: meddling })
      const rows: unknown[] = []
      for await (const row of values) {
        rows.push(row)
        if (rows.length !== 2) continue
        meddle = () => {
          void values.return?.()
          void db.entries({ gte: 'z', reverse: true }).next()
        }
      }
      expect(rows).toEqual(['a', 'b', 'ba'].map(key => [key, key]))
    })

    it.each(['keyEncoding', 'valueEncoding'])('keeps rows together when the codec of %s takes a step', async which => {
      const db = await openNew(target, { valueEncoding: 'utf8' })
      // Values that stand beside their keys, and values that do not.
      const madeFor = (key: string): string => key.repeat(key === 'ba' ? 50_000 : 5)
      await db.batch(letters.map(key => ({ type: 'put', key, value: madeFor(key) })))
      let step: (() => unknown) | undefined
      const stepping = {
        format: 'utf8' as const,
        encode: (text: string) => text,
        decode: (text: string) => {
          const taken = step
          step = undefined
          taken?.()
          return text
        }
      }
      for (const at of [1, 2]) {
        const entries = db.entries({ [which]: stepping })
        const rows: unknown[] = []
        let between: unknown
        for await (const row of entries) {
          rows.push(row)
          if (rows.length === at) step = () => (between = entries.next())
        }
        rows.push(Reflect.get(Object(await between), 'value'))
        expect(rows.sort()).toEqual(letters.map(key => [key, madeFor(key)]))
      }
    })

    it('follows the unsigned order of bytes', async () => {
      const db = await openNew(target, { keyEncoding: 'view', valueEncoding: 'view' })
      const keys = [[255, 0], [0], [127], [128], [0, 0], [255], [1, 2]].map(key => Uint8Array.from(key))
      for (const key of keys) void db.put(key, key)
      await db.flush()
      const ordered = [[0], [0, 0], [1, 2], [127], [128], [255], [255, 0]]
      expect((await all(db.keys())).map(key => [...key])).toEqual(ordered)
      expect((await all(db.values({ reverse: true }))).map(key => [...key])).toEqual(ordered.reverse())
      expect((await all(db.keys({ prefix: Uint8Array.of(255) }))).map(key => [...key])).toEqual([[255], [255, 0]])
    })
  })

  describe('an iterator', () => {
    it('goes through more rows than come in one batch, both ways', async () => {
      const db = await openNew(target)
      const keys = Array.from({ length: 3_000 }, (_, i) => `key ${String(i).padStart(6, '0')}`)
      await db.batch(keys.map((key, value) => ({ type: 'put', key, value })))
      expect(await all(db.keys())).toEqual(keys)
      expect(await all(db.values({ reverse: true }))).toEqual(keys.map((_, i) => keys.length - 1 - i))
      expect(await all(db.keys({ limit: 700, gt: keys[100] }))).toEqual(keys.slice(101, 801))
    })

    it('brings large values too', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      const sizes = [0, 10, 5_000, 300_000, 3, 2_000_000]
      for (const [i, size] of sizes.entries()) void db.put(`k${i}`, new Uint8Array(size).fill(i))
      await db.flush()
      const found = await all(db.values())
      expect(found.map(bytes => bytes.length)).toEqual(sizes)
      for (const [i, bytes] of found.entries()) expect(bytes.every(byte => byte === i)).toBe(true)
    })

    it('sees the state of its first step, whatever is written afterwards', async () => {
      const db = await withLetters()
      const iterator = db.keys()
      await db.put('aa', 1)
      expect(await iterator.next()).toEqual({ done: false, value: 'a' })
      await db.put('ab', 1)
      await db.clear({ gte: 'b' })
      expect(await all(iterator)).toEqual(['aa', 'b', 'ba', 'bb', 'c', 'd'])
      expect(await all(db.keys())).toEqual(['a', 'aa', 'ab'])
    })

    it('can delete what it delivers', async () => {
      const db = await withLetters()
      for await (const key of db.keys()) void db.del(key)
      expect(await db.count()).toBe(0)
    })

    it('ends for good at its end, on break and on return', async () => {
      const db = await withLetters()
      const whole = db.keys()
      expect(await all(whole)).toHaveLength(letters.length)
      expect(await whole.next()).toEqual({ done: true, value: undefined })
      const broken = db.keys()
      for await (const key of broken) if (key === 'b') break
      expect(await broken.next()).toEqual({ done: true, value: undefined })
      const returned = db.entries()
      await returned.next()
      expect(await returned.return()).toEqual({ done: true, value: undefined })
      expect(await all(returned)).toEqual([])
      expect(await db.values().return()).toEqual({ done: true, value: undefined })
    })

    it('is closed by `using`', async () => {
      const db = await withLetters()
      const iterator = db.keys()
      await iterator.next()
      await end(iterator)
      expect((await iterator.next()).done).toBe(true)
    })

    it('serves `for await` as well', async () => {
      const db = await withLetters()
      const keys: string[] = []
      for await (const key of db.keys({ limit: 3 })) keys.push(key)
      expect(keys).toEqual(letters.slice(0, 3))
    })

    it('closes itself when a value cannot be decoded', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.batch(letters.map(key => ({ type: 'put', key, value: Uint8Array.of(0xff) })))
      const iterator = db.values({ valueEncoding: 'utf8' })
      await refusal('LIGHTNING_DECODE', () => iterator.next())
      expect((await iterator.next()).done).toBe(true)
    })

    it('tells under which key a value stands that cannot be decoded', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('good', Uint8Array.of(0x61))
      await db.put('grim', Uint8Array.of(0xff))
      for (const iterator of [db.values({ valueEncoding: 'utf8' }), db.entries({ valueEncoding: 'utf8' })]) {
        await iterator.next()
        const { message, keyRange } = await refusal('LIGHTNING_DECODE', () => iterator.next())
        expect(message).toContain('under the key "grim"')
        expect(await db.count({ gte: keyRange?.from, lt: keyRange?.to, keyEncoding: 'view' })).toBe(1)
      }
    })

    it('tells the key of the row that a codec refused, though it took a step before', async () => {
      const db = await withLetters()
      let step: (() => unknown) | undefined
      const refusing = {
        encode: () => new Uint8Array(0),
        decode: () => {
          if (step === undefined) return 1
          step()
          throw new Error('refused')
        }
      }
      const values = db.values({ valueEncoding: refusing })
      await values.next()
      let between: unknown
      step = () => {
        step = undefined
        between = values.next()
      }
      const { keyRange } = await refusal('LIGHTNING_DECODE', () => values.next())
      expect(keyRange?.from).toEqual(new TextEncoder().encode('b'))
      await between
    })

    it('does not disturb others', async () => {
      const db = await withLetters()
      const pairs: string[] = []
      for await (const first of db.keys({ limit: 2 }))
        for await (const second of db.keys({ limit: 2 })) pairs.push(first + second)
      expect(pairs).toEqual(['aa', 'ab', 'ba', 'bb'])
    })
  })
}
