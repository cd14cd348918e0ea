import { expect, test } from 'vitest'
import { ARENA_TOP, IMAGE_CAPACITY, TABLE_FULL } from '../../assembly/state.ts'
import { CHUNK_IDS, DIRECTORY_LENGTH } from '../../assembly/table.ts'
import { directoryEntryBytes } from '../../src/store/format.ts'
import { Model } from './model.ts'
import { main, Pager } from './pager.ts'
import { examine } from './soundness.ts'
import { load, take } from './steps.ts'

// Addresses beyond 2 GiB are negative numbers to who forgets that they are unsigned. Memory that nobody touches costs
// nothing, so a test can have that much.
test('pages, entries and records that lie beyond 2 GiB of memory are as good as others', async () => {
  const pager = await Pager.bare('wasm', 4096, 128)
  const border = 2 ** 31
  const high = border - 256 * 1024
  pager.setCell(ARENA_TOP, high)
  pager.must(pager.kernel.exports.makeTrees())
  const model = new Model(pager)
  load(model, 800, 'fat', 3000)
  expect(pager.frame(main.root)).toBeGreaterThan(high)
  for (let seed = 0; seed < 60; seed++) {
    const kind =
      (['mixed', 'open', 'large', 'look', 'clear', 'deleteRun', 'look', 'close'] as const)[seed % 8] ?? 'look'
    take(model, { kind, seed, size: 40 }, 'fat', 3000)
    if (seed % 10 === 9) examine(pager)
  }
  expect(pager.cell(ARENA_TOP)).toBeGreaterThan(border + 128 * 1024)
  model.compare()
  model.compareSnapshots({ reverse: true })
})

test('a database has as many pages as the checksum of its directory reaches, and no more', async () => {
  const pager = await Pager.bare('wasm', 4096, 128)
  const most = 4096 * DIRECTORY_LENGTH
  // What names the chunks of so many pages fits the area where its checksum is computed.
  expect((most / CHUNK_IDS) * directoryEntryBytes).toBeLessThanOrEqual(pager.cell(IMAGE_CAPACITY))
  expect(pager.kernel.exports.setTableLimit(most + 1)).toBe(TABLE_FULL)
})
