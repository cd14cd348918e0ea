// Strict commits while somebody else is expected to commit soon: their sync runs in the pool, and leaves this thread alone.
import { expect, test } from 'vitest'
import { isLightningError } from '../../src/errors.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import type { Deferred } from '../support/deferred.ts'
import { nextTurn } from '../support/next-turn.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { heldLog } from './held-log.ts'

/** Puts, and tells what becomes of it. */
function put(engine: Engine, key: string, told: string[]): Promise<void> {
  engine.put(engine.tree(path('')), key, utf8, 'value', utf8)
  return engine.settled().then(
    () => void told.push(`${key} is durable`),
    error => void told.push(`${key}: ${isLightningError(error) ? error.code : error}`)
  )
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await nextTurn()
}

interface Running {
  readonly vfs: Vfs
  readonly engine: Engine
  /** What the pool is asked to do; resolving one ends it. */
  readonly syncs: readonly Deferred<void>[]
  readonly told: string[]
  /** Settles when the commit that is being synced has been told. */
  readonly first: Promise<void>
}

/** A commit, 'first', that the pool is syncing. */
async function firstInPool(): Promise<Running> {
  const { vfs, syncs, told } = heldLog()
  const engine = await openEngine(vfs)
  told.length = 0
  engine.expectCommit()
  const first = put(engine, 'first', told)
  await turns()
  return { vfs, engine, syncs, told, first }
}

test('what is committed while the sync runs waits for the next one', async () => {
  const { engine, syncs, told, first } = await firstInPool()
  const second = put(engine, 'second', told)
  await turns()
  expect([syncs.length, told]).toEqual([1, []])
  syncs[0]?.resolve()
  await Promise.all([first, second])
  expect(told).toEqual(['log synced', 'first is durable', 'log synced', 'second is durable'])
  // Nobody was expected any more.
  expect(syncs).toHaveLength(1)
  await engine.close()
})

test('whoever has only seen what is being synced does not wait for what is committed meanwhile', async () => {
  const { engine, syncs, told, first } = await firstInPool()
  const seen = engine.sequence
  engine.expectCommit()
  const second = put(engine, 'second', told)
  const reader = engine.settled(seen).then(() => void told.push('what the reader saw is durable'))
  syncs[0]?.resolve()
  await turns()
  expect([syncs.length, told]).toEqual([2, ['log synced', 'first is durable', 'what the reader saw is durable']])
  syncs[1]?.resolve()
  await Promise.all([first, second, reader])
  await engine.close()
})

test('a synchronous flush does not wait for a sync that runs in the pool', async () => {
  const { engine, syncs, told, first } = await firstInPool()
  engine.flushSync()
  await first
  expect(told).toEqual(['log synced', 'first is durable'])
  const closing = engine.close()
  syncs[0]?.resolve()
  await closing
})

test('a flush of many commits does not go to the pool for a few that are expected', async () => {
  const { vfs, syncs, told } = heldLog()
  const engine = await openEngine(vfs)
  told.length = 0
  engine.expectCommit()
  await Promise.all(Array.from({ length: 20 }, (_, i) => put(engine, `key ${i}`, told)))
  expect([syncs.length, told.length, told[0]]).toEqual([0, 21, 'log synced'])
  await engine.close()
})

test('a database that is closed while the pool syncs has what was committed before and meanwhile', async () => {
  const { vfs, engine, syncs, told, first } = await firstInPool()
  const second = put(engine, 'second', told)
  const closing = engine.close()
  await turns()
  syncs[0]?.resolve()
  await Promise.all([closing, first, second])
  expect(told).toEqual(['log synced', 'first is durable', 'log synced', 'second is durable'])
  const again = await openEngine(vfs)
  expect([...contentOf(again).keys()]).toEqual(['/first', '/second'])
  await again.close()
})

test('all who wait are told when the sync fails, and what was acknowledged before is there after a crash', async () => {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs())
  const told: string[] = []
  await put(engine, 'before', told)
  disk.fault = call => (call.kind === 'sync' && call.file.startsWith('wal') ? { code: 'EIO' } : undefined)
  engine.expectCommit()
  const first = put(engine, 'first', told)
  // The sync has begun when the second is put.
  for (let i = 0; i < 10; i++) await undefined
  const second = put(engine, 'second', told)
  await Promise.all([first, second])
  expect(told).toEqual(['before is durable', 'first: LIGHTNING_FAILED', 'second: LIGHTNING_FAILED'])
  expect([...contentOf(engine).keys()]).toEqual(['/before'])
  disk.fault = undefined
  await engine.close()
  const again = await openEngine(new SimulatedDisk(1, disk.state()).crash(1).vfs())
  expect(contentOf(again).has('/before')).toBe(true)
})
