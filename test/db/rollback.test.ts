// What readers are told when a write could not be made durable and has been taken back.
import { describe, expect, it, onTestFinished } from 'vitest'
import { openIn } from '../../src/db/database.ts'
import { type OpenOptions, parseOpenOptions } from '../../src/db/options.ts'
import { type Database, LightningError } from '../../src/index.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs, VfsFile, VfsOpenOptions } from '../../src/vfs/vfs.ts'
import { expectCode } from '../encoding/support.ts'
import { rejection } from '../support/database.ts'

/** Files in memory whose writes can be made to fail. */
class FailingVfs {
  /** How many of the next writes fail. */
  failures = 0
  readonly fault = new LightningError('LIGHTNING_IO', 'Cannot write: the disk says no.')
  readonly vfs: Vfs

  constructor() {
    const inner = memoryVfs()
    this.vfs = new Proxy(inner, {
      get: (target, name) =>
        name === 'open'
          ? async (file: string, options?: VfsOpenOptions) => this.#failing(await target.open(file, options))
          : bound(target, name)
    })
  }

  #failing(file: VfsFile): VfsFile {
    return new Proxy(file, {
      get: (target, name) =>
        name === 'writeAt'
          ? (bytes: Uint8Array, offset: number) => {
              if (this.failures > 0) {
                this.failures--
                throw this.fault
              }
              target.writeAt(bytes, offset)
            }
          : bound(target, name)
    })
  }
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}

async function openFailing(options: OpenOptions = {}): Promise<{ db: Database<string, unknown>; disk: FailingVfs }> {
  const disk = new FailingVfs()
  const db = await openIn<string, unknown>(disk.vfs, parseOpenOptions(options))
  onTestFinished(async () => {
    disk.failures = 0
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })
  return { db, disk }
}

/** Lets one write to the disk fail, so that what was written can be taken back; gives the error. */
async function failOnce(disk: FailingVfs, write: () => Promise<void>): Promise<unknown> {
  disk.failures = 1
  try {
    await write()
  } catch (error) {
    expect(disk.failures).toBe(0)
    return error
  }
  throw new Error('Nothing failed')
}

describe('a write that cannot be made durable', () => {
  it('rejects with the cause and is gone from reads', async () => {
    const { db, disk } = await openFailing()
    await db.put('a', 1)
    const error = await failOnce(disk, () => db.put('a', 2))
    expect(error).toBe(disk.fault)
    expect(db.get('a')).toBe(1)
    await db.put('a', 3)
    expect(db.get('a')).toBe(3)
  })

  it('ends snapshots and iterators that could see it with LIGHTNING_CLOSED', async () => {
    const { db, disk } = await openFailing()
    await db.batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
    let snapshot = db.snapshot()
    const [short, long] = [db.keys({ limit: 3 }), db.keys()]
    await failOnce(disk, () => {
      const writing = db.put('a', 2)
      snapshot = db.snapshot()
      expect(snapshot.get('a')).toBe(2)
      expect([short.next().value, long.next().value]).toEqual(['a', 'a'])
      return writing
    })
    expect(expectCode('LIGHTNING_CLOSED', () => snapshot.get('a')).cause).toBe(disk.fault)
    expect(expectCode('LIGHTNING_CLOSED', () => [...snapshot.keys()]).cause).toBe(disk.fault)
    expect(expectCode('LIGHTNING_CLOSED', () => long.next()).cause).toBe(disk.fault)
    expectCode('LIGHTNING_CLOSED', () => short.next())
    expect([short.next().done, long.next().done]).toEqual([true, true])
    snapshot.close()
    expect(db.count()).toBe(500)
  })

  it('is gone from the cache of values', async () => {
    const { db, disk } = await openFailing({ valueCache: 10 })
    await db.put('a', 1)
    expect(db.get('a')).toBe(1)
    await failOnce(disk, () => {
      const writing = db.put('a', 2)
      expect([db.get('a'), db.get('a')]).toEqual([2, 2])
      return writing
    })
    expect(db.get('a')).toBe(1)
  })

  it('throws from the form that is done when it returns', async () => {
    const { db, disk } = await openFailing()
    await db.put('a', 1)
    disk.failures = 1
    expect(() => db.putSync('a', 2)).toThrow()
    expect(db.get('a')).toBe(1)
    db.putSync('a', 3)
    expect(db.get('a')).toBe(3)
  })

  it('and cannot be taken back either ends all writing', async () => {
    const { db, disk } = await openFailing()
    await db.put('a', 1)
    disk.failures = Number.POSITIVE_INFINITY
    expect(() => db.putSync('a', 2)).toThrow()
    disk.failures = 0
    await rejection('LIGHTNING_FAILED', db.put('b', 2))
    expect(db.get('a')).toBe(1)
  })
})

describe('a relaxed write that is lost later', () => {
  it('is told by the event degraded, and the next flush rejects', async () => {
    const { db, disk } = await openFailing({ durability: 'relaxed', syncIntervalMs: 1 })
    await db.put('a', 1)
    await db.flush()
    const told = new Promise<unknown>(resolve => db.on('degraded', resolve))
    disk.failures = 1
    await db.put('a', 2)
    expect(db.get('a')).toBe(2)
    expect(await told).toMatchObject({ cause: disk.fault, lost: { from: 2, to: 2 } })
    expect(db.get('a')).toBe(1)
    await expect(db.flush()).rejects.toBe(disk.fault)
    await db.put('a', 3)
    await db.flush()
    expect(db.get('a')).toBe(3)
  })
})
