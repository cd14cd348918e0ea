// Pages that are sound in themselves and contradict others: nothing may be built from them.
import { expect, test } from 'vitest'
import { CORRUPT, FREE_RECORD_COUNT, LOG_BYTES, RECORDS_USED, WANTED_PAGE } from '../../assembly/state.ts'
import { main, Pager } from './pager.ts'
import { type Entry, writePage } from './sound-pages.ts'

const pageBytes = 4096

/** Keys of ten bytes that fill a branch until no more than `left` bytes are free, and a last one that takes the rest. */
function filling(prefix: string, left: number, child: number): Entry[] {
  const entries: Entry[] = []
  let free = pageBytes - 64
  for (let i = 0; free - 2 * 22 > left; i++, free -= 22) {
    entries.push([prefix + String(i).padStart(10 - prefix.length, '0'), child])
  }
  entries.push([prefix + '9'.repeat(free - left - 12 - prefix.length), child])
  return entries
}

test.each(['wasm', 'javascript'] as const)(
  'keys behind the bound of a page further up never become separators there (%s)',
  async build => {
    const pager = await Pager.make(build, pageBytes, 64)
    const names = ['a', 'b', 'c', 'd', 'e']
    pager.commit(names.map((name, i) => ({ type: 'create', tree: 2 + i, name })))
    const [before = 0, parent = 0, behind = 0, leaf = 0, other = 0] = names.map(name => pager.rootOf(name) ?? 0)
    // The root's keys have a common prefix. The second child's last leaf ends with keys that lie behind all of them.
    const bounds: Entry[] = ['user:', 'user:m', 'user:z'].map(key => [key, key === 'user:' ? parent : behind])
    writePage(pager, main.root, 2, before, bounds, 'user:')
    writePage(pager, before, 1, other, [])
    writePage(pager, behind, 1, other, [])
    // Once more a short key has room there.
    const separators = filling('user:a', 20, other)
    separators.splice(-1, 1, [separators.at(-1)?.[0] ?? '', leaf])
    writePage(pager, parent, 1, other, separators)
    writePage(pager, other, 0, 0, [])
    writePage(pager, leaf, 0, 0, [
      ...Array.from({ length: 8 }, (_, i): Entry => [`user:b${i}`, 'v'.repeat(230)]),
      ['\xfe', 'v'.repeat(980)],
      ['\xff', 'v'.repeat(980)]
    ])
    const { exports } = pager.kernel
    const put = (key: string) => {
      pager.setCell(LOG_BYTES, 0)
      const length = pager.encode([{ type: 'put', tree: main.tree, key, value: 'v'.repeat(970) }])
      return exports.commit(length, 0)
    }
    expect(['user:c', 'user:d', 'user:e', 'user:f'].map(put)).toEqual([CORRUPT, CORRUPT, CORRUPT, CORRUPT])
    expect(pager.cell(WANTED_PAGE)).toBe(leaf)
  }
)

test('segments that many values name are not counted for each of them', async () => {
  const pager = await Pager.make('wasm', pageBytes, 64)
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  pager.commit(keys.map((key, i) => ({ type: 'large', tree: main.tree, key, segments: i === 0 ? 40 : 1 })))
  const view = new DataView(pager.bytes.buffer, pager.frame(main.root), pageBytes)
  // A cell: four bytes, the key, the id of the first segment.
  const firstSegmentAt = keys.map((_, i) => view.getUint16(64 + i * 8 + 4, true) + 4 + 1)
  for (const at of firstSegmentAt) view.setUint32(at, view.getUint32(firstSegmentAt[0] ?? 0, true), true)
  expect(pager.kernel.exports.isSound(pager.frame(main.root), main.root)).toBeTruthy()
  const used = pager.cell(RECORDS_USED) + pager.cell(FREE_RECORD_COUNT)
  const length = pager.encode([{ type: 'clear', tree: main.tree, from: '', to: undefined }])
  expect(pager.kernel.exports.commit(length, 0)).toBe(CORRUPT)
  expect(pager.cell(WANTED_PAGE)).toBe(main.root)
  expect(pager.cell(RECORDS_USED) + pager.cell(FREE_RECORD_COUNT)).toBe(used)
})
