// Prints in the slots of leaves (assembly/prints.ts): gets must answer as they would without, whatever happens to a page,
// and nothing of them may reach the disk.
import { describe, expect, test } from 'vitest'
import { TABLE_LIMIT } from '../../assembly/state.ts'
import { Random } from '../support/random.ts'
import { main, Pager } from './pager.ts'
import { examine } from './soundness.ts'

/** Keys of which many in a row have equal heads behind what all of them share. */
function key(number: number): string {
  return `tenant ${number % 3}\0\0\0\0\0 item ${number >> 1}${number % 2 === 0 ? '' : ' and more'}`
}

/** Are there prints in the newest version of the page? */
function isPrinted(pager: Pager, id: number): boolean {
  const frame = pager.kernel.exports.frameOf(id) >>> 0
  return frame !== 0 && pager.bytes[frame + 35] === 255
}

function printedLeaves(pager: Pager): number {
  let printed = 0
  for (let id = 1; id < pager.cell(TABLE_LIMIT); id++) if (isPrinted(pager, id)) printed++
  return printed
}

/** Looks for keys that are not there until the leaf of the main tree, its only page, has prints. */
function makePrints(pager: Pager): void {
  for (let i = 0; i < 100 && !isPrinted(pager, main.root); i++) pager.get(main, `${key(i * 3)}!`)
  expect(isPrinted(pager, main.root)).toBe(true)
}

describe.each(['wasm', 'javascript'] as const)('prints, in the %s build', build => {
  test('are given to a leaf when gets have looked at many cells in vain, and to no other', async () => {
    const pager = await Pager.make(build, 16384, 64)
    for (let i = 10; i < 99; i++) pager.put(`${i} has a head of its own`, 'value')
    for (let i = 10; i < 99; i++) expect(pager.get(main, `${i} has a head of its own`)).toBe('value')
    expect(isPrinted(pager, main.root)).toBe(false)
    for (let i = 0; i < 100; i++) pager.put(key(i), `value ${i}`)
    makePrints(pager)
    for (let i = 0; i < 100; i++) {
      expect(pager.get(main, key(i))).toBe(`value ${i}`)
      expect(pager.get(main, `${key(i)}!`)).toBeUndefined()
    }
    examine(pager)
  })

  test('stay right among insertions, deletions, overwriting, snapshots and evictions', async () => {
    const random = new Random(11)
    const pager = await Pager.make(build, 16384, 64)
    const model = new Map<string, string>()
    const kept: { snapshot: number; state: Map<string, string> }[] = []
    const compare = (state: ReadonlyMap<string, string>, snapshot = 0) => {
      for (let i = 0; i < 150; i++) {
        const some = key(random.below(1200))
        expect(pager.get(main, some, snapshot)).toBe(state.get(some))
      }
    }
    let printed = 0
    for (let step = 0; step < 400; step++) {
      for (let i = random.below(20); i > 0; i--) {
        const some = key(random.below(1200))
        const value = String(step).padStart(random.pick([3, 3, 40, 90]), '0')
        if (random.chance(0.3)) {
          if (model.delete(some)) pager.delete(some)
        } else {
          pager.put(some, value)
          model.set(some, value)
        }
      }
      compare(model)
      printed += printedLeaves(pager)
      if (random.chance(0.1)) kept.push({ snapshot: pager.openSnapshot(), state: new Map(model) })
      const [oldest] = kept
      if (oldest !== undefined && random.chance(0.2)) {
        compare(oldest.state, oldest.snapshot)
        pager.closeSnapshot(oldest.snapshot)
        kept.shift()
      }
      if (random.chance(0.1)) pager.evictAll()
      if (random.chance(0.1)) examine(pager)
    }
    expect(printed).toBeGreaterThan(400)
    for (let i = 0; i < 1200; i++) expect(pager.get(main, key(i))).toBe(model.get(key(i)))
  })

  test('are in no image, and a page that was written has them again when they pay', async () => {
    const [reading, other] = await Promise.all([Pager.make(build, 16384, 64), Pager.make(build, 16384, 64)])
    for (const pager of [reading, other]) for (let i = 0; i < 100; i++) pager.put(key(i), 'value')
    makePrints(reading)
    for (const pager of [reading, other]) pager.evictAll()
    expect(reading.disk).toEqual(other.disk)
    makePrints(reading)
    expect(reading.get(main, key(5))).toBe('value')
  })

  test('are checked with the page that they are in', async () => {
    const pager = await Pager.make(build, 16384, 64)
    for (let i = 0; i < 100; i++) pager.put(key(i), 'value')
    makePrints(pager)
    const frame = pager.frame(main.root)
    expect(pager.kernel.exports.isSound(frame, main.root)).toBeTruthy()
    const slots = (64 + pager.view.getUint16(frame + 8, true) + 3) & ~3
    const length = frame + slots + 50 * 8 + 6
    pager.view.setUint16(length, pager.view.getUint16(length, true) ^ 0x0800, true)
    expect(pager.kernel.exports.isSound(frame, main.root)).toBeFalsy()
  })
})
