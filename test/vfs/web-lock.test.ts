// The lock of browsers where Web Locks fail; with real ones it is tested in browsers.
import { expect, it, vi } from 'vitest'
import { takeWebLock } from '../../src/vfs/web-lock.ts'
import { rejection } from '../support/database.ts'

it('a lock whose note cannot be made is not kept', async () => {
  const held = new Set<string>()
  const request = async (name: string, _: unknown, granted: (lock: unknown) => Promise<void>): Promise<void> => {
    if (name.includes('#')) throw new DOMException('The page is being left.', 'AbortError')
    held.add(name)
    await granted({ name })
    held.delete(name)
  }
  vi.stubGlobal('navigator', { locks: { request, query: async () => ({ held: [] }) } })
  try {
    await rejection('LIGHTNING_IO', takeWebLock('/app', 'opfs:/app', 'exclusive'))
    expect([...held]).toEqual([])
  } finally {
    vi.unstubAllGlobals()
  }
})
