import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyShapes, Model } from './model.ts'
import { main, Pager } from './pager.ts'
import { examine } from './soundness.ts'
import { load, someScale, someSteps, take } from './steps.ts'

/** 64 frames are the fewest there can be: everything is evicted all the time. */
const setups = [
  { pageBytes: 4096, frames: 64, runs: 10 },
  { pageBytes: 4096, frames: 4096, runs: 4 },
  { pageBytes: 16384, frames: 64, runs: 5 },
  { pageBytes: 65536, frames: 64, runs: 3 }
]

describe.each(setups)('pages of $pageBytes bytes in $frames frames', ({ pageBytes, frames, runs }) => {
  test.each(keyShapes)('hold what sorted maps hold, keys being %s', async shape => {
    await fc.assert(
      fc.asyncProperty(someSteps, someScale, fc.boolean(), async (steps, scale, isEarly) => {
        const model = new Model(await Pager.make('wasm', pageBytes, frames))
        if (isEarly) model.pager.takeSnapshotsForCheckpoints()
        load(model, scale.load, shape, scale.spread)
        for (const [index, step] of steps.entries()) {
          take(model, step, shape, scale.spread)
          if (index % 12 === 11) examine(model.pager)
          if (index % 12 === 5) model.compareSnapshots()
        }
        finish(model)
      }),
      { seed: pageBytes + frames, numRuns: runs, endOnFailure: true }
    )
  })
})

/** Looks at all that is left, closes and deletes it, and sees that nothing remains. */
function finish(model: Model): void {
  model.compare()
  model.compare(undefined, 0, { reverse: true })
  model.compareSnapshots()
  model.compareSnapshots({ reverse: true })
  examine(model.pager)
  while (model.snapshots.length > 0) {
    model.closeSnapshot(model.snapshots.length >> 1)
    examine(model.pager)
    model.compareSnapshots()
  }
  for (const { tree, name } of Array.from(model.trees.values())) {
    if (tree !== main.tree) model.commit([{ type: 'drop', tree, name }])
  }
  model.commit([{ type: 'clear', tree: main.tree, from: '', to: undefined }])
  model.compare()
  expect(examine(model.pager)).toEqual({ pages: 2, leaves: 2, height: 0, entries: 0 })
  model.pager.evictAll()
  // The two roots' images.
  expect(model.pager.alive.size).toBe(2)
}
