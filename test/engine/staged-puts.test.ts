// Puts that are made together are applied together, and nobody can tell: not who reads, not who writes next, and not who
// opens the database after a crash.
import { describe, expect, test } from 'vitest'
import { AHEAD_LENGTH } from '../../assembly/ahead.ts'
import { MAIN_ROOT } from '../../assembly/operations.ts'
import { MISS, PAGES_USED, STAGED_COUNT } from '../../assembly/state.ts'
import { Checkpoint } from '../../src/engine/checkpoint.ts'
import { Committer } from '../../src/engine/committer.ts'
import type { Core } from '../../src/engine/core.ts'
import { openCore } from '../../src/engine/opening.ts'
import { Reader } from '../../src/engine/reader.ts'
import { rebuild } from '../../src/engine/rebuild.ts'
import { Space } from '../../src/engine/space.ts'
import { TreeHandle } from '../../src/engine/tree.ts'
import { Writer } from '../../src/engine/writer.ts'
import { isLightningError } from '../../src/errors.ts'
import { LocalDatabase } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Database } from '../../src/index.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, smallOptions, utf8 } from './content.ts'
import { expectSound } from './support.ts'

/** Room enough for puts to be staged: with less, each is made by itself. */
const roomy = { cacheBytes: 1_024 * 4_096, walBytes: 64 << 20 }
const filled = 500

const keyOf = (number: number) => `key ${String(number).padStart(4, '0')}`

async function openDatabase(vfs: Vfs): Promise<{ engine: Engine; db: Database<string, string> }> {
  const options = { ...parseOpenOptions({ valueEncoding: 'utf8', pageSize: 4_096 }), ...roomy }
  const engine = await Engine.open(vfs, options)
  return { engine, db: new LocalDatabase<string, string>(engine, options) }
}

/** A database with several leaves, and puts that are staged. */
async function withStaged(disk = new SimulatedDisk()) {
  const { engine, db } = await openDatabase(disk.vfs())
  await db.batch(Array.from({ length: filled }, (_, i) => ({ type: 'put', key: keyOf(i), value: 'v'.repeat(100) })))
  // The first one of a group is made by itself.
  const first = db.put(keyOf(7), 'first')
  const promises = [300, 12, 499, 12].map((number, i) => db.put(keyOf(number), `staged ${i}`))
  return { disk, engine, db, promises: [first, ...promises] }
}

type Db = Database<string, string>

