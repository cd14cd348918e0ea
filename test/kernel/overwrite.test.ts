// Values overwritten where they stand: shortcuts lead there without a descent, and whatever else knows the page (open
// snapshots, its image on disk, the shortcuts themselves) must not notice anything but the new value.
import { describe, expect, test } from 'vitest'
import { COUNT_SHORTCUT_HITS, READ_SCORE, WRITE_SCORE } from '../../assembly/state.ts'
import { Random } from '../support/random.ts'
import { main, Pager } from './pager.ts'

/** Shortcuts must not rest: here nobody has earned them. */
function wake(pager: Pager): void {
  for (const score of [READ_SCORE, WRITE_SCORE]) {
    pager.setCell(score, 500)
    pager.setCell(score + 4, 0)
  }
}

async function awake(build: 'wasm' | 'javascript'): Promise<Pager> {
  const pager = await Pager.make(build, 4096, 64)
  wake(pager)
  return pager
}

describe.each(['wasm', 'javascript'] as const)('a value overwritten by one of its length, in the %s build', build => {
  test('is found by the shortcut from the second time on, and leaves those of its neighbours good', async () => {
    const pager = await awake(build)
    for (const key of ['a', 'b', 'c']) pager.put(key, 'old')
    for (const key of ['a', 'b', 'c']) pager.put(key, 'new')
    const before = pager.cell(COUNT_SHORTCUT_HITS)
    for (const key of ['a', 'b', 'c']) pager.put(key, `${key}${key}${key}`)
    expect(pager.cell(COUNT_SHORTCUT_HITS) - before).toBe(3)
    for (const key of ['a', 'b', 'c']) expect(pager.get(main, key)).toBe(`${key}${key}${key}`)
    expect(pager.cell(COUNT_SHORTCUT_HITS) - before).toBe(6)
  })

  test('stays what it was for a snapshot', async () => {
    const pager = await awake(build)
    pager.put('key', 'one')
    pager.put('key', 'two')
    const snapshot = pager.kernel.exports.openSnapshot() >>> 0
    pager.put('key', '333')
    pager.put('key', '444')
    expect(pager.get(main, 'key', snapshot)).toBe('two')
    expect(pager.get(main, 'key')).toBe('444')
  })

  test('reaches the disk when its page was clean', async () => {
    const pager = await awake(build)
    pager.put('key', 'one')
    pager.put('key', 'two')
    for (let frame = pager.kernel.exports.nextDirty() >>> 0; frame !== 0; ) {
      pager.writeOut(frame)
      frame = pager.kernel.exports.nextDirty() >>> 0
    }
    pager.put('key', '333')
    pager.evictAll()
    expect(pager.get(main, 'key')).toBe('333')
  })

  test('is right among insertions, deletions, snapshots and evictions', async () => {
    const random = new Random(7)
    const pager = await awake(build)
    const model = new Map<string, string>()
    const kept: { snapshot: number; state: Map<string, string> }[] = []
    for (let step = 0; step < 6_000; step++) {
      const key = `key ${random.below(300)}`
      const value = String(step).padStart(random.pick([4, 4, 4, 4, 60]), '0')
      if (random.chance(0.08)) {
        pager.delete(key)
        model.delete(key)
      } else {
        pager.put(key, value)
        model.set(key, value)
      }
      if (random.chance(0.02)) {
        kept.push({ snapshot: pager.kernel.exports.openSnapshot() >>> 0, state: new Map(model) })
      }
      if (random.chance(0.02) || kept.length > 3) {
        const [oldest] = kept.splice(0, 1)
        if (oldest !== undefined) {
          for (let i = 0; i < 300; i += 7) {
            expect(pager.get(main, `key ${i}`, oldest.snapshot)).toBe(oldest.state.get(`key ${i}`))
          }
          pager.kernel.exports.closeSnapshot(oldest.snapshot)
          pager.drain()
        }
      }
      if (random.chance(0.01)) pager.evictAll()
      if (random.chance(0.05)) wake(pager)
      expect(pager.get(main, key)).toBe(model.get(key))
    }
    for (let i = 0; i < 300; i++) expect(pager.get(main, `key ${i}`)).toBe(model.get(`key ${i}`))
  })
})
