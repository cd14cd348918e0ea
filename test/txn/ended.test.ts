// Transactions that are ended from outside: by their age, by the garbage collector, by a disk that fails.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { type Database, LightningError } from '../../src/index.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs, VfsFile, VfsOpenOptions } from '../../src/vfs/vfs.ts'
import { expectCode } from '../encoding/support.ts'
import { inMemory, openNew, rejection } from '../support/database.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/**
 * Collects until `isDone`; bounded, for the collector promises nothing about a single run. Only transactions that have
 * been open for a while are watched.
 */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !isDone(); i++) {
    collectGarbage()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

describe('a transaction that is dropped', () => {
  it('is rolled back: its snapshot goes, and its locks', async () => {
    const db = await openNew(inMemory)
    const begin = async (): Promise<void> => {
      const tx = db.begin()
      await tx.getForUpdate('a')
      tx.put('a', 1)
      const iterator = tx.keys()
      iterator.next()
      tx.savepoint()
    }
    await begin()
    await db.put('b', 1)
    expect(db.stats().snapshots.open).toBe(1)
    const waiting = db.begin({ lockTimeoutMs: Number.POSITIVE_INFINITY, isolation: 'read-committed' })
    const next = waiting.getForUpdate('a')
    await collectUntil(() => db.stats().snapshots.open === 0)
    expect(await next).toBeUndefined()
    waiting.rollback()
  })

  it('lives as long as something that comes from it', async () => {
    const db = await openNew(inMemory)
    const sub = db.sublevel('sub')
    const parts = [db.begin().sublevel(sub), db.begin().keys()] as const
    await db.put('a', 1)
    await collectUntil(() => false)
    expect(parts[0].count()).toBe(0)
    expect([...parts[1]]).toEqual([])
    // Both of the same moment.
    expect(db.stats().snapshots.open).toBe(1)
  })
})

describe('a transaction that is older than maxSnapshotAgeMs', () => {
  it('is LIGHTNING_TIMEOUT at every use, and so are its iterators', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const db = await openNew(inMemory, { maxSnapshotAgeMs: 50_000 })
    await db.put('a', 1)
    for (const isolation of ['serializable', 'read-committed'] as const) {
      clock.mockReturnValue(1_000)
      const tx = db.begin({ isolation })
      const iterator = tx.keys()
      await tx.getForUpdate('a')
      clock.mockReturnValue(51_000)
      expect(tx.get('a')).toBe(1)
      clock.mockReturnValue(51_001)
      for (let i = 0; i < 2; i++) {
        expectCode('LIGHTNING_TIMEOUT', () => tx.get('a'))
        expectCode('LIGHTNING_TIMEOUT', () => tx.put('a', 1))
      }
      expectCode('LIGHTNING_TIMEOUT', () => iterator.next())
      await rejection('LIGHTNING_TIMEOUT', tx.getForUpdate('a'))
      await rejection('LIGHTNING_TIMEOUT', tx.commit())
      expect(db.stats().snapshots.open).toBe(0)
      tx.rollback()
    }
  })

  it('is ended though nobody uses it, so that others get its locks', async () => {
    const db = await openNew(inMemory, { maxSnapshotAgeMs: 50_000 })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const old = db.begin()
    await old.getForUpdate('a')
    vi.advanceTimersByTime(30_000)
    const younger = db.begin()
    db.putSync('b', 1)
    expect(db.stats().snapshots.open).toBe(1)
    vi.advanceTimersByTime(20_002)
    expect(await younger.getForUpdate('a', { lockTimeoutMs: 0 })).toBeUndefined()
    expectCode('LIGHTNING_TIMEOUT', () => old.get('a'))
    vi.advanceTimersByTime(30_000)
    expect(db.stats().snapshots.open).toBe(0)
    expectCode('LIGHTNING_TIMEOUT', () => younger.get('a'))
  })
})

describe('a transaction that is ended by code which runs while a value is encoded', () => {
  const long = 'n'.repeat(300)

  it.each(['a getter', 'a codec'])('leaves the values of the next one alone (%s)', async kind => {
    const db = await openNew(inMemory)
    const tx = db.begin()
    const next = { tx }
    const end = () => {
      tx.rollback()
      next.tx = db.begin()
      next.tx.put('next', long)
    }
    const value = {
      before: 'b'.repeat(50),
      get middle() {
        if (kind === 'a getter') end()
        return 1
      },
      after: 'a'.repeat(300)
    }
    const codec = {
      encode: (text: string) => {
        end()
        return new TextEncoder().encode(text)
      },
      decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes)
    }
    expectCode('LIGHTNING_CLOSED', () => {
      if (kind === 'a getter') tx.put('ended', value)
      else tx.put('ended', 'e'.repeat(500), { valueEncoding: codec })
    })
    await next.tx.commit()
    expect([...db.entries()]).toEqual([['next', long]])
  })

  it('leaves nothing on the disk', async () => {
    const db = await openNew(inMemory)
    await db.put('a', 1)
    const { usedBytes } = db.stats().file
    const tx = db.begin()
    const codec = {
      encode: (bytes: Uint8Array) => {
        tx.rollback()
        return bytes
      },
      decode: (bytes: Uint8Array) => bytes
    }
    expectCode('LIGHTNING_CLOSED', () => tx.put('large', new Uint8Array(200_000), { valueEncoding: codec }))
    expect(db.stats().file.usedBytes).toBe(usedBytes)
  })
})

