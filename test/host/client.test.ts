// What is particular to clients: order of calls, errors nobody handles, ends from outside, an owner that is lost.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { isLightningError, type OpenOptions } from '../../src/index.ts'
import { Owner } from '../../src/host/owner.ts'
import { ownerOptionsOf } from '../../src/host/owner-options.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { viewEncoding } from '../../src/encoding/bytes-encoding.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { rejection } from '../support/database.ts'
import { deferred } from '../support/deferred.ts'
import { nextTurn } from '../support/next-turn.ts'
import { ownerHere } from './pair.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

describe("a client's calls", () => {
  it('take effect in call order, awaited or not', async () => {
    const client = await (await ownerHere()).client()
    void client.put('a', 1)
    const first = client.get('a')
    void client.put('a', 2)
    const second = client.get('a')
    const opening = client.snapshot()
    void client.del('a')
    const beginning = client.begin()
    void client.put('b', 1)
    const keys = client.keys()
    const step = keys.next()
    void client.clear()
    expect([await first, await second, (await step).value]).toEqual([1, 2, 'b'])
    const [snapshot, tx] = [await opening, await beginning]
    expect([await snapshot.get('a'), await tx.get('a'), await tx.has('b'), await client.count()]).toEqual([
      2,
      undefined,
      false,
      0
    ])
    await tx.rollback()
  })

  it('leave the buffers that they were given to the caller', async () => {
    const db = await (await ownerHere()).client()
    const client = db.sublevel('bytes', { keyEncoding: 'view', valueEncoding: 'view' })
    const [key, value] = [Uint8Array.of(1), new Uint8Array(100_000).fill(7)]
    await client.batch([{ type: 'put', key, value }])
    const kept = { encode: () => value, decode: (bytes: Uint8Array) => bytes }
    await client.put(Uint8Array.of(2), value, { valueEncoding: kept })
    expect([key.length, value.length, value[99_999]]).toEqual([1, 100_000, 7])
    expect(await client.get(Uint8Array.of(2))).toEqual(value)
  })

  it('that count what is on disk let others pass, and count what was there at the call', async () => {
    const vfs = memoryVfs()
    const filling = await (await ownerHere(vfs)).client()
    const entries = Array.from({ length: 8_000 }, (_, i) => ({
      type: 'put' as const,
      key: `${i}`,
      value: 'x'.repeat(2_000)
    }))
    await filling.batch(entries)
    await filling.close()
    const client = await (await ownerHere(vfs)).client()
    const order: string[] = []
    const calls = [
      client.count().then(count => order.push(`${count} counted`)),
      client.del('17').then(() => order.push('deleted')),
      client.count({ gte: '17', lte: '170' }).then(count => order.push(`${count} counted`))
    ]
    await Promise.all(calls)
    expect(order.slice(0, 2).sort()).toEqual(['1 counted', 'deleted'])
    expect(order[2]).toBe('8000 counted')
  })

  it('that need the engine in this thread are LIGHTNING_UNAVAILABLE', async () => {
    const client = await (await ownerHere()).client()
    const tx = await client.begin()
    const calls = [
      () => client.putSync('a', 1),
      () => client.delSync('a'),
      () => client.batchSync([]),
      () => client.clearSync(),
      () => client.dropSublevelSync('a'),
      () => client.flushSync(),
      () => client.transactionSync(() => 1),
      () => client.sublevel('a').putSync('a', 1),
      () => tx.commitSync()
    ]
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: 'LIGHTNING_UNAVAILABLE' }))
    await tx.rollback()
  })
})

