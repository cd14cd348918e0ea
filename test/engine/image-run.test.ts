import { expect, test } from 'vitest'
import { MISS, OUT_OF_MEMORY, WANTED_PAGE, WANTED_RECORD } from '../../assembly/state.ts'
import { closeFiles } from '../../src/engine/closing.ts'
import { openCore } from '../../src/engine/opening.ts'
import type { Kernel } from '../../src/kernel/load.ts'
import { ImageRun } from '../../src/store/image-run.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { smallOptions } from './content.ts'

test.each([0, 1])('blocks of images that could not be named are given back (%d of 2 named)', async most => {
  const core = await openCore(new SimulatedDisk().vfs(), smallOptions)
  const { exports } = core.kernel
  let named = 0
  const kernel: Kernel = {
    ...core.kernel,
    exports: {
      ...exports,
      setImage: (frame, sector, bytes, format, checksum) =>
        named++ < most ? exports.setImage(frame, sector, bytes, format, checksum) : OUT_OF_MEMORY
    }
  }
  const run = new ImageRun(kernel, core.memory, core.data, false)
  // The two roots: a block each.
  for (let page = 1; page <= 2; page++) {
    core.memory.setWord(WANTED_PAGE, page)
    core.memory.setWord(WANTED_RECORD, 0)
    core.provide(MISS)
    run.add(exports.frameOf(page) >>> 0)
  }
  const { usedBlocks } = core.data.blocks
  expect(() => run.flush()).toThrow(expect.objectContaining({ code: 'LIGHTNING_OUT_OF_MEMORY' }))
  expect(named).toBe(most + 1)
  expect(core.data.blocks.usedBlocks).toBe(usedBlocks + most)
  core.isClosed = true
  await closeFiles(core)
})
