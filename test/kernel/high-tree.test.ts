import { expect, test } from 'vitest'
import { MISS, NEED_FRAMES, WANTED_FRAMES, WANTED_PAGE, WANTED_RECORD } from '../../assembly/state.ts'
import { main, type Operation, Pager } from './pager.ts'
import { writePage } from './sound-pages.ts'

/** A tree of the greatest height there can be: every page but the leaf has one child. */
async function highest(frames: number): Promise<Pager> {
  const pager = await Pager.make('wasm', 4096, frames)
  const height = 24
  const names = Array.from({ length: height }, (_, i) => `tree ${i}`)
  pager.commit(names.map((name, i) => ({ type: 'create', tree: 2 + i, name })))
  const ids = [main.root, ...names.map(name => pager.rootOf(name) ?? 0)]
  for (const [i, id] of ids.entries()) {
    writePage(pager, id, height - i, ids[i + 1] ?? 0, i === height ? [['key', 'value']] : [])
  }
  pager.evictAll()
  return pager
}

const put: Operation = { type: 'put', tree: main.tree, key: 'other', value: 'v'.repeat(1000) }
const remove: Operation = { type: 'delete', tree: main.tree, key: 'key' }

test.each([put, remove])(
  'a tree that is too high for the cache ends a $type, not the patience of its caller',
  async operation => {
    const pager = await highest(64)
    const { exports } = pager.kernel
    const length = pager.encode([operation])
    let status = exports.commit(length, 0)
    for (let turns = 0; turns < 200; turns++) {
      if (status === MISS) pager.bringIn(pager.cell(WANTED_PAGE), pager.cell(WANTED_RECORD))
      else if (status !== NEED_FRAMES || pager.cell(WANTED_FRAMES) > 64) break
      else pager.makeRoom(pager.cell(WANTED_FRAMES))
      status = exports.resumeCommit()
    }
    expect([status, pager.cell(WANTED_FRAMES) > 64]).toEqual([NEED_FRAMES, true])
  }
)

test('a cache that has room for a path and what a change takes lets the highest tree change', async () => {
  const pager = await highest(160)
  pager.commit([put])
  pager.commit([remove])
  expect(pager.scan(main, {}).map(({ key }) => key)).toEqual(['other'])
})
