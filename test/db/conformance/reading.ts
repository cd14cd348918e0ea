import { describe, expect, it } from 'vitest'
import { expectCode } from '../../encoding/support.ts'
import { equalBytes } from '../../support/bytes.ts'
import { openNew, type Target } from '../../support/database.ts'

/** Reads of single keys. */
export function readsOfKeys(target: Target): void {
  describe('get', () => {
    it('gives the value that was put last, and undefined for what is missing or deleted', async () => {
      const db = await openNew(target)
      expect(db.get('a')).toBeUndefined()
      void db.put('a', 1)
      void db.put('a', { n: 2 })
      expect(db.get('a')).toEqual({ n: 2 })
      await db.del('a')
      expect(db.get('a')).toBeUndefined()
    })

    it('gives a new object every time', async () => {
      const db = await openNew(target)
      await db.put('a', { list: [1] })
      const first = db.get('a')
      expect(db.get('a')).not.toBe(first)
      expect(Object.isFrozen(first)).toBe(false)
    })

    it('takes encodings for one call', async () => {
      const db = await openNew(target, { valueEncoding: 'utf8' })
      await db.put('a', '"x"')
      expect(db.get('a', { valueEncoding: 'json' })).toBe('x')
      expect(db.get(Uint8Array.of(0x61), { keyEncoding: 'view' })).toBe('"x"')
      expect(db.get('a', { keyEncoding: undefined, valueEncoding: undefined, snapshot: undefined })).toBe('"x"')
    })

    it('tells stored bytes that do not fit the encoding', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(0xff))
      expectCode('LIGHTNING_DECODE', () => db.get('a', { valueEncoding: 'utf8' }))
      expectCode('LIGHTNING_DECODE', () => db.get('a', { valueEncoding: 'json' }))
      expect(db.get('a')).toEqual(Uint8Array.of(0xff))
    })

    it('gives bytes of their own', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(1, 2, 3))
      db.get('a')?.fill(9)
      expect(db.get('a')).toEqual(Uint8Array.of(1, 2, 3))
    })
  })

  describe('getMany', () => {
    it('gives the values in the order of the keys, undefined for what is missing', async () => {
      const db = await openNew(target)
      await db.batch([
        { type: 'put', key: 'a', value: 1 },
        { type: 'put', key: 'b', value: 2 }
      ])
      expect(db.getMany(['b', 'x', 'a', 'b'])).toEqual([2, undefined, 1, 2])
      expect(db.getMany([])).toEqual([])
      expect(db.getMany([Uint8Array.of(0x62)], { keyEncoding: 'view' })).toEqual([2])
    })
  })

  describe('has', () => {
    it('tells whether the key is there, whatever its value', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', new Uint8Array(0))
      expect([db.has('a'), db.has('b')]).toEqual([true, false])
      expect(db.has(Uint8Array.of(0x61), { keyEncoding: 'view' })).toBe(true)
    })
  })

  describe('read', () => {
    it('shows the stored bytes and returns what the callback returns', async () => {
      const db = await openNew(target, { valueEncoding: 'view' })
      await db.put('a', Uint8Array.of(1, 2, 3))
      expect(db.read('a', bytes => Array.from(bytes))).toEqual([1, 2, 3])
      expect(db.read('a', () => undefined)).toBeUndefined()
    })

    it('does not call back for a missing key', async () => {
      const db = await openNew(target)
      const seen: number[] = []
      expect(db.read('a', bytes => seen.push(bytes.length))).toBeUndefined()
      expect(seen).toEqual([])
    })

    it.each([5, 500, 2_000_000])('keeps what is stored from writes to its bytes (%i bytes)', async length => {
      const db = await openNew(target, { valueEncoding: 'view' })
      const value = new Uint8Array(length).fill(7)
      await db.put('a', value)
      db.read('a', bytes => bytes.fill(9))
      expect(db.read('a', bytes => equalBytes(bytes, value))).toBe(true)
      expect(equalBytes(db.get('a'), value)).toBe(true)
    })

    it('lets the callback read, and read again', async () => {
      const db = await openNew(target, { valueEncoding: 'utf8' })
      await db.put('a', 'one')
      await db.put('b', 'two')
      const result = db.read('a', outer => {
        const inner = db.read('b', bytes => bytes[0])
        return [inner, db.get('b'), [...db.keys()], outer[0]]
      })
      expect(result).toEqual([0x74, 'two', ['a', 'b'], 0x6f])
    })

    it('refuses writes in the callback, which change nothing', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const rejected: Promise<void>[] = []
      db.read('a', () => {
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.putSync('a', 2))
        expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.clearSync())
        rejected.push(db.put('a', 3), db.del('a'), db.clear(), db.batch([{ type: 'del', key: 'a' }]))
      })
      for (const { status } of await Promise.allSettled(rejected)) expect(status).toBe('rejected')
      expect(db.get('a')).toBe(1)
      await db.put('a', 4)
      expect(db.get('a')).toBe(4)
    })

    it('refuses a promise from the callback', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.read('a', async bytes => bytes.length))
      expectCode('LIGHTNING_INVALID_ARGUMENT', () => db.read('a', () => Promise.reject(new Error('late'))))
    })

    it('lets what the callback throws pass unchanged, and works on', async () => {
      const db = await openNew(target)
      await db.put('a', 1)
      const mine = new RangeError('mine')
      expect(() =>
        db.read('a', () => {
          throw mine
        })
      ).toThrow(mine)
      await db.put('a', 2)
      expect(db.get('a')).toBe(2)
    })
  })

  it('sequence counts commits', async () => {
    const db = await openNew(target)
    const before = db.sequence()
    await db.put('a', 1)
    await db.batch([
      { type: 'put', key: 'b', value: 1 },
      { type: 'del', key: 'a' }
    ])
    expect(db.sequence()).toBe(before + 2)
    db.get('a')
    expect(db.sequence()).toBe(before + 2)
  })
}
