// Clients that leave, or take back what they asked for, while something of theirs is under way.
import { describe, expect, it, vi } from 'vitest'
import { Owner } from '../../src/host/owner.ts'
import { ownerOptionsOf } from '../../src/host/owner-options.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { viewEncoding } from '../../src/encoding/bytes-encoding.ts'
import type { Client, OpenOptions } from '../../src/index.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { rejection } from '../support/database.ts'
import { deferred } from '../support/deferred.ts'
import { nextTurn } from '../support/next-turn.ts'
import { channelPair, ownerHere } from './pair.ts'

/** A client whose commit waits for a lock that another holds, and has a lock itself. */
async function waitingCommit() {
  const here = await ownerHere()
  const other = await here.client()
  const holder = await other.begin()
  await holder.getForUpdate('held')
  const client = await here.client()
  const tx = await client.begin({ lockTimeoutMs: Number.POSITIVE_INFINITY })
  await tx.getForUpdate('own')
  void tx.put('held', 1)
  const committing = tx.commit()
  await nextTurn()
  return { here, other, holder, client, tx, committing }
}

/** What the commit held is free, and what it would have written is not there when it could go on. */
async function expectGone(other: Client<string, unknown>, holder: { rollback(): Promise<void> }): Promise<void> {
  const next = await other.begin()
  await next.getForUpdate('own', { lockTimeoutMs: 0 })
  await next.rollback()
  await holder.rollback()
  expect(await other.has('held')).toBe(false)
}

describe('a commit that waits for a lock', () => {
  it('is ended by rollback, and lets go of what it holds', async () => {
    const { other, holder, tx, committing } = await waitingCommit()
    const ended = rejection('LIGHTNING_CLOSED', committing)
    await tx.rollback()
    await ended
    await expectGone(other, holder)
  })

  it('is ended by the close of its client, and does not wait for ever', async () => {
    const { other, holder, client, committing } = await waitingCommit()
    const ended = rejection('LIGHTNING_CLOSED', committing)
    await client.close()
    await ended
    await holder.rollback()
    expect(await other.has('held')).toBe(false)
  })

  it('is ended with its client, and lets go of what it holds', async () => {
    const { here, other, holder, committing } = await waitingCommit()
    const ended = rejection('LIGHTNING_OWNER_LOST', committing)
    const [near, far] = here.ends()
    far.lose('its process is gone.')
    near.lose('it ends with its process.')
    await ended
    await expectGone(other, holder)
  })

  it('is ended by the bound of db.transaction', async () => {
    const here = await ownerHere()
    const [other, client] = [await here.client(), await here.client()]
    const holder = await other.begin()
    await holder.getForUpdate('held')
    const controller = new AbortController()
    const options = { signal: controller.signal, lockTimeoutMs: Number.POSITIVE_INFINITY }
    const running = client.transaction(async tx => void tx.put('held', 1), options)
    await nextTurn()
    controller.abort()
    await rejection('LIGHTNING_ABORTED', running)
    await holder.rollback()
    expect(await client.has('held')).toBe(false)
  })
})

describe('an attempt that waits for its turn', () => {
  it('is ended by the close of its client, and leaves nothing open', async () => {
    const here = await ownerHere()
    const [other, client, plain] = [await here.client(), await here.client(), await here.client()]
    const begun = vi.spyOn(here.owner.transactions, 'beginInTurn')
    const isWaiting = () => begun.mock.results.some(({ value }) => value instanceof Promise)
    const [claimed, released] = [deferred(), deferred()]
    /** Loses by plain writes, which do not wait for claims, until it claims what it uses. */
    const run = (by: Client<string, unknown>, own: string, end: () => Promise<void>) =>
      by.transaction(
        async tx => {
          void tx.put('a', [await tx.get('a'), await tx.get(own)])
          if (tx.attempt === 4) await end()
          else await plain.put(own, tx.attempt)
        },
        { lockTimeoutMs: Number.POSITIVE_INFINITY }
      )
    const first = run(other, 'b', () => {
      claimed.resolve()
      return released.promise
    })
    await claimed.promise
    const ended = rejection(
      'LIGHTNING_CLOSED',
      run(client, 'c', () => Promise.resolve())
    )
    while (!isWaiting()) await nextTurn()
    await client.close()
    await ended
    released.resolve()
    await first
    expect(here.owner.transactions.size).toBe(0)
  })
})

