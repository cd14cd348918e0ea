// A checkpoint is done in slices even where the event loop gets no turn: no commit does all of one.
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { Random } from '../support/random.ts'
import { openEngine, path, utf8 } from './content.ts'
import { expectSound } from './support.ts'

const MiB = 1 << 20
const root = path('')

function put(engine: Engine, number: number, version: number): void {
  engine.put(
    engine.tree(root),
    `key ${String(number).padStart(6, '0')}`,
    utf8,
    `${version}`.padStart(6).repeat(20),
    utf8
  )
}

test('the space of pages that were written to make room in the cache comes back bit by bit', async () => {
  const engine = await openEngine(memoryVfs(), { cacheBytes: 4 * MiB, walBytes: MiB, compression: 'none' })
  const rows = 80_000
  for (let i = 0; i < rows; i++) {
    put(engine, i, 0)
    if (i % 100 === 0) await engine.settled()
  }
  await engine.checkpoint()
  const before = engine.stats()

  let most = 0
  let mostFile = 0
  const random = new Random(1)
  for (let i = 1; i < 20_000; i++) {
    const { imageBytes } = engine.stats().checkpoints
    put(engine, random.below(rows), i)
    const { file, checkpoints } = engine.stats()
    most = Math.max(most, checkpoints.imageBytes - imageBytes)
    mostFile = Math.max(mostFile, file.bytes)
  }
  expect(engine.stats().checkpoints.count - before.checkpoints.count).toBeGreaterThan(2)
  // A slice, and a few pages that have to leave the cache; half of the frames may be dirty, which are 2 MiB.
  expect(most).toBeLessThan(MiB / 2)
  // No page has more than one image that waits; images that left parts of blocks behind take as much again.
  expect(mostFile).toBeLessThan(4 * before.file.usedBytes)
  await engine.settled()
  await expectSound(engine)
  await engine.close()
})