describe('puts that were not awaited', () => {
  test.each<readonly [string, (db: Db) => unknown, unknown]>([
    ['get', db => db.get(keyOf(300)), 'staged 0'],
    ['get of a key put twice', db => db.get(keyOf(12)), 'staged 3'],
    ['getMany', db => db.getMany([keyOf(300), keyOf(499)]), ['staged 0', 'staged 2']],
    ['read', db => db.read(keyOf(300), bytes => bytes.length), 8],
    ['count', db => db.count(), filled],
    ['an iterator', db => [...db.values({ gte: keyOf(498) })], ['v'.repeat(100), 'staged 2']],
    ['an iterator backwards', db => [...db.values({ reverse: true, limit: 1 })], ['staged 2']],
    ['a snapshot', db => db.snapshot().get(keyOf(12)), 'staged 3'],
    ['transactionSync', db => db.transactionSync(tx => tx.get(keyOf(300))), 'staged 0'],
    ['a transaction', db => db.begin().get(keyOf(300)), 'staged 0'],
    ['sequence', db => db.sequence(), 6],
    ['stats', db => db.stats().sequence, 6]
  ])('are seen by %s', async (_, read, wanted) => {
    const { db, engine, promises } = await withStaged()
    expect(await read(db)).toEqual(wanted)
    await Promise.all(promises)
    await expectSound(engine)
  })

  test.each<readonly [string, (db: Db) => unknown, string | undefined]>([
    ['putSync', db => db.putSync(keyOf(300), 'later'), 'later'],
    ['del', db => void db.del(keyOf(300)), undefined],
    ['batch', db => void db.batch([{ type: 'put', key: keyOf(300), value: 'later' }]), 'later'],
    ['clear', db => void db.clear({ gte: keyOf(300), lt: keyOf(301) }), undefined],
    ['a large value', db => void db.put(keyOf(300), 'l'.repeat(100_000)), 'l'.repeat(100_000)],
    ['transactionSync', db => db.transactionSync(tx => tx.put(keyOf(300), 'later')), 'later'],
    ['another put', db => void db.put(keyOf(300), 'later'), 'later']
  ])('come before %s', async (_, write, wanted) => {
    const { disk, db, promises } = await withStaged()
    write(db)
    expect(db.get(keyOf(300))).toBe(wanted)
    await Promise.all(promises)
    await db.flush()
    const again = await openDatabase(disk.kill().vfs())
    expect(again.db.get(keyOf(300))).toBe(wanted)
    expect(again.db.get(keyOf(12))).toBe('staged 3')
  })

  test.each<readonly [string, (db: Db) => unknown]>([
    ['flushSync', db => db.flushSync()],
    ['flush', db => db.flush()],
    ['checkpoint', db => db.checkpoint()],
    ['close', db => db.close()],
    ['their promises', () => undefined]
  ])('are on stable storage after %s', async (_, settle) => {
    const { disk, db, promises } = await withStaged()
    if (settle(db) instanceof Promise) await settle(db)
    else await Promise.all(promises)
    const again = await openDatabase(disk.crash(1).vfs())
    expect([7, 300, 12, 499].map(number => again.db.get(keyOf(number)))).toEqual([
      'first',
      'staged 0',
      'staged 3',
      'staged 2'
    ])
    await expectSound(again.engine)
  })

  test('are gone together when their frame cannot be written', async () => {
    const { disk, db, promises } = await withStaged()
    disk.fault = call => {
      if (call.kind !== 'write' || !call.file.startsWith('wal')) return undefined
      disk.fault = undefined
      return { code: 'EIO' }
    }
    const results = await Promise.allSettled(promises)
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    expect([7, 300, 12].map(number => db.get(keyOf(number)))).toEqual(Array(3).fill('v'.repeat(100)))
    await db.put(keyOf(300), 'works again')
    expect(contentOf((await openDatabase(disk.kill().vfs())).engine).get(`/${keyOf(300)}`)).toBe('works again')
  })

  test('of many turns, and far more than are staged at once, come back after a crash', async () => {
    const { disk, db, promises } = await withStaged()
    await Promise.all(promises)
    const model = new Map<string, string>()
    for (let turn = 0; turn < 20; turn++) {
      const waiting = Array.from({ length: 100 }, (_, i) => {
        const [key, value] = [keyOf((turn * 631 + i * 373) % 900), `${turn}-${i}`.padEnd(20 + (i % 90), '.')]
        model.set(key, value)
        return db.put(key, value)
      })
      await Promise.all(waiting)
    }
    const again = await openDatabase(disk.crash(2).vfs())
    for (const [key, value] of model) expect(again.db.get(key)).toBe(value)
    await expectSound(again.engine)
  })
})

/** The parts of an engine that write, to see what no caller can. */
async function parts(disk: SimulatedDisk) {
  const core = await openCore(disk.vfs(), { ...smallOptions, ...roomy })
  const committer: Committer = new Committer(core, cause => {
    rebuild(core, checkpoint, cause)
    committer.incarnation.forget()
  })
  const checkpoint = new Checkpoint(core, committer)
  const writer = new Writer(core, committer, checkpoint, new Space(core, checkpoint))
  const reader = new Reader(core)
  const tree = new TreeHandle(new Uint8Array(0))
  const put = (number: number, value: string): Promise<void> => {
    writer.putTogether(tree, keyOf(number), utf8, value, utf8)
    return committer.settled(undefined)
  }
  const writeSync = (number: number, value: string): void => {
    writer.put(tree, keyOf(number), utf8, value, utf8)
    committer.settleSync()
  }
  const get = (number: number) => reader.get(tree, undefined, keyOf(number), utf8, utf8)
  for (let i = 0; i < filled; i++) writer.put(tree, keyOf(i), utf8, 'v'.repeat(100), utf8)
  committer.flushSync()
  return { core, committer, checkpoint, put, writeSync, get }
}

