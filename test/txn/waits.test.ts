// Who waits for a lock gets it in turn, or is told why not: as a model foretells, `WAITS=500` with more seeds.
import { afterEach, expect, test, vi } from 'vitest'
import { type LockOwner, LockWait } from '../../src/txn/locks.ts'
import { play } from './waits-play.ts'

const seeds = Array.from({ length: Number(process.env.WAITS ?? 10) }, (_, i) => i + 1)

afterEach(() => {
  vi.restoreAllMocks()
})

test('locks are given in turn, circles cost their youngest, and waits end by bounds, signals and rollbacks', {
  timeout: 20_000 + seeds.length * 2_000
}, async () => {
  const sum = new Map<string, number>()
  for (const seed of seeds) {
    for (const [name, count] of Object.entries(await play(seed, 1_000))) sum.set(name, (sum.get(name) ?? 0) + count)
  }
  for (const [name, count] of sum) expect(count, name).toBeGreaterThan(seeds.length)
})

test('that is found wrong when nobody sees who waits for whom', async () => {
  const nobody: LockOwner = {
    id: 0,
    seniority: 0,
    held: [],
    waits: new Set(),
    hold: () => undefined,
    lose: () => undefined
  }
  vi.spyOn(LockWait.prototype, 'blocker', 'get').mockReturnValue(nobody)
  await expect(untilOneFails()).rejects.toThrow(/(lock|commit), went wrong/)
})

test('that is found wrong when a wait goes on beyond its bound', async () => {
  vi.spyOn(LockWait.prototype, 'bound').mockImplementation(() => undefined)
  await expect(untilOneFails()).rejects.toThrow(/pause, went wrong/)
})

async function untilOneFails(): Promise<void> {
  for (const seed of seeds) await play(seed, 1_000)
}
