// Snapshots that are older than `maxSnapshotAgeMs` end by themselves.
import { afterEach, expect, test, vi } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { openEngine, path, utf8 } from './content.ts'

const isTooOld = expect.objectContaining({ code: 'LIGHTNING_TIMEOUT' })

afterEach(() => {
  vi.useRealTimers()
})

async function opened(): Promise<Engine> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const engine = await openEngine(memoryVfs(), { maxSnapshotAgeMs: 1_000 })
  put(engine, 'before')
  await engine.settled()
  return engine
}

function put(engine: Engine, value: string): void {
  engine.put(engine.tree(path('')), 'key', utf8, value, utf8)
}

test('snapshots that nobody uses are ended while nothing is written, each at its time', async () => {
  const engine = await opened()
  const forgotten = engine.snapshot()
  put(engine, 'after')
  await engine.settled()
  expect(engine.stats().snapshots).toMatchObject({ open: 1, versions: 1 })
  vi.advanceTimersByTime(400)
  const younger = engine.snapshot()
  vi.advanceTimersByTime(601)
  expect(engine.stats().snapshots).toMatchObject({ open: 1, versions: 0 })
  expect([forgotten.isOpen, younger.isOpen]).toEqual([false, true])
  expect(() => engine.checkReadable(forgotten)).toThrow(isTooOld)
  engine.checkReadable(younger)
  vi.advanceTimersByTime(400)
  expect(engine.stats().snapshots.open).toBe(0)
  expect(() => engine.checkReadable(younger)).toThrow(isTooOld)
  await engine.close()
})

test('one timer serves any number of snapshots, and none is left by a close', async () => {
  const engine = await opened()
  for (let i = 0; i < 5; i++) engine.snapshot()
  engine.snapshot().close()
  expect(vi.getTimerCount()).toBe(1)
  await engine.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a snapshot that was closed in time leaves its timer to the next one', async () => {
  const engine = await opened()
  engine.snapshot().close()
  vi.advanceTimersByTime(600)
  const next = engine.snapshot()
  vi.advanceTimersByTime(1_000)
  expect(next.isOpen).toBe(true)
  vi.advanceTimersByTime(1)
  expect(next.isOpen).toBe(false)
  await engine.close()
})