/** How each of these ends. */
function watch(promises: readonly Promise<void>[]): Promise<string[]> {
  const told = (error: unknown) => (isLightningError(error) ? error.code : 'another error')
  return Promise.all(promises.map(promise => promise.then(() => 'fulfilled', told)))
}

/** Puts all clean pages out of memory; the first lap only takes note of which are in use. */
function putOut(core: Core): void {
  for (let lap = 0; lap < 2; lap++) core.kernel.exports.evict(0x7fffffff)
}

describe('staged puts', () => {
  test('wait for others, and are one group', async () => {
    const { core, put, get } = await parts(new SimulatedDisk())
    const first = put(1, 'one')
    const others = [2, 300, 450].map(number => put(number, 'others'))
    expect([core.staged.count, core.memory.word(STAGED_COUNT)]).toEqual([3, 3])
    expect(others.every(promise => promise === first)).toBe(true)
    await Promise.resolve()
    expect(core.staged.count).toBe(0)
    await first
    expect(get(450)).toBe('others')
    expect(core.durableLsn).toBe(core.appliedLsn)
  })

  test('are dropped when everything that is not durable is rolled back, and rejected', async () => {
    const disk = new SimulatedDisk()
    const { core, committer, put, get } = await parts(disk)
    const settled = watch([put(1, 'rolled back'), put(2, 'rolled back'), put(3, 'rolled back')])
    expect(core.staged.count).toBe(2)
    committer.rollBack(new Error('a fault'))
    expect(await settled).toEqual(Array(3).fill('another error'))
    await put(4, 'later')
    expect([1, 2, 3, 4].map(get)).toEqual([...Array(3).fill('v'.repeat(100)), 'later'])
    const { db } = await openDatabase(disk.kill().vfs())
    expect(db.get(keyOf(2))).toBe('v'.repeat(100))
  })

  test('are found their leaves again when pages have left memory in between', async () => {
    const { core, checkpoint, put, get } = await parts(new SimulatedDisk())
    await checkpoint.run()
    const settled = watch([put(1, 'new'), put(300, 'new'), put(2, 'new'), put(301, 'new')])
    expect(core.staged.count).toBe(3)
    putOut(core)
    // They come back in another order.
    for (let id = core.memory.word(PAGES_USED); id > 0; id--)
      if (core.kernel.exports.resolve(id, 0) === 0) core.provide(MISS)
    expect(await settled).toEqual(Array(4).fill('fulfilled'))
    expect([1, 300, 2, 301].map(get)).toEqual(Array(4).fill('new'))
  })

  test('reject together, and are gone, when a leaf that has left memory cannot be read', async () => {
    const disk = new SimulatedDisk()
    const { core, checkpoint, put, get } = await parts(disk)
    await checkpoint.run()
    const settled = watch([put(1, 'never'), put(300, 'never'), put(2, 'never')])
    expect(core.staged.count).toBe(2)
    putOut(core)
    disk.fault = call => {
      if (call.kind !== 'read' || call.file !== 'data.ldb') return undefined
      disk.fault = undefined
      return { code: 'EIO' }
    }
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
    expect([1, 300, 2].map(get)).toEqual(Array(3).fill('v'.repeat(100)))
    await put(300, 'again')
    const { db } = await openDatabase(disk.kill().vfs())
    expect([1, 300].map(number => db.get(keyOf(number)))).toEqual(['v'.repeat(100), 'again'])
  })
})

