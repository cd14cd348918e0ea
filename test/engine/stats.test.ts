// What the numbers of `stats` mean, where the conformance suite cannot know them.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openIn } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs, VfsFile } from '../../src/vfs/vfs.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** Files in memory whose syncs take as many milliseconds of the mocked clock as `takes` says. */
function slowVfs(takes: () => number): Vfs {
  const bound = (target: object, name: string | symbol): unknown => {
    const member: unknown = Reflect.get(target, name)
    return typeof member === 'function' ? member.bind(target) : member
  }
  const slow = (file: VfsFile): VfsFile =>
    new Proxy(file, {
      get: (target, name) =>
        name === 'sync'
          ? () => {
              vi.advanceTimersByTime(takes())
              target.sync()
            }
          : bound(target, name)
    })
  return new Proxy(memoryVfs(), {
    get: (target, name) =>
      name === 'open'
        ? async (...parameters: Parameters<Vfs['open']>) => slow(await target.open(...parameters))
        : bound(target, name)
  })
}

describe('latencies', () => {
  it('are those of the syncs that durable writes waited for', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    let takes = 0
    const db = await openIn<string, unknown>(
      slowVfs(() => takes),
      parseOpenOptions({})
    )
    for (takes of [2, 6, 4]) db.putSync('a', takes)
    expect(db.stats().log.syncs).toBe(3)
    const { lastSyncMs, longestSyncMs, meanSyncMs } = db.stats().latencies
    expect([lastSyncMs, longestSyncMs]).toEqual([4, 6])
    // Opening syncs as well, which took no time.
    expect(meanSyncMs).toBeGreaterThan(1)
    expect(meanSyncMs).toBeLessThanOrEqual(4)
    await db.close()
  })
})
