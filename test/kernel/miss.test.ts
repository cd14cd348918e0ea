import { describe, expect, test } from 'vitest'
import { CORRUPT, MISS, WANTED_PAGE } from '../../assembly/state.ts'
import { keyOf, Model } from './model.ts'
import { main, type Operation, Pager } from './pager.ts'
import { generator } from './samples.ts'
import { examine } from './soundness.ts'
import { load } from './steps.ts'

/** A tree three levels high whose branches hold few children, a second tree, and large values in both. */
async function prepare(build: 'wasm' | 'javascript'): Promise<Model> {
  const model = new Model(await Pager.make(build, 4096, 64))
  load(model, 300, 'fat', 1000)
  model.commit([
    { type: 'create', tree: 2, name: 'second' },
    ...keys(40).map((key): Operation => ({ type: 'put', tree: 2, key, value: 'v'.repeat(50) })),
    { type: 'large', tree: 1, key: large, segments: 3 },
    { type: 'large', tree: 2, key: large, segments: 2 }
  ])
  return model
}

const large = keyOf('fat', () => 4, 1000)

function keys(count: number): string[] {
  const random = generator(9)
  return Array.from({ length: count }, () => keyOf('fat', random, 1000))
}

const put = (key: string): Operation => ({ type: 'put', tree: 1, key, value: 'w'.repeat(60) })
const remove = (key: string): Operation => ({ type: 'delete', tree: 1, key })

const cases: [what: string, operations: () => Operation[]][] = [
  ['puts that cut pages', () => Array.from({ length: 8 }, (_, i) => put(`${keys(1)[0]}${i}`))],
  ['an overwrite of a large value', () => [put(large)]],
  ['a large value over a large one', () => [{ type: 'large', tree: 1, key: large, segments: 4 }]],
  ['deletes that join pages', () => keys(60).map(remove)],
  ['a clear of all', () => [{ type: 'clear', tree: 1, from: '', to: undefined }]],
  ['a clear of the middle', () => [{ type: 'clear', tree: 1, from: '3', to: 'b' }]],
  ['a drop', () => [{ type: 'drop', tree: 2, name: 'second' }]],
  [
    'a tree made',
    () => [
      { type: 'create', tree: 3, name: 'third' },
      { ...put('x'), tree: 3 }
    ]
  ]
]

describe.each(['wasm', 'javascript'] as const)('in the %s build', build => {
  test.each(cases)('pages that go missing at any moment do no harm to %s', async (_, operations) => {
    for (const withSnapshot of [false, true]) {
      const model = await prepare(build)
      const { pager } = model
      if (withSnapshot) model.openSnapshot()
      pager.evictAll()
      pager.statuses = 0
      const before = pager.save()
      model.commit(operations())
      const stops = pager.statuses
      expect(stops).toBeGreaterThan(0)
      const step = Math.ceil(stops / 40)
      for (let stop = 1; stop <= stops; stop += step) {
        pager.restore(before)
        pager.statuses = 0
        pager.evictAfter = stop
        pager.commit(operations())
        pager.evictAfter = -1
        examine(pager)
        model.compare()
        model.compareSnapshots()
      }
    }
  })
})

test('a call that misses has changed nothing', async () => {
  const model = await prepare('wasm')
  const { pager } = model
  pager.evictAll()
  const length = pager.encode([put(keys(1)[0] ?? '')])
  for (let misses = 0; ; misses++) {
    pager.drain()
    const before = examineWithoutReading(pager)
    const status = misses === 0 ? pager.kernel.exports.commit(length, 0) : pager.kernel.exports.resumeCommit()
    if (status !== MISS) {
      expect(status).toBe(0)
      expect(misses).toBeGreaterThan(2)
      return
    }
    expect(examineWithoutReading(pager)).toEqual(before)
    pager.bringIn(pager.cell(WANTED_PAGE), 0)
  }
})

/** What stands in memory behind the state cells and work areas that a call may use: everything from the table on. */
function examineWithoutReading(pager: Pager): string[] {
  const pages: string[] = []
  for (let id = 1; pager.kernel.exports.isId(id); id++) {
    const frame = pager.kernel.exports.frameOf(id) >>> 0
    const content = frame === 0 ? 'absent' : Buffer.from(pager.bytes.slice(frame + 64, frame + pager.pageBytes))
    const entry = pager.kernel.exports.entryAt(id, 0)
    pages.push(`${content.toString('latin1')} ${pager.bytes.slice(entry, entry + 24)}`)
  }
  return pages
}

test('a page in a place that is not its own is refused by every call that comes to it', async () => {
  const model = await prepare('wasm')
  const { pager } = model
  const { exports } = pager.kernel
  const other = pager.rootOf('second') ?? 0
  pager.bytes.set(Buffer.from('key'), 2048)
  expect(exports.get(main.tree, other, 0, 3) | 0).toBe(CORRUPT)
  expect(exports.get(main.tree, 0xffff, 0, 3) | 0).toBe(CORRUPT)
  expect(exports.scan(main.tree, other, 0, 0, 0, 0, 1)).toBe(CORRUPT)
})
