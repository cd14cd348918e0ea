// Extents that wait for a checkpoint (src/store/pending-extents.ts).
import { expect, test } from 'vitest'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { openCore } from '../../src/engine/opening.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { smallOptions } from './content.ts'

test('go on waiting when a checkpoint fails, however many large values were replaced while it ran', async () => {
  const { pending } = await openCore(new SimulatedDisk().vfs(), smallOptions)
  const before = pending.sectors
  pending.beginCheckpoint()
  for (let i = 0; i < 300_000; i++) pending.give(1_000 + i, 512, ENTRY_LARGE)
  pending.abandonCheckpoint()
  expect([pending.sectors - before, pending.isCheckpointing]).toEqual([300_000, false])
})
