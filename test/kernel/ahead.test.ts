// Commits of many operations, whose leaves are found ahead: what happens in between (splits, merges, cleared ranges, pages
// that leave memory, keys that come twice) must not lead an operation to the wrong leaf.
import { describe, expect, test } from 'vitest'
import { AHEAD_COUNT, FINGER, FINGER_MISSES } from '../../assembly/state.ts'
import { Random } from '../support/random.ts'
import { main, type Operation, Pager } from './pager.ts'
import { examine } from './soundness.ts'

describe.each(['wasm', 'javascript'] as const)('commits of many operations, in the %s build', build => {
  test.each([
    ['with all pages in memory', 1024],
    ['with pages coming and going', 64]
  ])('leave what their operations say, %s', async (_, frames) => {
    const random = new Random(frames)
    const pager = await Pager.make(build, 4096, frames)
    const model = new Map<string, string>()
    const name = () => `key ${String(random.below(20_000)).padStart(random.pick([1, 6, 6, 30]), '0')}`
    for (let commit = 0; commit < 120; commit++) {
      const operations: Operation[] = []
      for (let i = 0; i < 60; i++) {
        const key = name()
        if (random.chance(0.15)) {
          operations.push({ type: 'delete', tree: main.tree, key })
          model.delete(key)
        } else if (random.chance(0.01)) {
          const to = `${key}5`
          operations.push({ type: 'clear', tree: main.tree, from: key, to })
          for (const each of [...model.keys()]) if (each >= key && each < to) model.delete(each)
        } else {
          const value = 'v'.repeat(random.pick([0, 10, 90, 90, 600]))
          operations.push({ type: 'put', tree: main.tree, key, value })
          model.set(key, value)
          // The same key again, and its neighbour, in the same window.
          if (random.chance(0.1)) {
            operations.push({ type: 'put', tree: main.tree, key: `${key}!`, value: key })
            operations.push({ type: 'put', tree: main.tree, key, value: 'again' })
            model.set(`${key}!`, key).set(key, 'again')
          }
        }
      }
      pager.commit(operations)
      if (random.chance(0.1)) pager.evictAll()
    }
    for (const [key, value] of model) expect(pager.get(main, key)).toBe(value)
    expect(examine(pager).entries).toBe(model.size)
  })

  test('find leaves ahead after keys have come in order', async () => {
    const random = new Random(1)
    const pager = await Pager.make(build, 4096, 1024)
    const keyOf = (number: number) => `key ${String(number).padStart(6, '0')}`
    const put = (number: number): Operation => ({
      type: 'put',
      tree: main.tree,
      key: keyOf(number),
      value: 'v'.repeat(90)
    })
    for (let at = 0; at < 10_000; at += 50) {
      pager.commit(Array.from({ length: 50 }, (_, i) => put(at + i)))
    }
    expect([pager.cell(FINGER) === 0, pager.cell(FINGER_MISSES)]).toEqual([false, 0])
    // The leaf into which the last ones went leaves memory, too.
    pager.evictAll()
    for (let at = 0; at < 10_000; at += 10) pager.get(main, keyOf(at))
    for (let commit = 0; commit < 3; commit++) {
      pager.commit(Array.from({ length: 60 }, () => put(random.below(10_000))))
      expect(pager.cell(AHEAD_COUNT)).toBeGreaterThan(0)
    }
  })
})
