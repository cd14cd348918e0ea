import { describe, expect, it } from 'vitest'
import { freeze } from '../../src/db/cacheable.ts'
import { ValueCache } from '../../src/db/value-cache.ts'
import { keyEncodingOf, valueEncodingOf } from '../../src/encoding/encodings.ts'
import { expectCode } from '../encoding/support.ts'
import { inMemory, openNew } from '../support/database.ts'

const utf8 = keyEncodingOf('utf8', 'test')
const json: ReturnType<typeof valueEncodingOf> = valueEncodingOf('json', 'test')

const openCached = () => openNew(inMemory, { valueCache: 100 })

describe('the option valueCache', () => {
  it('gives the same object again, deeply frozen from the first read on', async () => {
    const db = await openCached()
    await db.put('a', { list: [{ n: 1 }], map: {} })
    const first = db.get('a')
    expect(first).toEqual({ list: [{ n: 1 }], map: {} })
    expect(db.get('a')).toBe(first)
    expect(db.getMany(['a'])[0]).toBe(first)
    expect(isDeeplyFrozen(first)).toBe(true)
  })

  it('freezes what every kind of read gives', async () => {
    const db = await openCached()
    await db.put('a', { list: [1] })
    using snapshot = db.snapshot()
    const all = [db.get('a', { snapshot }), snapshot.get('a'), ...db.values(), ...[...db.entries()].flat()]
    expect(all.every(isDeeplyFrozen)).toBe(true)
    await db.put(Uint8Array.of(1), [1], { keyEncoding: 'view' })
    expect(isDeeplyFrozen(db.get(Uint8Array.of(1), { keyEncoding: 'view' }))).toBe(true)
  })

  it.each([
    ['bytes', Uint8Array.of(1)],
    ['dates', new Date(5)],
    ['maps', new Map([[1, 2]])],
    ['sets', new Set([1])],
    ['objects that hold such', { deep: [new Date(5)] }]
  ])('leaves %s alone', async (_, value) => {
    const db = await openCached()
    await db.put('a', value)
    const first = db.get('a')
    expect(db.get('a')).toEqual(first)
    expect(db.get('a')).not.toBe(first)
    expect(Object.isFrozen(first)).toBe(false)
  })

  it('keeps null, false, zero and the empty string apart from what is missing', async () => {
    const db = await openCached()
    for (const value of [null, false, 0, '', -0, 2n ** 70n]) {
      await db.put('a', value)
      expect([db.get('a'), db.get('a')]).toEqual([value, value])
    }
    await db.del('a')
    expect(db.get('a')).toBeUndefined()
  })

  it('is never older than the newest write, however it was made', async () => {
    const db = await openCached()
    const sub = db.sublevel('sub')
    const alias = db.sublevel('sub')
    const reads = () => [db.get('é'), sub.get('é'), alias.get('é')]
    await db.put('é', 1)
    await sub.put('é', 1)
    expect(reads()).toEqual([1, 1, 1])
    await db.put(Uint8Array.of(0xc3, 0xa9), 2, { keyEncoding: 'view' })
    expect(reads()).toEqual([2, 1, 1])
    await alias.put('é', 3)
    expect(reads()).toEqual([2, 3, 3])
    await db.batch([
      { type: 'put', key: 'é', value: 4 },
      { type: 'put', key: 'é', value: 5, sublevel: sub }
    ])
    expect(reads()).toEqual([4, 5, 5])
    await db.del('é')
    db.putSync('other', 1)
    expect(reads()).toEqual([undefined, 5, 5])
    await sub.clear({ gte: 'é' })
    expect(reads()).toEqual([undefined, undefined, undefined])
    await sub.put('é', 6)
    expect(sub.get('é')).toBe(6)
    await db.dropSublevel('sub')
    expect(reads()).toEqual([undefined, undefined, undefined])
    const shout = { format: 'utf8' as const, encode: (key: string) => key.toLowerCase(), decode: (key: string) => key }
    await db.put('b', 1)
    expect(db.get('b')).toBe(1)
    await db.put('B', 2, { keyEncoding: shout })
    expect(db.get('b')).toBe(2)
  })

  it('is not older either when a getter of the value writes into the bytes of its key', async () => {
    const db = await openCached()
    await db.batch(['a', 'b'].map(key => ({ type: 'put', key, value: 'old' })))
    const read = () => ['a', 'b'].map(key => [key, db.get(key)])
    const meddlingIn = (key: Uint8Array) => ({
      get now() {
        key.fill(0x62)
        return 'new'
      }
    })
    for (const write of [
      (key: Uint8Array) => db.put(key, meddlingIn(key), { keyEncoding: 'view' }),
      (key: Uint8Array) => db.batch([{ type: 'put', key, value: meddlingIn(key), keyEncoding: 'view' }])
    ]) {
      expect(read()).toEqual([...db.entries()])
      await write(Uint8Array.of(0x61))
      expect(read()).toEqual([...db.entries()])
      await db.batch(['a', 'b'].map(key => ({ type: 'put', key, value: 'old' })))
    }
  })

  it('tells values of other encodings and of snapshots apart', async () => {
    const db = await openCached()
    await db.put('a', 'x', { valueEncoding: 'json' })
    expect(db.get('a', { valueEncoding: 'json' })).toBe('x')
    expect(db.get('a', { valueEncoding: 'utf8' })).toBe('"x"')
    using snapshot = db.snapshot()
    await db.put('a', 'y', { valueEncoding: 'json' })
    expect(db.get('a', { valueEncoding: 'json' })).toBe('y')
    expect(db.get('a', { valueEncoding: 'json', snapshot })).toBe('x')
    expect(db.get('a', { valueEncoding: 'json' })).toBe('y')
  })

  it('keeps no value that was overwritten while it was decoded', async () => {
    const db = await openCached()
    const meddling = {
      format: 'utf8' as const,
      encode: (text: string) => text,
      decode: (text: string) => {
        if (text === 'old') db.putSync('a', 'new', { valueEncoding: 'utf8' })
        return text
      }
    }
    await db.put('a', 'old', { valueEncoding: 'utf8' })
    expect(db.get('a', { valueEncoding: meddling })).toBe('old')
    expect(db.get('a', { valueEncoding: meddling })).toBe('new')
  })

  it('ends with the database', async () => {
    const db = await openCached()
    await db.put('a', 1)
    expect(db.get('a')).toBe(1)
    await db.close()
    expectCode('LIGHTNING_CLOSED', () => db.get('a'))
  })
})