describe('staged puts that cannot be applied', () => {
  type Parts = Awaited<ReturnType<typeof parts>>

  async function saved() {
    const disk = new SimulatedDisk()
    const made = await parts(disk)
    await made.checkpoint.run()
    return { ...made, disk }
  }

  /** From now on two puts are staged, and reading the leaf of one of them will fail. How they end. */
  function doom(made: Parts & { readonly disk: SimulatedDisk }): Promise<string[]> {
    const { disk } = made
    const settled = watch([made.put(1, 'never'), made.put(300, 'never'), made.put(2, 'never')])
    expect(made.core.staged.count).toBe(2)
    putOut(made.core)
    disk.fault = call => {
      if (call.kind !== 'read' || call.file !== 'data.ldb') return undefined
      disk.fault = undefined
      return { code: 'EIO' }
    }
    return settled
  }

  const failed = expect.objectContaining({ code: 'LIGHTNING_IO' })

  test.each<readonly [string, (made: Parts) => unknown]>([
    ['at once', () => undefined],
    ['after a read has had them applied', ({ get }) => get(1)]
  ])('are reported by flushSync too, once: %s', async (_, before) => {
    const made = await saved()
    const { committer, get } = made
    const settled = doom(made)
    before(made)
    expect(() => committer.flushSync()).toThrow(failed)
    committer.flushSync()
    expect([1, 300, 2].map(get)).toEqual(Array(3).fill('v'.repeat(100)))
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
  })

  test('are reported by flush too', async () => {
    const made = await saved()
    const { committer } = made
    const settled = doom(made)
    await expect(committer.flush()).rejects.toThrow(failed)
    await committer.flush()
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
  })

  test('are reported by a close when it has done everything else', async () => {
    const made = await saved()
    const { committer } = made
    const settled = doom(made)
    committer.applyStaged()
    await committer.idle()
    committer.settleAll()
    expect(() => committer.payDebt()).toThrow(failed)
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
  })

  test('are not reported by the next write, which is made all the same', async () => {
    const made = await saved()
    const { committer, get, writeSync } = made
    const settled = doom(made)
    writeSync(5, 'made')
    expect([get(5), get(300)]).toEqual(['made', 'v'.repeat(100)])
    expect(() => committer.flushSync()).toThrow(failed)
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
  })

  test('are reported by their promises only, once these have rejected', async () => {
    const made = await saved()
    const { committer } = made
    const settled = doom(made)
    expect(await settled).toEqual(Array(3).fill('LIGHTNING_IO'))
    committer.flushSync()
  })
})

test('the put with which the stage is full is rejected with the others', async () => {
  const disk = new SimulatedDisk()
  const { core, checkpoint, put, get } = await parts(disk)
  await checkpoint.run()
  const settled = watch(Array.from({ length: AHEAD_LENGTH }, (_, i) => put(i * 10, 'never')))
  expect(core.staged.count).toBe(AHEAD_LENGTH - 1)
  putOut(core)
  // The root comes back, and the leaf of the first put has stayed, since it is dirty.
  if (core.kernel.exports.resolve(MAIN_ROOT, 0) === 0) core.provide(MISS)
  disk.fault = call => {
    if (call.kind !== 'read' || call.file !== 'data.ldb') return undefined
    disk.fault = undefined
    return { code: 'EIO' }
  }
  // What is thrown at once becomes a rejection, as in a keyspace.
  const last = watch([new Promise(resolve => resolve(put(1, 'never')))])
  expect([...(await settled), ...(await last)]).toEqual(Array(AHEAD_LENGTH + 1).fill('LIGHTNING_IO'))
  expect([0, 310, 1].map(get)).toEqual(Array(3).fill('v'.repeat(100)))
})

