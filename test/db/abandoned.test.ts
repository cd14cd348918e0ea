// Handles that are simply dropped: the garbage collector closes what they hold.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { Database } from '../../src/index.ts'
import { inMemory, openNew } from '../support/database.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Collects until `isDone`; bounded, for the collector promises nothing about a single run. */
async function collectUntil(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !isDone(); i++) {
    collectGarbage()
    await new Promise(resolve => setImmediate(resolve))
  }
}

async function openFilled(): Promise<Database<string, unknown>> {
  const db = await openNew(inMemory)
  await db.batch(Array.from({ length: 2_000 }, (_, value) => ({ type: 'put', key: `k${value}`, value })))
  return db
}

it('an iterator that is dropped in the middle gives its state back', async () => {
  const db = await openFilled()
  const begin = (): void => {
    for (let i = 0; i < 10; i++) db.entries().next()
  }
  begin()
  expect(db.stats().snapshots.open).toBe(10)
  await collectUntil(() => db.stats().snapshots.open === 0)
  expect(db.stats().snapshots.open).toBe(0)
})

it('a snapshot that is dropped is closed', async () => {
  const db = await openFilled()
  const begin = (): unknown => db.snapshot().get('k1')
  begin()
  expect(db.stats().snapshots.open).toBe(1)
  await collectUntil(() => db.stats().snapshots.open === 0)
  expect(db.stats().snapshots.open).toBe(0)
})

it('a snapshot stays open for the readers and iterators that come from it', async () => {
  const db = await openFilled()
  const sub = db.sublevel('sub')
  await sub.put('k', 1)
  const begin = () => [db.snapshot().entries(), db.keys({ snapshot: db.snapshot() })] as const
  const [entries, keys] = begin()
  const reader = db.snapshot().sublevel(sub)
  await db.clear()
  await sub.clear()
  await collectUntil(() => false)
  expect(db.stats().snapshots.open).toBe(3)
  expect([[...entries].length, [...keys].length, reader.get('k')]).toEqual([2_000, 2_000, 1])
})

it('iterators that ended hold nothing', async () => {
  const db = await openFilled()
  for (const _ of db.keys()) break
  expect([...db.entries()]).toHaveLength(2_000)
  db.values({ limit: 3 }).next()
  db.keys().return()
  expect(db.stats().snapshots.open).toBe(0)
})
