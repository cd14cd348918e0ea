// Transactions that write much, or read much.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { expectCode } from '../encoding/support.ts'
import { inMemory, openNew, rejection } from '../support/database.ts'
import { Random } from '../support/random.ts'

const bytesOf = (length: number, first: number) => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + first + (i >> 9)) & 0xff
  return bytes
}

/** As short text: comparing long arrays member by member takes seconds. */
const digest = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex')
const digests = (entries: Iterable<[string, Uint8Array]>) => Array.from(entries, ([key, value]) => [key, digest(value)])

/** Bytes that do not compress. */
function noise(random: Random, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = random.next()
  return new Uint8Array(words.buffer, 0, length)
}

describe('large values', () => {
  it('are read back inside the transaction, and by others after the commit', async () => {
    const db = await openNew(inMemory, { valueEncoding: 'view' })
    await db.put('a', bytesOf(100_000, 1))
    const tx = db.begin()
    tx.put('a', bytesOf(1_000_000, 2))
    tx.put('b', bytesOf(70_000, 3))
    tx.put('b', bytesOf(300_000, 4))
    const savepoint = tx.savepoint()
    tx.put('a', bytesOf(500_000, 5))
    tx.del('b')
    tx.rollbackTo(savepoint)
    tx.put('c', bytesOf(10, 6))
    const expected = digests([
      ['a', bytesOf(1_000_000, 2)],
      ['b', bytesOf(300_000, 4)],
      ['c', bytesOf(10, 6)]
    ])
    expect(digest(tx.get('a'))).toBe(digest(bytesOf(1_000_000, 2)))
    expect(digests(tx.entries())).toEqual(expected)
    expect([...tx.keys({ reverse: true })]).toEqual(['c', 'b', 'a'])
    tx.get('a')?.fill(0)
    await db.checkpoint()
    await tx.commit()
    expect(digests(db.entries())).toEqual(expected)
    await db.checkpoint()
    await db.compact()
    expect(digests(db.entries())).toEqual(expected)
  })

  it('leave nothing behind when they are not committed', async () => {
    const db = await openNew(inMemory, { valueEncoding: 'view' })
    await db.put('a', bytesOf(10, 1))
    await db.checkpoint()
    const { usedBytes } = db.stats().file
    const tx = db.begin()
    for (let i = 0; i < 20; i++) tx.put('b', bytesOf(400_000, i))
    expect(db.stats().file.usedBytes).toBeGreaterThan(usedBytes)
    tx.rollback()
    expect(db.stats().file.usedBytes).toBe(usedBytes)
    const losing = db.begin()
    losing.put('b', bytesOf(400_000, 1))
    await db.put('b', bytesOf(1, 1))
    await rejection('LIGHTNING_CONFLICT', losing.commit())
    expect(db.stats().file.usedBytes).toBe(usedBytes)
    const overwriting = db.begin()
    for (let i = 0; i < 5; i++) overwriting.put('b', bytesOf(400_000, i))
    await overwriting.commit()
    expect(db.stats().file.usedBytes).toBeLessThan(usedBytes + 500_000)
    expect(digest(db.get('b'))).toBe(digest(bytesOf(400_000, 4)))
  })

  it('obey the quota before anything is written', async () => {
    const db = await openNew(inMemory, { valueEncoding: 'view', maxBytes: 4 << 20 })
    await db.put('a', bytesOf(10, 1))
    const tx = db.begin()
    const random = new Random(1)
    const put = () => {
      for (let i = 0; i < 20; i++) tx.put(`b${i}`, noise(random, 400_000))
    }
    expectCode('LIGHTNING_DISK_FULL', put)
    tx.rollback()
    expect([...db.keys()]).toEqual(['a'])
    await db.put('e', bytesOf(500_000, 1))
  })
})

describe('a transaction', () => {
  it('of many writes commits all of them', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed', valueEncoding: 'utf8' })
    const key = (i: number) => `user:${String(i).padStart(8, '0')}`
    const most = 200_000
    await db.transaction(tx => {
      for (let i = 0; i < most; i++) tx.put(key((i * 7_919) % most), 'x'.repeat(i % 50))
      expect(tx.count()).toBe(most)
      expect([...tx.keys({ gte: key(1_000), limit: 2 })]).toEqual([key(1_000), key(1_001)])
    })
    expect(db.count()).toBe(most)
    expect(db.get(key(7_919))).toBe('x')
  })

  it('that is too large for memory is refused, and nothing is written', async () => {
    const db = await openNew(inMemory, { cacheBytes: 4 << 20, valueEncoding: 'view' })
    const value = new Uint8Array(60_000)
    const tx = db.begin()
    expectCode('LIGHTNING_OUT_OF_MEMORY', () => {
      for (let i = 0; i < 6_000; i++) tx.put(`k${i}`, value)
    })
    expect(db.count()).toBe(0)
    tx.rollback()
    // Its memory is there for the next one.
    await db.transaction(next => {
      for (let i = 0; i < 100; i++) next.put(`k${i}`, value)
    })
    expect(db.count()).toBe(100)
  })

  it('that has read more keys than are kept misses no conflict', async () => {
    const db = await openNew(inMemory, { durability: 'relaxed' })
    for (const isHit of [true, false]) {
      const tx = db.begin()
      for (let i = 0; i < 150_000; i++) tx.has(`k${i}`)
      tx.put('w', 1)
      await db.put(isHit ? 'k70000' : 'z', 1)
      if (isHit) await rejection('LIGHTNING_CONFLICT', tx.commit())
      else await tx.commit()
    }
  })
})
