// A file that a dead worker still has open, as browsers say it; with real ones it is tested in browsers.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { opfsVfs } from '../../src/vfs/opfs.ts'

let refusals = 0
let name = ''

beforeEach(() => {
  vi.useFakeTimers()
  const handle = { getSize: () => 7, close: () => undefined }
  const file = {
    async createSyncAccessHandle() {
      if (refusals-- > 0) throw new DOMException('it is open', name)
      return handle
    }
  }
  const directory = { getDirectoryHandle: async () => directory, getFileHandle: async () => file }
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => directory } })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

// The standard's name, and WebKit's.
const names = ['NoModificationAllowedError', 'InvalidStateError']

it.each(names)('is waited for when the browser calls it %s', async given => {
  ;[name, refusals] = [given, 3]
  const opening = opfsVfs('app').open('data.ldb')
  await vi.runAllTimersAsync()
  const file = await opening
  expect(file.size()).toBe(7)
  file.close()
})

it.each(names)('is LIGHTNING_LOCKED when that lasts (%s)', async given => {
  ;[name, refusals] = [given, Number.POSITIVE_INFINITY]
  const opening = expect(opfsVfs('app').open('data.ldb')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
  await vi.runAllTimersAsync()
  await opening
})
