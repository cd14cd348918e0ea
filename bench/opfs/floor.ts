// What no durable write in private files can be faster than: one block written into a file that has its blocks already,
// and flushed.
import { isAccessible } from '../../src/vfs/access-handle.ts'
import { perSecond, timedSlices } from '../timing.ts'

const blockBytes = 4_096
const blocks = 1_000

/** Blocks a second. Dedicated workers only. */
export async function measureFloor(seconds: number): Promise<number> {
  const root = await navigator.storage.getDirectory()
  const file = await root.getFileHandle('floor', { create: true })
  if (!isAccessible(file)) throw new Error('files can be written in dedicated workers only')
  const handle = await file.createSyncAccessHandle({ mode: 'readwrite' })
  try {
    handle.write(new Uint8Array(blocks * blockBytes), { at: 0 })
    handle.flush()
    const block = new Uint8Array(blockBytes).fill(1)
    const range = (from: number, to: number) => ({ from, to })
    const slices = { total: 1e6, sliceLength: 10, seconds, prepare: range }
    return perSecond(
      await timedSlices(slices, ({ from, to }) => {
        for (let i = from; i < to; i++) {
          handle.write(block, { at: (i % blocks) * blockBytes })
          handle.flush()
        }
      })
    )
  } finally {
    handle.close()
    await root.removeEntry('floor')
  }
}