describe('a body of db.transaction', () => {
  it('is tried again without keeping the attempts before', async () => {
    const here = await ownerHere()
    const [client, other] = [await here.client(), await here.client()]
    const attempts: WeakRef<object>[] = []
    await client.transaction(async tx => {
      attempts.push(new WeakRef(Object(Reflect.get(tx, 'open'))))
      await tx.put('a', (await tx.get('a')) ?? 0)
      if (tx.attempt < 4) await other.put('a', tx.attempt)
      else {
        await vi.waitUntil(() => {
          collectGarbage()
          return attempts[0]?.deref() === undefined
        })
      }
    })
    expect(attempts).toHaveLength(4)
  })

  it('is not called when its signal fires while the transaction begins', async () => {
    const client = await (await ownerHere()).client()
    const controller = new AbortController()
    let calls = 0
    const running = client.transaction(() => calls++, { signal: controller.signal })
    controller.abort()
    await rejection('LIGHTNING_ABORTED', running)
    expect(calls).toBe(0)
  })
})

describe('a commit', () => {
  it('fails by the first call that failed and that nobody has handled, and has rolled back', async () => {
    const client = await (await ownerHere()).client()
    const tx = await client.begin()
    void tx.put('a', 1)
    void tx.put('b', undefined)
    void tx.put('', 2)
    const error = await rejection('LIGHTNING_INVALID_ARGUMENT', tx.commit())
    expect(error.message).toContain('undefined')
    expect([await client.has('a'), tx.isOpen]).toEqual([false, false])
  })

  it('fails by what failed in the owner', async () => {
    const client = await (await ownerHere()).client()
    const tx = await client.begin()
    void tx.put('a', 1)
    void tx.put('x'.repeat(2_000), 1)
    const error = await rejection('LIGHTNING_INVALID_ARGUMENT', tx.commit())
    expect(error.message).toContain('1024')
    expect(await client.has('a')).toBe(false)
  })

  it('does not mind what the caller has handled, before or after it failed', async () => {
    const client = await (await ownerHere()).client()
    const tx = await client.begin()
    void tx.put('a', 1)
    await rejection('LIGHTNING_INVALID_ARGUMENT', tx.put('b', undefined))
    tx.put('c', undefined).catch(() => undefined)
    const all = Promise.allSettled([tx.put('d', undefined), tx.put('x'.repeat(2_000), 1)])
    await tx.commit()
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await client.get('a')).toBe(1)
  })

  it('waits for calls before it that wait themselves', async () => {
    const client = await (await ownerHere()).client()
    const holder = await client.begin()
    await holder.getForUpdate('a')
    const tx = await client.begin({ isolation: 'read-committed' })
    const locked = tx.getForUpdate('a')
    void tx.put('b', 1)
    const committing = tx.commit()
    await nextTurn()
    expect(await client.has('b')).toBe(false)
    await holder.rollback()
    expect(await locked).toBeUndefined()
    await committing
    expect(await client.has('b')).toBe(true)
  })

  it('takes effect before the calls behind it', async () => {
    const client = await (await ownerHere()).client()
    const tx = await client.begin()
    void tx.put('a', 1)
    const committing = tx.commit()
    expect(await client.get('a')).toBe(1)
    await committing
  })

  it('counts what an iterator has delivered, not what was sent ahead', async () => {
    const client = await (await ownerHere()).client()
    await client.batch(Array.from({ length: 5_000 }, (_, i) => ({ type: 'put', key: `k${10_000 + i}`, value: i })))
    const outcomes: string[] = []
    for (const [taken, changed] of [
      [10, 'k10009'],
      [10, 'k10010'],
      [2_000, 'k11999'],
      [2_000, 'k12000']
    ] as const) {
      const tx = await client.begin()
      const keys = tx.keys()
      for (let i = 0; i < taken; i++) await keys.next()
      void tx.put('w', 1)
      await client.put(changed, 'new')
      outcomes.push(
        await tx.commit().then(
          () => 'committed',
          error => error.code
        )
      )
    }
    expect(outcomes).toEqual(['LIGHTNING_CONFLICT', 'committed', 'LIGHTNING_CONFLICT', 'committed'])
  })

  it('counts what an iterator has delivered, whenever the next rows come', async () => {
    const client = await (await ownerHere()).client()
    await client.batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: `k${10_000 + i}`, value: i })))
    // Rows come in microtasks here, so the commit is tried in each of them until the step is done before it.
    let isDone = false
    for (let ticks = 0; !isDone; ticks++) {
      const tx = await client.begin()
      void tx.put('w', 1)
      const keys = tx.keys()
      for (let i = 0; i < 100; i++) await keys.next()
      await client.put('k10050', 'new')
      const step = keys.next().then(
        () => {
          isDone = true
        },
        () => undefined
      )
      for (let i = 0; i < ticks; i++) await undefined
      await rejection('LIGHTNING_CONFLICT', tx.commit())
      await step
    }
  })
})

