// Zeros written ahead in the log while commits come one after the other.
import { expect, test } from 'vitest'
import { LightningError } from '../../src/errors.ts'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { heldLog } from './held-log.ts'

const mebibyte = 1 << 20
/** As users have it: no checkpoint comes between. */
const options: Partial<EngineOptions> = { cacheBytes: 8 * mebibyte, walBytes: 64 * mebibyte }
const value = 'x'.repeat(1_000)

/** Durable commits of about `bytes` of log together, a hundred at once. */
async function fill(engine: Engine, bytes: number): Promise<void> {
  const tree = engine.tree(path(''))
  for (let put = 0; put * value.length < bytes; ) {
    for (const end = put + 100; put < end; put++) engine.put(tree, `key ${put % 500}`, utf8, value, utf8)
    await engine.settled()
  }
}

test('the next zeros are written and synced off this thread before they are needed, and no commit waits for that', async () => {
  const { vfs, syncs } = heldLog()
  const engine = await openEngine(vfs, options)
  await fill(engine, 300_000)
  expect(syncs).toHaveLength(0)
  const before = engine.stats().log.fileBytes
  await fill(engine, 600_000)
  expect([syncs.length, engine.stats().log.fileBytes - before]).toEqual([1, mebibyte])
  // The pool is busy with that step for ever. Commits go on, and write what they need themselves.
  await fill(engine, 4 * mebibyte)
  expect(syncs).toHaveLength(1)
  expect(engine.stats().log.fileBytes).toBeGreaterThanOrEqual(before + 4 * mebibyte)
  syncs[0]?.resolve()
  await engine.close()
  const again = await openEngine(vfs, options)
  expect(contentOf(again).size).toBe(500)
  await again.close()
})

test('a disk without space for the next zeros refuses no commit that does not need them', async () => {
  const vfs = withoutSpaceFor(mebibyte)
  const engine = await openEngine(vfs, options)
  await fill(engine, 3 * mebibyte)
  expect(contentOf(engine).size).toBe(500)
  await engine.close()
})

test('nothing is written ahead that a quota would count', async () => {
  const { vfs, syncs } = heldLog()
  const engine = await openEngine(vfs, { ...options, maxBytes: 64 * mebibyte })
  await fill(engine, 4 * mebibyte)
  expect(syncs).toHaveLength(0)
  await engine.close()
})

/** Writes of so many bytes or more to the log fail. */
function withoutSpaceFor(bytes: number): Vfs {
  const vfs = memoryVfs()
  const open = vfs.open.bind(vfs)
  vfs.open = async (name, how) => {
    const file = await open(name, how)
    const write = file.writeAt.bind(file)
    file.writeAt = (written, offset) => {
      if (name.startsWith('wal') && written.length >= bytes)
        throw new LightningError('LIGHTNING_DISK_FULL', 'No space.')
      write(written, offset)
    }
    return file
  }
  return vfs
}