describe('while there is no owner', () => {
  const orphan = async (options: OpenOptions = {}) => {
    const next = deferred<Owner>()
    const here = await ownerHere(memoryVfs(), () => next.promise)
    const client = await here.client(options)
    here.ends()[0].lose('its thread ended.')
    const follow = async () => {
      const owner = await Owner.open(memoryVfs(), ownerOptionsOf(parseOpenOptions({})), () => undefined)
      const [tree, bytes] = [owner.tree(new Uint8Array()), viewEncoding()]
      for (let i = 0; i < 500; i++) owner.engine.put(tree, Uint8Array.of(1, i >> 8, i), bytes, Uint8Array.of(1), bytes)
      next.resolve(owner)
      return owner
    }
    return { client, follow, next }
  }

  it('a signal ends a call at once, and the next owner does not go on with it', async () => {
    const { client, follow } = await orphan()
    const controller = new AbortController()
    const verifying = client.verify({ signal: controller.signal })
    await nextTurn()
    controller.abort('enough')
    expect((await rejection('LIGHTNING_ABORTED', verifying)).cause).toBe('enough')
    await follow()
    expect(await client.count()).toBe(500)
  })

  it('an iterator that is closed leaves nothing with the next one', async () => {
    const { client, follow } = await orphan()
    const keys = client.keys()
    const step = keys.next()
    await keys.return()
    const owner = await follow()
    await step
    await client.put('a', 1)
    expect(owner.engine.stats().snapshots.open).toBe(0)
  })

  it('and none can be had, whoever only listens is told by the logger', async () => {
    const told = vi.fn()
    const here = await ownerHere()
    // The engine is in this thread too, and tells of its checkpoints.
    const client = await here.client({ logger: { debug: () => undefined, info: told, warn: told, error: told } })
    client.on('checkpoint', () => undefined)
    here.ends()[0].lose('its thread ended.')
    await vi.waitUntil(() => told.mock.calls.length > 0)
    expect(told.mock.calls[0]?.[0]).toContain('no other')
  })
})

describe('a call that cannot be sent', () => {
  it('rejects, and harms no other of its turn', async () => {
    const client = await (await ownerHere()).client()
    const putting = client.put('a', 1)
    await rejection('LIGHTNING_INVALID_ARGUMENT', client.backup('/nowhere/\ud800'))
    await putting
    expect(await client.get('a')).toBe(1)
  })
})

describe('an owner', () => {
  it('that has nothing to say for long shows that it lives', async () => {
    const here = await ownerHere()
    const holder = await (await here.client()).begin()
    await holder.getForUpdate('a')
    const client = await here.client({ timeoutMs: 1_000 })
    const tx = await client.begin()
    vi.useFakeTimers()
    try {
      const locked = tx.getForUpdate('a', { lockTimeoutMs: Number.POSITIVE_INFINITY })
      await vi.advanceTimersByTimeAsync(20_000)
      await holder.rollback()
      expect(await locked).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
    await tx.rollback()
  })

  it('tells a client of what was logged before, and only after its welcome', async () => {
    const here = await ownerHere()
    const client = await here.client()
    here.owner.engine.on('checkpoint', () => {
      throw new Error('mine')
    })
    await client.put('a', 1)
    await client.checkpoint()
    const lines: unknown[] = []
    const note = (...parts: unknown[]): void => void lines.push(...parts)
    const late = await here.client({ logger: { debug: note, info: note, warn: note, error: note } })
    expect(await late.get('a')).toBe(1)
    expect(lines).toContainEqual(expect.objectContaining({ message: 'mine' }))
  })

  it('takes no more requests of a client that does not take the answers, and goes on in order when it does', async () => {
    const here = await ownerHere()
    const client = await here.client()
    const [, far] = here.ends()
    far.isCongested = true
    const order: number[] = []
    const calls = [1, 2, 3].map(async n => {
      await client.put('a', n)
      order.push(n)
    })
    for (let turn = 0; turn < 3; turn++) await nextTurn()
    expect([order, here.owner.engine.sequence]).toEqual([[], 0])
    far.drain()
    await Promise.all(calls)
    expect([order, await client.get('a')]).toEqual([[1, 2, 3], 3])
  })

  it('goes on when its only client, which had no answer for too long, comes back', async () => {
    const owners: Owner[] = []
    const here = await ownerHere(memoryVfs(), async () => owners[0] ?? Promise.reject(new Error('there is none.')))
    owners.push(here.owner)
    const client = await here.client()
    await client.put('a', 1)
    const [near, far] = here.ends()
    near.lose('it gave no sign of life.')
    far.lose('the other end was closed.')
    expect(await client.get('a')).toBe(1)
    expect(here.owner.engine.isClosed).toBe(false)
  })

  it('closes when its only client is lost and does not come back', async () => {
    const here = await ownerHere()
    await here.client()
    const [near, far] = here.ends()
    near.lose('its process is gone.')
    far.lose('its process is gone.')
    await vi.waitUntil(() => here.owner.engine.isClosed)
  })

  it('does not wait for ever for somebody who connects and says nothing', async () => {
    vi.useFakeTimers()
    try {
      const here = await ownerHere()
      const [near, far] = channelPair()
      const onClose = vi.fn()
      near.onClose = onClose
      here.owner.accept(far)
      vi.advanceTimersByTime(29_000)
      await Promise.resolve()
      expect(onClose).not.toHaveBeenCalled()
      vi.advanceTimersByTime(2_000)
      await Promise.resolve()
      expect(onClose).toHaveBeenCalledOnce()
    } finally {
      vi.useRealTimers()
    }
  })

  it('that has closed turns away whoever has not said anything yet', async () => {
    const here = await ownerHere()
    const client = await here.client()
    const [near, far] = channelPair()
    const gone = deferred<string>()
    near.onClose = reason => gone.resolve(reason)
    here.owner.accept(far)
    await client.close()
    expect(await gone.promise).toContain('closed')
  })
})
