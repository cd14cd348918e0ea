import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PAGES_USED, TABLE_LIMIT } from '../../assembly/state.ts'
import { type KeyShape, keyShapes, Model } from './model.ts'
import { Pager } from './pager.ts'
import { load, type Step, someSteps, take } from './steps.ts'

describe('the two builds', () => {
  test.each(keyShapes)('leave the same pages behind, bit for bit, keys being %s', async shape => {
    await fc.assert(
      fc.asyncProperty(someSteps, fc.constantFrom(4096, 16384), async (steps, pageBytes) => {
        const [wasm, javaScript] = await Promise.all([
          run('wasm', pageBytes, steps, shape),
          run('javascript', pageBytes, steps, shape)
        ])
        expect(javaScript.statuses).toBe(wasm.statuses)
        const pages = picture(wasm)
        expect(pages.size).toBe(wasm.cell(PAGES_USED))
        expect(picture(javaScript)).toEqual(pages)
      }),
      { seed: 5, numRuns: 3, endOnFailure: true }
    )
  })
})

async function run(build: 'wasm' | 'javascript', pageBytes: number, steps: Step[], shape: KeyShape): Promise<Pager> {
  const model = new Model(await Pager.make(build, pageBytes, 64))
  load(model, 500, shape, 3000)
  for (const step of steps) take(model, step, shape, 3000)
  return model.pager
}

/** What the table says of every page: length, format and checksum of its image. */
function picture(pager: Pager): Map<number, string> {
  pager.evictAll()
  const pages = new Map<number, string>()
  for (let id = 1; id < pager.cell(TABLE_LIMIT); id++) {
    const entry = pager.kernel.exports.entryAt(id, 0)
    const words = [4, 8, 12, 16, 20].map(offset => pager.cell(entry + offset))
    if (pager.cell(entry) !== 0) pages.set(id, words.join(' '))
  }
  return pages
}
