import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../support/bytes.ts'
import type { Target } from '../../support/database.ts'
import { all, openNew, refusal } from '../../support/either.ts'

/** Reads of single keys. */
export function readsOfKeys(target: Target): void {
  describe('get', () => {
    it('gives the value that was put last, and undefined for what is missing or deleted', async () => {
      const db = await openNew(target)
      expect(await db.get('a')).toBeUndefined()
      void db.put('a', 1)
      void db.put('a', { n: 2 })
      expect(await db.get('a')).toEqual({ n: 2 })
      await db.del('a')
      expect(await db.get('a')).toBeUndefined()
    })

    it('gives a new object every time', async () => {
      const db = await openNew(target)
      await db.put('a', { list: [1] })
      const first = await db.get('a')
      expect(await db.get('a')).not.toBe(first)
      expect(Object.isFrozen(first)).toBe(false)
    })

    it('takes encodings for one call', async () => {
      const db = await openNew(target, { valueEncoding: 'utf8' })
      await db.put('a', '"x"')
      expect(await db.get('a', { valueEncoding: 'json' })).toBe('x')
      expect(await db.get(Uint8Array.of(0x61), { keyEncoding: 'view' })).toBe('"x"')
      expect(await db.get('a', { keyEncoding: undefined, valueEncoding: undefined, snapshot: undefined })).toBe('"x"')
    })

    it('tells stored bytes that do not fit the encoding', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(0xff))
      await refusal('LIGHTNING_DECODE', () => db.get('a', { valueEncoding: 'utf8' }))
      await refusal('LIGHTNING_DECODE', () => db.get('a', { valueEncoding: 'json' }))
      expect(await db.get('a')).toEqual(Uint8Array.of(0xff))
    })

    it('gives bytes of their own', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(1, 2, 3))
      const own = await db.get('a')
      own?.fill(9)
      expect(await db.get('a')).toEqual(Uint8Array.of(1, 2, 3))
    })
  })

  describe('getMany', () => {
    it('gives the values in the order of the keys, undefined for what is missing', async () => {
      const db = await openNew(target)
      await db.batch([
        { type: 'put', key: 'a', value: 1 },
        { type: 'put', key: 'b', value: 2 }
      ])
      expect(await db.getMany(['b', 'x', 'a', 'b'])).toEqual([2, undefined, 1, 2])
      expect(await db.getMany([])).toEqual([])
      expect(await db.getMany([Uint8Array.of(0x62)], { keyEncoding: 'view' })).toEqual([2])
    })
  })

  describe('has', () => {
    it('tells whether the key is there, whatever its value', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', new Uint8Array(0))
      expect([await db.has('a'), await db.has('b')]).toEqual([true, false])
      expect(await db.has(Uint8Array.of(0x61), { keyEncoding: 'view' })).toBe(true)
    })
  })

  describe('read', () => {
    it('shows the stored bytes and returns what the callback returns', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(1, 2, 3))
      expect(await db.read('a', bytes => Array.from(bytes))).toEqual([1, 2, 3])
      expect(await db.read('a', () => undefined)).toBeUndefined()
    })

    it('does not call back for a missing key', async () => {
      const db = await openNew(target)
      const seen: number[] = []
      expect(await db.read('a', bytes => seen.push(bytes.length))).toBeUndefined()
      expect(seen).toEqual([])
    })

    it.each([5, 500, 2_000_000])('keeps what is stored from writes to its bytes (%i bytes)', async length => {
      const db = await openNew(target, { valueEncoding: 'view' })
      const value = new Uint8Array(length).fill(7)
      await db.put('a', value)
      await db.read('a', bytes => bytes.fill(9))
      expect(await db.read('a', bytes => equalBytes(bytes, value))).toBe(true)
      expect(equalBytes(await db.get('a'), value)).toBe(true)
    })

    it('lets the callback read, and read again', async () => {
      const db = await openNew(target, { valueEncoding: 'utf8' })
      await db.put('a', 'one')
      await db.put('b', 'two')
      const inner: unknown[] = []
      const first = await db.read('a', outer => {
        inner.push(
          db.read('b', bytes => bytes[0]),
          db.get('b'),
          all(db.keys())
        )
        return outer[0]
      })
      const result = [...(await Promise.all(inner)), first]
      expect(result).toEqual([0x74, 'two', ['a', 'b'], 0x6f])
    })

    it('refuses writes in the callback, which change nothing', async () => {
      const db = await openNew(target)
      const sublevel = db.sublevel('s')
      await db.put('a', 1)
      await sublevel.put('a', 1)
      const [tx, written] = [await db.begin(), await db.begin()]
      await written.put('b', 1)
      const writes = [
        () => db.put('a', 3),
        () => db.del('a'),
        () => db.clear(),
        () => db.batch([{ type: 'del', key: 'a' }]),
        () => db.batch([]),
        () => sublevel.put('a', 3),
        () => db.dropSublevel('s'),
        () => db.checkpoint(),
        () => db.compact(),
        () => tx.put('a', 3),
        () => written.commit()
      ]
      const outcomes: Promise<unknown>[] = []
      await db.read('a', () => {
        for (const write of writes) outcomes.push(refusal('LIGHTNING_INVALID_ARGUMENT', write))
      })
      expect(outcomes.length).toBe(writes.length)
      await Promise.all(outcomes)
      expect([await db.get('a'), await sublevel.get('a'), await db.get('b')]).toEqual([1, 1, undefined])
      await refusal('LIGHTNING_CLOSED', () => written.get('b'))
      await tx.commit()
      await db.put('a', 4)
      expect(await db.get('a')).toBe(4)
    })

    it.runIf(target.isRemote !== true)('refuses writes that do not wait in the callback as well', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      await db.read('a', () => {
        expect(() => db.putSync('a', 2)).toThrow(expect.objectContaining({ code: 'LIGHTNING_INVALID_ARGUMENT' }))
        expect(() => db.clearSync()).toThrow(expect.objectContaining({ code: 'LIGHTNING_INVALID_ARGUMENT' }))
      })
      expect(await db.get('a')).toBe(1)
    })

    it('refuses a promise from the callback', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.read('a', async bytes => bytes.length))
      await refusal('LIGHTNING_INVALID_ARGUMENT', () => db.read('a', () => Promise.reject(new Error('late'))))
    })

    it('lets what the callback throws pass unchanged, and works on', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const mine = new RangeError('mine')
      const thrown = (async () =>
        await db.read('a', () => {
          throw mine
        }))()
      await expect(thrown).rejects.toBe(mine)
      await db.put('a', 2)
      expect(await db.get('a')).toBe(2)
    })
  })

  it('sequence counts commits', async () => {
    const db = await openNew(target)
    const before = await db.sequence()
    await db.put('a', 1)
    await db.batch([
      { type: 'put', key: 'b', value: 1 },
      { type: 'del', key: 'a' }
    ])
    expect(await db.sequence()).toBe(before + 2)
    await db.get('a')
    expect(await db.sequence()).toBe(before + 2)
  })
}
