// The order in which a checkpoint touches the disk (docs/durability.md, rule 9), watched call by call.
import { expect, test } from 'vitest'
import { blockBytes, dataFileName } from '../../src/store/format.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs, VfsFile } from '../../src/vfs/vfs.ts'
import { Random } from '../support/random.ts'
import { openEngine, path, someText, utf8 } from './content.ts'

type Step = 'images' | 'first slot' | 'second slot' | 'log' | 'cut' | 'data synced' | 'log synced'

/** A file that tells what is done to it. */
function watched(file: VfsFile, steps: Step[]): VfsFile {
  const isData = file.name === dataFileName
  const synced = isData ? 'data synced' : 'log synced'
  const written = (offset: number): Step => {
    if (!isData) return 'log'
    if (offset >= 2 * blockBytes) return 'images'
    return offset < blockBytes ? 'first slot' : 'second slot'
  }
  return {
    name: file.name,
    readAt: (into, offset) => file.readAt(into, offset),
    writeAt: (bytes, offset) => {
      steps.push(written(offset))
      file.writeAt(bytes, offset)
    },
    sync: () => {
      file.sync()
      steps.push(synced)
    },
    syncAsync: async () => {
      await file.syncAsync()
      steps.push(synced)
    },
    truncate: bytes => {
      steps.push('cut')
      file.truncate(bytes)
    },
    size: () => file.size(),
    close: () => file.close()
  }
}

function watchedVfs(steps: Step[]): Vfs {
  const vfs: Vfs = memoryVfs()
  const open = vfs.open.bind(vfs)
  vfs.open = async (name, options) => watched(await open(name, options), steps)
  return vfs
}

/** Neighbours that are equal, taken together. */
const together = (steps: readonly Step[]): Step[] => steps.filter((step, i) => step !== steps[i - 1])

test.each(['strict', 'relaxed'] as const)(
  'a checkpoint syncs before each step that relies on it (%s)',
  async durability => {
    const steps: Step[] = []
    const options = { durability, walBytes: 1 << 20, syncIntervalMs: 3_600_000 }
    const engine = await openEngine(watchedVfs(steps), options)
    const random = new Random(1)
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 200; i++)
        engine.put(engine.tree(path('')), `key ${random.below(1_000)}`, utf8, someText(random, 200), utf8)
      await engine.settled()
      steps.length = 0
      await engine.checkpoint()
      const order = together(steps)
      const slots = order.slice(order.indexOf('first slot'))
      // Nothing is reused or cut off before the end, and both slots hold the checkpoint by then.
      expect(slots).toEqual(['first slot', 'data synced', 'second slot', 'data synced'])
      const before = order.slice(0, order.indexOf('first slot'))
      expect(before.lastIndexOf('data synced')).toBeGreaterThan(before.lastIndexOf('images'))
      if (durability === 'relaxed') expect(before.lastIndexOf('log synced')).toBeGreaterThan(before.lastIndexOf('log'))
      expect(before).toContain('images')
    }
    await engine.close()
  }
)

test('a commit is written to the log and synced before it is acknowledged', async () => {
  const steps: Step[] = []
  const engine = await openEngine(watchedVfs(steps))
  const tree = engine.tree(path(''))
  engine.put(tree, 'first', utf8, 'value', utf8)
  await engine.settled()
  steps.length = 0
  engine.put(tree, 'second', utf8, 'value', utf8)
  expect(steps).toEqual([])
  await engine.settled()
  expect(together(steps)).toEqual(['log', 'log synced'])
  await engine.close()
})
