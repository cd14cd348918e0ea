// Pages that may not ask for Web Locks: not served securely, or in a frame without an origin.
import { afterEach, expect, test, vi } from 'vitest'
import { parseOpenOptions } from '../../src/db/options.ts'
import { ownerOptionsOf } from '../../src/host/owner-options.ts'
import { findOwner } from '../../src/host/tab-owners.ts'
import type { Wanted } from '../../src/host/owners.ts'

afterEach(() => void vi.unstubAllGlobals())

const wanted: Wanted = {
  location: 'opfs:/app',
  hello: { readOnly: false, isStrict: true, wantsLog: false, errorIfExists: false },
  options: ownerOptionsOf(parseOpenOptions({})),
  script: undefined,
  timeoutMs: 1_000
}

test.each<[string, object]>([
  ['has none', {}],
  ['must not ask', { locks: { query: () => Promise.reject(new DOMException('no origin', 'SecurityError')) } }]
])('a page that %s is told that it cannot connect', async (_, navigator) => {
  vi.stubGlobal('navigator', navigator)
  await expect(findOwner(wanted, performance.now() + 1_000)).rejects.toMatchObject({
    code: 'LIGHTNING_UNAVAILABLE',
    message: expect.stringContaining("':memory:'")
  })
})