describe('a value cache', () => {
  it('keeps at most as many values as it was told, over all keyspaces', () => {
    const cache = new ValueCache(10)
    const keyspaces = ['a', 'b', 'c'].map(name => cache.keyspace([name]))
    for (let i = 0; i < 100; i++) keyspaces[i % 3]?.keep(`k${i}`, json, i, 0)
    expect(cache.size).toBe(10)
    for (const keyspace of keyspaces) keyspace.forgetAll()
    expect(cache.size).toBe(0)
    for (let i = 0; i < 100; i++) keyspaces[i % 3]?.keep(`k${i}`, json, i, 0)
    expect(cache.size).toBe(10)
  })

  it('evicts what has not been used before what has', () => {
    const cache = new ValueCache(4)
    const keyspace = cache.keyspace([])
    for (const key of ['a', 'b', 'c', 'd']) keyspace.keep(key, json, key, 0)
    const kept = () => ['a', 'b', 'c', 'd', 'e', 'f'].filter(key => keyspace.find(key, json, 0) !== undefined)
    for (const key of ['a', 'c']) keyspace.find(key, json, 0)
    keyspace.keep('e', json, 'e', 0)
    keyspace.keep('f', json, 'f', 0)
    expect(kept()).toEqual(['a', 'c', 'e', 'f'])
    keyspace.keep('b', json, 'b', 0)
    expect(kept()).toHaveLength(4)
  })

  it('gives nothing from before a rollback, which may have taken it away', () => {
    const cache = new ValueCache(4)
    const [one, two] = [cache.keyspace([]), cache.keyspace(['two'])]
    one.keep('a', json, 1, 0)
    two.keep('a', json, 1, 0)
    expect([one.find('a', json, 0), one.find('a', json, 1), two.find('a', json, 1)]).toEqual([1, undefined, undefined])
    one.keep('a', json, 2, 1)
    expect([one.find('a', json, 1), one.find('a', json, 0), cache.size]).toEqual([2, undefined, 2])
  })

  it('shares one part between the handles of a keyspace, and forgets only the key that is written', () => {
    const cache = new ValueCache(4)
    const keyspace = cache.keyspace(['a', 'b'])
    expect(cache.keyspace(['a', 'b'])).toBe(keyspace)
    expect(cache.keyspace(['a,b'])).not.toBe(keyspace)
    keyspace.keep('x', json, 1, 0)
    keyspace.keep('y', json, 2, 0)
    keyspace.forget('x', utf8)
    expect([keyspace.find('x', json, 0), keyspace.find('y', json, 0)]).toEqual([undefined, 2])
  })
})

describe('freezing', () => {
  it('takes cycles and shared parts', () => {
    const shared = { n: 1 }
    const value: unknown[] = [shared, { shared }]
    value.push(value)
    expect(freeze(value)).toBe(true)
    expect([value, shared, value[1]].every(Object.isFrozen)).toBe(true)
  })

  it('freezes nothing of a value that it cannot freeze as a whole', () => {
    class Mine {
      n = 1
    }
    for (const odd of [new Mine(), () => 1, new Uint8Array(1), new Date(5)]) {
      const value = [{ odd }]
      expect(freeze(value)).toBe(false)
      expect(Object.isFrozen(value)).toBe(false)
    }
  })
})

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen)
}
