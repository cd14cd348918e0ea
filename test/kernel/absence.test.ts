// Filters of leaves (assembly/absence.ts): a get that they answer must answer as the leaf would, whatever has happened to
// it, and so must every other get.
import { describe, expect, test } from 'vitest'
import {
  ABSENCE_LINE_BYTES,
  ABSENCE_LINES,
  ABSENCE_MASK,
  ABSENCE_SCORE,
  ABSENCE_USED,
  CORRUPT
} from '../../assembly/state.ts'
import { Random } from '../support/random.ts'
import { main, Pager } from './pager.ts'
import { writePage } from './sound-pages.ts'
import { examine } from './soundness.ts'

const made = 0xfffe

/** Makes gets use filters, as if they had found next to nothing lately. */
function expectAbsence(pager: Pager): void {
  pager.setCell(ABSENCE_SCORE, 64)
}

/** Ids of the pages with a filter. */
function filtered(pager: Pager): number[] {
  const ids: number[] = []
  for (let i = 0; i <= pager.cell(ABSENCE_MASK); i++) {
    const line = pager.cell(ABSENCE_LINES) + i * pager.cell(ABSENCE_LINE_BYTES)
    if (pager.view.getUint16(line + 6, true) >= made) ids.push(pager.cell(line) & 0xffffff)
  }
  return ids
}

const keyOf = (number: number) => `some key ${String(number).padStart(number % 3 === 0 ? 12 : 5, '0')}`

describe.each(['wasm', 'javascript'] as const)('filters, in the %s build', build => {
  test('are made where gets look in vain, and not where they find what they want', async () => {
    const pager = await Pager.make(build, 4096, 256)
    const value = 'value'.repeat(20)
    for (let i = 0; i < 2_000; i++) pager.put(keyOf(i), value)
    for (let i = 0; i < 2_000; i++) expect(pager.get(main, keyOf(i))).toBe(value)
    expect([pager.cell(ABSENCE_USED), filtered(pager)]).toEqual([0, []])
    for (let i = 0; i < 2_000; i++) {
      pager.get(main, keyOf(i))
      pager.get(main, keyOf(i + 1))
      if (i % 10 === 0) expect(pager.get(main, `${keyOf(i)}!`)).toBeUndefined()
    }
    expect(filtered(pager)).toEqual([])
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 2_000; i++) expect(pager.get(main, `${keyOf(i)}!`)).toBeUndefined()
    }
    expect(filtered(pager).length).toBeGreaterThan(20)
    for (let i = 0; i < 2_000; i++) {
      expectAbsence(pager)
      expect(pager.get(main, keyOf(i))).toBe(value)
    }
  })

  test.each([
    ['all pages in memory', 4096, 512],
    ['few frames, and so few lines', 4096, 64],
    ['large pages', 16384, 64]
  ])('stay right among all that changes leaves, with %s', async (_, pageBytes, frames) => {
    const random = new Random(frames + pageBytes)
    const pager = await Pager.make(build, pageBytes, frames)
    const model = new Map<string, string>()
    const kept: { snapshot: number; state: Map<string, string> }[] = []
    let most = 0
    const compare = (state: ReadonlyMap<string, string>, snapshot: number, gets: number) => {
      for (let i = 0; i < gets; i++) {
        expectAbsence(pager)
        const some = keyOf(random.below(3_000))
        expect(pager.get(main, some, snapshot)).toBe(state.get(some))
      }
    }
    for (let step = 0; step < 120; step++) {
      // In one corner, so that other leaves keep their filters for some time.
      const corner = random.below(2_900)
      for (let i = random.below(12); i > 0; i--) {
        const some = keyOf(corner + random.below(100))
        const value = String(step).padStart(random.pick([40, 90, 90, 200]), '0')
        if (random.chance(0.35)) {
          if (model.delete(some)) pager.delete(some)
        } else {
          pager.put(some, value)
          model.set(some, value)
        }
      }
      if (random.chance(0.03)) {
        const [from, to] = [keyOf(corner), keyOf(corner + 90)].sort()
        pager.commit([{ type: 'clear', tree: main.tree, from: from ?? '', to }])
        for (const some of model.keys()) if (some >= (from ?? '') && some < (to ?? '')) model.delete(some)
      }
      compare(model, 0, 400)
      most = Math.max(most, filtered(pager).length)
      if (random.chance(0.1)) kept.push({ snapshot: pager.openSnapshot(), state: new Map(model) })
      const [oldest] = kept
      if (oldest !== undefined && random.chance(0.2)) {
        compare(oldest.state, oldest.snapshot, 50)
        pager.closeSnapshot(oldest.snapshot)
        kept.shift()
      }
      if (random.chance(0.05)) pager.evictAll()
      if (random.chance(0.05)) examine(pager)
    }
    expect(most).toBeGreaterThan(2)
    for (let i = 0; i < 3_000; i++) expect(pager.get(main, keyOf(i))).toBe(model.get(keyOf(i)))
  })

  test('keep their leaves in memory as looks at them would', async () => {
    /** How often a leaf in which gets look in vain is evicted, while others come and go. */
    const evictions = async (withFilters: boolean) => {
      const pager = await Pager.make(build, 4096, 64)
      for (let i = 0; i < 4_000; i++) pager.put(keyOf(i * 3), 'value'.repeat(20))
      const wanted = keyOf(6_000).concat('!')
      let count = 0
      let answers = 0
      for (let i = 0; i < 500; i++) {
        for (let j = 0; j < 10; j++) {
          pager.setCell(ABSENCE_SCORE, withFilters ? 64 : 0)
          const before = pager.statuses
          expect(pager.get(main, wanted)).toBeUndefined()
          count += pager.statuses === before ? 0 : 1
        }
        answers += filtered(pager).length
        pager.get(main, keyOf((i * 3 * 37) % 12_000))
      }
      expect(answers > 0).toBe(withFilters)
      return count
    }
    expect(await evictions(true)).toBe(await evictions(false))
  })

  test("do not speak for another tree's page", async () => {
    const pager = await Pager.make(build, 4096, 64)
    pager.commit([{ type: 'create', tree: 2, name: 'other' }])
    const other = { tree: 2, root: pager.rootOf('other') ?? 0 }
    pager.put('key', 'value', other.tree)
    for (let i = 0; i < 100; i++) expect(pager.get(other, `${keyOf(i)}!`)).toBeUndefined()
    expect(filtered(pager)).toContain(other.root)
    writePage(pager, main.root, 1, other.root, [])
    for (let i = 0; i < 100; i++) {
      expectAbsence(pager)
      expect(() => pager.get(main, `${keyOf(i)}!`)).toThrow(`status ${CORRUPT}, page ${other.root}`)
    }
  })

  test('are not there when the kernel is set up anew', async () => {
    const pager = await Pager.make(build, 4096, 64)
    for (let i = 0; i < 20; i++) pager.put(keyOf(i), 'value')
    for (let i = 0; i < 100; i++) pager.get(main, `${keyOf(i)}!`)
    expect(filtered(pager).length).toBeGreaterThan(0)
    pager.must(pager.kernel.exports.setUp(4096, 64))
    expect([pager.cell(ABSENCE_USED), pager.cell(ABSENCE_SCORE), filtered(pager)]).toEqual([0, 0, []])
  })
})
