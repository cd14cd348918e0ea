import { describe, expect, it } from 'vitest'
import { SortedCursor, SortedMap, type SortedView } from '../../src/txn/sorted-map.ts'
import { Random } from '../support/random.ts'

function entriesOf(view: SortedView<number>): [string, number][] {
  const cursor = new SortedCursor(view, '')
  const entries: [string, number][] = []
  for (let { key, value } = cursor; key !== undefined; { key, value } = cursor) {
    entries.push([key, value ?? Number.NaN])
    cursor.next()
  }
  return entries
}

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => (a < b ? -1 : 1))

describe('a sorted map', () => {
  it('holds what a map holds, in order, through every pin and restoration', () => {
    const random = new Random(7)
    const map = new SortedMap<number>()
    let model = new Map<string, number>()
    const pins: { view: SortedView<number>; model: Map<string, number> }[] = []
    for (let i = 0; i < 20_000; i++) {
      const key = `k${random.below(4_000)}`
      const kind = random.below(1_000)
      if (kind < 970) {
        expect(map.set(key, i)).toBe(model.get(key))
        model.set(key, i)
      } else if (kind < 980) {
        const to = random.chance(0.8) ? `${key}5` : undefined
        const removed: string[] = []
        map.removeRange(key, to, (found, value) => {
          expect(value).toBe(model.get(found))
          removed.push(found)
        })
        const expected = sorted(model).filter(([found]) => found >= key && (to === undefined || found < to))
        expect(removed).toEqual(expected.map(([found]) => found))
        for (const found of removed) model.delete(found)
      } else if (kind < 995) pins.push({ view: map.pin(), model: new Map(model) })
      else {
        const pin = pins[random.below(pins.length + 1)]
        if (pin === undefined) continue
        map.restore(pin.view)
        model = new Map(pin.model)
      }
      expect(map.size).toBe(model.size)
      const asked = `k${random.below(4_000)}`
      expect(map.get(asked)).toBe(model.get(asked))
    }
    expect(pins.length).toBeGreaterThan(100)
    expect(entriesOf(map.pin())).toEqual(sorted(model))
    for (const pin of pins) {
      expect(pin.view.size).toBe(pin.model.size)
      expect(entriesOf(pin.view)).toEqual(sorted(pin.model))
    }
  })

  it('is walked from any place in both directions', () => {
    const map = new SortedMap<number>()
    const keys = Array.from({ length: 3_000 }, (_, i) => String(i * 2).padStart(5, '0'))
    for (const [i, key] of keys.entries()) map.set(key, i)
    const view = map.pin()
    for (const from of [0, 1, 2, 511, 512, 513, 3_001, 5_998, 5_999, 6_000]) {
      const key = String(from).padStart(5, '0')
      const cursor = new SortedCursor(view, key)
      expect(cursor.key).toBe(keys.find(each => each >= key))
      expect(cursor.previous()).toBe(from > 0)
      if (from > 0) expect(cursor.key).toBe(keys.findLast(each => each < key))
    }
    const backwards: unknown[] = []
    const cursor = new SortedCursor(view, '')
    cursor.seekEnd()
    while (cursor.previous()) backwards.push(cursor.key)
    expect(backwards).toEqual(keys.toReversed())
  })

  it('is empty at first, also for those who walk it', () => {
    const map = new SortedMap<number>()
    const cursor = new SortedCursor(map.pin(), 'a')
    expect([cursor.key, cursor.previous(), map.get('a'), map.only]).toEqual([undefined, false, undefined, undefined])
    map.removeRange('', undefined, () => expect.unreachable())
    map.set('a', 1)
    expect(map.only).toEqual({ key: 'a', value: 1 })
  })
})
