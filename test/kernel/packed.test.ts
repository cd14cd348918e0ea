// The bundled kernel as browsers get it.
import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import { bundledBytes } from '../../src/kernel/bundled-bytes.browser.ts'
import { onDemand, onDemandWithin } from '../../src/kernel/on-demand.ts'

test('the kernel that browsers unpack is the same', async () => {
  const file = readFileSync(new URL('../../build/kernel/kernel.wasm', import.meta.url))
  expect(await bundledBytes()).toEqual(Uint8Array.from(file))
})

test('where nothing can be unpacked there is none, so that the JavaScript build is run', async () => {
  vi.stubGlobal('DecompressionStream', undefined)
  expect(await bundledBytes()).toBe(undefined)
  vi.unstubAllGlobals()
})

test('a part that cannot be loaded says so, and is asked for again by the next call', async () => {
  const cause = new TypeError('Failed to fetch dynamically imported module')
  const load = vi.fn<() => Promise<number>>().mockRejectedValueOnce(cause).mockResolvedValueOnce(1)
  const error = await onDemand('verify', load).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LightningError)
  expect(error).toMatchObject({ code: 'LIGHTNING_UNAVAILABLE', cause })
  expect(String(error)).toContain('verify needs cannot be loaded; nothing was changed. Try again')
  expect(await onDemand('verify', load)).toBe(1)
})

test('a script that nobody sends is not waited for where it may be left out', async () => {
  const never = () => new Promise<number>(() => undefined)
  await expect(onDemandWithin(1, 'close', never)).rejects.toMatchObject({ code: 'LIGHTNING_UNAVAILABLE' })
  expect(await onDemandWithin(60_000, 'close', async () => 1)).toBe(1)
})