describe('what an encoding runs', () => {
  /** Writes to the database once, in the middle of being encoded. */
  function meddler(meddle: () => void, text: string): unknown {
    let isFirst = true
    return {
      toJSON() {
        if (isFirst) meddle()
        isFirst = false
        return text
      }
    }
  }

  test.each<readonly [string, boolean]>([
    ['by itself', false],
    ['with others', true]
  ])('may write, and no write spoils another: a put made %s', async (_, isTogether) => {
    const disk = new SimulatedDisk()
    const options = { ...parseOpenOptions({ valueEncoding: 'json', pageSize: 4_096 }), ...roomy }
    const db = new LocalDatabase<string, unknown>(await Engine.open(disk.vfs(), options), options)
    await db.batch(Array.from({ length: filled }, (_, i) => ({ type: 'put', key: keyOf(i), value: 'v'.repeat(100) })))
    const promises: Promise<void>[] = []
    if (isTogether) promises.push(db.put(keyOf(1), 'first'), db.put(keyOf(2), 'second'))
    const inner = (number: number) =>
      meddler(() => promises.push(db.put(keyOf(number), 'i'.repeat(60))), 'o'.repeat(70))
    promises.push(db.put(keyOf(100), inner(200)))
    promises.push(db.put(keyOf(300), inner(400)))
    promises.push(
      db.put(
        keyOf(301),
        meddler(() => promises.push(db.del(keyOf(401))), 'o'.repeat(70))
      )
    )
    promises.push(
      db.put(
        keyOf(302),
        meddler(() => void db.get(keyOf(2)), 'o'.repeat(70))
      )
    )
    promises.push(db.put(keyOf(3), 'last'))
    await Promise.all(promises)
    const again = new LocalDatabase<string, unknown>(await Engine.open(disk.kill().vfs(), options), options)
    for (const each of [db, again]) {
      expect([200, 400].map(number => each.get(keyOf(number)))).toEqual(Array(2).fill('i'.repeat(60)))
      expect([100, 300, 301, 302].map(number => each.get(keyOf(number)))).toEqual(Array(4).fill('o'.repeat(70)))
      expect([each.get(keyOf(401)), each.get(keyOf(3))]).toEqual([undefined, 'last'])
    }
  })

  async function withJson(disk = new SimulatedDisk()) {
    const options = { ...parseOpenOptions({ valueEncoding: 'json', pageSize: 4_096 }), ...roomy }
    const engine = await Engine.open(disk.vfs(), options)
    const db = new LocalDatabase<string, unknown>(engine, options)
    await db.batch(Array.from({ length: filled }, (_, i) => ({ type: 'put', key: keyOf(i), value: 'v'.repeat(100) })))
    const reopen = async () =>
      new LocalDatabase<string, unknown>(await Engine.open(disk.kill().vfs(), options), options)
    return { disk, engine, db, reopen }
  }

  /** Two puts, applied already: the log's buffer has room for the next ones, and none is staged. */
  function leadIn(db: Database<string, unknown>): Promise<void>[] {
    const promises = [db.put(keyOf(7), 'first'), db.put(keyOf(300), 'second')]
    db.get(keyOf(7))
    return promises
  }

  test.each<readonly [string, (db: Database<string, unknown>) => Promise<void>, number]>([
    ['a range', db => db.clear({ gte: keyOf(200), lt: keyOf(210) }), 490],
    ['some of a range', db => db.clear({ gte: keyOf(200), limit: 20 }), 480],
    ['a sublevel', db => db.dropSublevel('other'), 500]
  ])('may delete %s, and the put that is encoded is whole', async (_, meddle, left) => {
    const { db, reopen } = await withJson()
    const other = db.sublevel('other')
    await other.put('key', 'value')
    const promises: Promise<void>[] = []
    // Nothing stands in the log's buffer.
    promises.push(
      db.put(
        keyOf(100),
        meddler(() => promises.push(meddle(db)), 'o'.repeat(70))
      )
    )
    await Promise.all(promises)
    for (const each of [db, await reopen()]) {
      expect(each.get(keyOf(100))).toBe('o'.repeat(70))
      expect(each.count()).toBe(left)
      expect(each.sublevel('other').count()).toBe(left === filled ? 0 : 1)
    }
  })

  test('may drop the keyspace that is put into, which is made again', async () => {
    const { db, reopen } = await withJson()
    const other = db.sublevel('other')
    await other.batch(['a', 'b', 'c'].map(key => ({ type: 'put', key, value: 'before' })))
    const promises: Promise<void>[] = []
    promises.push(
      other.put(
        'b',
        meddler(() => promises.push(db.dropSublevel('other')), 'after')
      )
    )
    await Promise.all(promises)
    for (const each of [db, await reopen()]) expect([...each.sublevel('other').entries()]).toEqual([['b', 'after']])
  })

  test('may begin a transaction, which sees what was before the put, and conflicts with it', async () => {
    const { db } = await withJson()
    const promises = leadIn(db)
    const begun: ReturnType<typeof db.begin>[] = []
    const begin = () => {
      const tx = db.begin()
      begun.push(tx)
      expect(tx.get(keyOf(100))).toBe('v'.repeat(100))
    }
    promises.push(db.put(keyOf(100), meddler(begin, 'new')))
    await Promise.all(promises)
    const [tx] = begun
    expect([tx?.get(keyOf(100)), db.get(keyOf(100))]).toEqual(['v'.repeat(100), 'new'])
    tx?.put(keyOf(100), 'lost update')
    await expect(tx?.commit()).rejects.toMatchObject({ code: 'LIGHTNING_CONFLICT' })
  })

  test.each<readonly [string, boolean]>([
    ['by itself', false],
    ['with others', true]
  ])('may close the database: then nothing is written %s', async (_, isTogether) => {
    const { db, reopen } = await withJson()
    const promises = isTogether ? leadIn(db) : []
    const closing: Promise<void>[] = []
    const late = db.put(
      keyOf(100),
      meddler(() => closing.push(db.close()), 'late')
    )
    await expect(late).rejects.toMatchObject({ code: 'LIGHTNING_CLOSED' })
    await Promise.all([...promises, ...closing])
    const again = await reopen()
    const before = isTogether ? ['first', 'second'] : ['v'.repeat(100), 'v'.repeat(100)]
    expect([7, 300, 100].map(number => again.get(keyOf(number)))).toEqual([...before, 'v'.repeat(100)])
  })

  test('may close the database: then nothing is deleted', async () => {
    const { db, reopen } = await withJson()
    const tuples = db.sublevel('tuples', { keyEncoding: 'tuple' })
    await tuples.put(['some', 5], 'before')
    const closing: Promise<void>[] = []
    const key: readonly (string | number)[] = new Proxy(['some', 5], {
      get(target, name) {
        if (name === '0') closing.push(db.close())
        return Reflect.get(target, name)
      }
    })
    await expect(tuples.del(key)).rejects.toMatchObject({ code: 'LIGHTNING_CLOSED' })
    await Promise.all(closing)
    const again = await reopen()
    expect(again.sublevel('tuples', { keyEncoding: 'tuple' }).get(['some', 5])).toBe('before')
  })

  test('may read while staged puts cannot be written: these reject, and the read does not', async () => {
    const { disk, db, reopen } = await withJson()
    const promises = [db.put(keyOf(7), 'never'), db.put(keyOf(300), 'never'), db.put(keyOf(12), 'never')]
    disk.fault = call => {
      if (call.kind !== 'write' || !call.file.startsWith('wal')) return undefined
      disk.fault = undefined
      return { code: 'EIO' }
    }
    const seen: unknown[] = []
    const outer = db.put(
      keyOf(100),
      meddler(() => seen.push(db.get(keyOf(300))), 'outer')
    )
    expect((await Promise.allSettled(promises)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'))
    await outer
    expect(seen).toEqual(['v'.repeat(100)])
    const again = await reopen()
    expect([300, 100].map(number => again.get(keyOf(number)))).toEqual(['v'.repeat(100), 'outer'])
  })

  test('may put while a key to be read is encoded, and the read sees it', async () => {
    const { db } = await withJson()
    const tuples = db.sublevel('tuples', { keyEncoding: 'tuple' })
    await tuples.batch(Array.from({ length: 300 }, (_, i) => ({ type: 'put', key: ['some', i], value: 'before' })))
    const promises = leadIn(db)
    const key: readonly (string | number)[] = new Proxy(['some', 5], {
      get(target, name) {
        if (name === '0') promises.push(tuples.put(['some', 5], 'after'))
        return Reflect.get(target, name)
      }
    })
    expect(tuples.get(key)).toBe('after')
    await Promise.all(promises)
  })
})