/** A database on a disk of which one write can be made to fail. */
async function openFailing(): Promise<{ db: Database<string, unknown>; failNext: () => void }> {
  let fails = false
  const failing = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get: (inner, name) =>
        name === 'writeAt'
          ? (bytes: Uint8Array, offset: number) => {
              if (!fails) return inner.writeAt(bytes, offset)
              fails = false
              throw new LightningError('LIGHTNING_IO', 'Cannot write: the disk says no.')
            }
          : bound(inner, name)
    })
  const vfs: Vfs = new Proxy(memoryVfs(), {
    get: (inner, name) =>
      name === 'open'
        ? async (file: string, options?: VfsOpenOptions) => failing(await inner.open(file, options))
        : bound(inner, name)
  })
  const db = await openIn<string, unknown>(vfs, parseOpenOptions({}))
  onTestFinished(async () => {
    fails = false
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })
  return {
    db,
    failNext: () => {
      fails = true
    }
  }
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}

describe('when a write cannot be made durable', () => {
  it('transactions that could see it end in LIGHTNING_CONFLICT, once', async () => {
    const { db, failNext } = await openFailing()
    await db.put('a', 1)
    failNext()
    const lost = rejection('LIGHTNING_IO', db.put('a', 2))
    const [one, two] = [db.begin(), db.begin({ isolation: 'read-committed' })]
    expect([one.get('a'), two.get('a')]).toEqual([2, 2])
    await two.getForUpdate('k')
    const waiting = rejection('LIGHTNING_CONFLICT', one.getForUpdate('k'))
    const third = db.begin()
    const iterator = third.keys()
    iterator.next()
    const cause = await lost
    expect((await waiting).cause).toBe(cause)
    expectCode('LIGHTNING_CLOSED', () => one.get('a'))
    await rejection('LIGHTNING_CONFLICT', two.commit())
    await rejection('LIGHTNING_CLOSED', two.commit())
    expectCode('LIGHTNING_CONFLICT', () => iterator.next())
    expect(db.get('a')).toBe(1)
  })

  it('a transaction that only read it cannot commit, and db.transaction reads again', async () => {
    const { db, failNext } = await openFailing()
    await db.put('a', 1)
    failNext()
    const lost = rejection('LIGHTNING_IO', db.put('a', 2))
    const seen: unknown[] = []
    const reading = db.transaction(tx => {
      seen.push(tx.get('a'))
      return tx.get('a')
    })
    await lost
    expect(await reading).toBe(1)
    expect(seen).toEqual([2, 1])
  })

  it('its own commit rejects with the cause, and its writes are gone', async () => {
    const { db, failNext } = await openFailing()
    await db.put('a', 1)
    failNext()
    await rejection(
      'LIGHTNING_IO',
      db.transaction(tx => tx.put('a', 2))
    )
    expect(db.get('a')).toBe(1)
    await db.transaction(tx => tx.put('a', 3))
    expect(db.get('a')).toBe(3)
  })
})

describe('a value cache', () => {
  it('forgets what a transaction changes, and gives frozen values inside one', async () => {
    const db = await openNew(inMemory, { valueCache: 100 })
    const sub = db.sublevel('sub')
    await db.batch(['a', 'b', 'é'].map(key => ({ type: 'put', key, value: { n: 1 } })))
    await sub.put('a', { n: 1 })
    for (const key of ['a', 'b', 'é']) db.get(key)
    sub.get('a')
    await db.transaction(tx => {
      expect(Object.isFrozen(tx.get('a'))).toBe(true)
      tx.put('a', { n: 2 })
      tx.put('é', { n: 2 })
      tx.del('b')
      tx.sublevel(sub).clear()
      // Not before the commit.
      expect(db.get('a')).toEqual({ n: 1 })
    })
    expect(db.getMany(['a', 'b', 'é'])).toEqual([{ n: 2 }, undefined, { n: 2 }])
    expect(sub.get('a')).toBeUndefined()
  })
})