describe('an iterator of a client', () => {
  const filled = async () => {
    const here = await ownerHere()
    const client = await here.client()
    await client.batch(Array.from({ length: 10_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
    return { here, client }
  }

  it('takes rows as they are needed, and steps may overlap', async () => {
    const { client } = await filled()
    const [entries, whole] = [client.entries(), client.keys()]
    const steps = await Promise.all(Array.from({ length: 500 }, () => entries.next()))
    expect(new Set(steps.map(({ value }) => value?.[0])).size).toBe(500)
    let rows = 0
    for await (const _ of whole) rows++
    expect(rows).toBe(10_000)
  })

  it('is ended by its signal, in the middle of a step too', async () => {
    const { client } = await filled()
    const controller = new AbortController()
    const reason = new Error('enough')
    const keys = client.keys({ signal: controller.signal })
    await keys.next()
    controller.abort(reason)
    const error = await rejection('LIGHTNING_ABORTED', keys.next())
    expect(error.cause).toBe(reason)
    expect((await keys.next()).done).toBe(true)
    const before = client.keys({ signal: AbortSignal.abort(reason) })
    expect((await rejection('LIGHTNING_ABORTED', before.next())).cause).toBe(reason)
  })

  it('lets go of its state when it ends early', async () => {
    const { client } = await filled()
    for await (const key of client.keys()) if (key === 'k10') break
    const left = client.entries()
    await left.next()
    await left.return()
    await client.flush()
    expect((await client.stats()).snapshots.open).toBe(0)
  })
})

describe('a client that is gone', () => {
  it('holds nothing any more: locks, snapshots, iterators, transactions', async () => {
    const here = await ownerHere()
    const lost = await here.client()
    const [clientsEnd, ownersEnd] = here.ends()
    const other = await here.client()
    await lost.batch(Array.from({ length: 1_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
    const tx = await lost.begin()
    await tx.getForUpdate('a')
    await tx.put('a', 1)
    await lost.snapshot()
    await lost.keys().next()
    const waiting = await other.begin()
    const locked = waiting.getForUpdate('a')
    ownersEnd.lose('its process is gone.')
    expect(await locked).toBeUndefined()
    await waiting.rollback()
    expect((await other.stats()).snapshots.open).toBe(0)
    expect(here.owner.clients).toBe(1)
    clientsEnd.lose('it ends with its process.')
  })
})

describe('when the owner is lost', () => {
  /** A client whose owner can be taken away, and the owner that follows. */
  const mortal = async () => {
    const next = deferred<Owner>()
    const here = await ownerHere(memoryVfs(), () => next.promise)
    const client = await here.client({ timeoutMs: 5_000 })
    const follow = async (content: Record<string, unknown>) => {
      const owner = await Owner.open(memoryVfs(), ownerOptionsOf(parseOpenOptions({})), () => undefined)
      next.resolve(owner)
      await client.batch(Object.entries(content).map(([key, value]) => ({ type: 'put', key, value })))
      return owner
    }
    const lose = () => {
      const [near, far] = here.ends()
      far.freeze()
      return () => near.lose('its thread ended.')
    }
    return { client, follow, lose }
  }

  it('plain reads are repeated, in order, and writes not', async () => {
    const { client, follow, lose } = await mortal()
    const end = lose()
    const reads = [client.get('a'), client.has('a'), client.getMany(['a', 'b']), client.count()]
    const writes = [
      client.put('x', 1),
      client.del('x'),
      client.batch([{ type: 'del', key: 'x' }]),
      client.clear({ gt: 'w' }),
      client.flush()
    ]
    const rejections = writes.map(write => rejection('LIGHTNING_OWNER_LOST', write))
    await nextTurn()
    end()
    await Promise.all(rejections)
    await follow({ a: 1 })
    expect(await Promise.all(reads)).toEqual([undefined, false, [undefined, undefined], 0])
    expect([await client.get('a'), await client.has('x')]).toEqual([1, false])
  })

  it('plain reads are repeated, however many there are', async () => {
    const { client, follow, lose } = await mortal()
    const end = lose()
    const reads = Array.from({ length: 150_000 }, () => client.has('a'))
    await nextTurn()
    end()
    await follow({ a: 1 })
    expect((await Promise.all(reads)).every(found => !found)).toBe(true)
  })

  it('transactions end in LIGHTNING_CONFLICT, a commit without an answer and all else in LIGHTNING_OWNER_LOST', async () => {
    const { client, follow, lose } = await mortal()
    await client.batch(Array.from({ length: 5_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
    const [idle, waiting, committing] = [await client.begin(), await client.begin(), await client.begin()]
    const snapshot = await client.snapshot()
    const keys = client.keys()
    await keys.next()
    await waiting.put('a', 1)
    const end = lose()
    const rejections = [
      rejection('LIGHTNING_CONFLICT', waiting.get('a')),
      rejection('LIGHTNING_OWNER_LOST', committing.commit()),
      rejection('LIGHTNING_OWNER_LOST', snapshot.get('k1'))
    ]
    await nextTurn()
    end()
    await Promise.all(rejections)
    await follow({})
    await rejection('LIGHTNING_CONFLICT', idle.get('a'))
    await rejection('LIGHTNING_CLOSED', idle.get('a'))
    await rejection('LIGHTNING_CLOSED', waiting.commit())
    await rejection('LIGHTNING_OWNER_LOST', snapshot.count())
    await rejection('LIGHTNING_OWNER_LOST', keys.next())
    expect((await keys.next()).done).toBe(true)
    await idle.rollback()
    await snapshot.close()
  })

  it('a body of db.transaction runs again, unless it was its commit that got no answer', async () => {
    const { client, follow, lose } = await mortal()
    const attempts: number[] = []
    const lost = deferred()
    const running = client.transaction(async tx => {
      attempts.push(tx.attempt)
      if (tx.attempt === 1) {
        const end = lose()
        const reading = tx.get('a')
        await nextTurn()
        end()
        lost.resolve()
        await reading
      }
      await tx.put('b', tx.attempt)
    })
    await lost.promise
    await follow({ a: 1 })
    await running
    expect([attempts, await client.get('b')]).toEqual([[1, 2], 2])
  })

  it('whoever listens for events hears those of the next one, and need not ask for anything', async () => {
    const owners = [deferred<Owner>(), deferred<Owner>()]
    let taken = 0
    const here = await ownerHere(memoryVfs(), () => (owners[taken++] ?? deferred<Owner>()).promise)
    const client = await here.client()
    let told = 0
    const listen = () => client.on('checkpoint', () => told++)
    const checkpointOf = async (owner: { promise: Promise<Owner>; resolve: (next: Owner) => void } | undefined) => {
      const next = await Owner.open(memoryVfs(), ownerOptionsOf(parseOpenOptions({})), () => undefined)
      owner?.resolve(next)
      await vi.waitUntil(() => next.clients === 1)
      const bytes = viewEncoding()
      next.engine.put(next.tree(new Uint8Array()), Uint8Array.of(1), bytes, Uint8Array.of(1), bytes)
      await next.engine.checkpoint()
    }
    const off = listen()
    here.ends()[0].lose('its thread ended.')
    await checkpointOf(owners[0])
    await vi.waitUntil(() => told === 1)
    off()
    // Who does not listen leaves finding it to the next call, or to the next who does.
    here.ends()[0].lose('its thread ended.')
    await nextTurn()
    expect(taken).toBe(1)
    listen()
    await checkpointOf(owners[1])
    await vi.waitUntil(() => told === 2)
  })

  it('close waits for the next one if it is on its way, and leaves it', async () => {
    const next = deferred<Owner>()
    const here = await ownerHere(memoryVfs(), () => next.promise)
    const client = await here.client()
    here.ends()[0].lose('its thread ended.')
    const reading = rejection('LIGHTNING_CLOSED', client.get('a'))
    const closing = client.close()
    await reading
    const owner = await Owner.open(memoryVfs(), ownerOptionsOf(parseOpenOptions({})), () => undefined)
    next.resolve(owner)
    await closing
    expect(owner.engine.isClosed).toBe(true)
  })

  it('and none follows, calls reject within their bound', async () => {
    const here = await ownerHere()
    const client = await here.client()
    const [near] = here.ends()
    near.lose('its thread ended.')
    const error = await rejection('LIGHTNING_OWNER_LOST', client.get('a'))
    expect(error.message).toContain('no other')
    await rejection('LIGHTNING_OWNER_LOST', client.put('a', 1))
    await rejection('LIGHTNING_OWNER_LOST', client.begin())
    await client.close()
  })

  it('because it says nothing any more, calls reject within their bound', async () => {
    const here = await ownerHere()
    const client = await here.client({ timeoutMs: 40 })
    const [, far] = here.ends()
    far.freeze()
    const error = await rejection('LIGHTNING_OWNER_LOST', client.put('a', 1))
    expect(error.message).toContain('no sign of life')
  })
})

describe('what is each client’s own', () => {
  it('is readOnly, its encodings, its durability and its logger', async () => {
    const here = await ownerHere()
    const lines: unknown[] = []
    const note = (...parts: unknown[]): void => void lines.push(parts)
    const logger: OpenOptions['logger'] = { debug: note, info: note, warn: note, error: note }
    const writer = await here.client({ valueEncoding: 'utf8' })
    const reader = await here.client({ readOnly: true, valueEncoding: 'view', logger })
    await writer.put('a', 'x')
    expect(await reader.get('a')).toEqual(Uint8Array.of(0x78))
    await rejection('LIGHTNING_READ_ONLY', reader.put('a', Uint8Array.of(1)))
    await rejection('LIGHTNING_READ_ONLY', reader.compact())
    reader.on('checkpoint', () => {
      throw new Error('mine')
    })
    await writer.checkpoint()
    await reader.flush()
    expect(lines.flat().filter(part => part instanceof Error && part.message === 'mine')).toHaveLength(1)
    const tx = await reader.begin()
    const failed = tx.put('b', Uint8Array.of(1))
    expect(await failed.catch(error => isLightningError(error, 'LIGHTNING_READ_ONLY'))).toBe(true)
    await tx.commit()
  })

  it('may be a logger that throws, which harms nothing but itself', async () => {
    const here = await ownerHere()
    const throws = (): never => {
      throw new Error('no room for lines')
    }
    // Told at once of what the owner has logged until now.
    const client = await here.client({ logger: { debug: throws, info: throws, warn: throws, error: throws } })
    client.on('checkpoint', throws)
    client.on('checkpoint', async () => throws())
    await client.put('a', 1)
    await client.checkpoint()
    expect(await client.get('a')).toBe(1)
  })

  it('is told of what happens before the call concerned is answered', async () => {
    const client = await (await ownerHere()).client()
    const told: string[] = []
    client.on('checkpoint', () => told.push('event'))
    await client.put('a', 1)
    await client.checkpoint().then(() => told.push('answer'))
    expect(told).toEqual(['event', 'answer'])
  })
})
