// Pages that are sound in themselves, and hold keys that belong elsewhere: nothing may be built from them.
import { expect, test } from 'vitest'
import { CORRUPT, LOG_BYTES, WANTED_PAGE } from '../../assembly/state.ts'
import { main, Pager } from './pager.ts'

const pageBytes = 4096

/** A leaf's entry, or a branch's key and what lies from there on. */
type Entry = readonly [key: string, content: string | number]

/** Writes a sound page of the main tree in place of what stands in the frame of page `id`; its keys begin with `prefix`. */
function writePage(
  pager: Pager,
  id: number,
  level: number,
  first: number,
  entries: readonly Entry[],
  prefix = ''
): void {
  const bytes = Buffer.alloc(pageBytes)
  const slots = (64 + prefix.length + 3) & ~3
  bytes.writeUInt32LE(id, 0)
  bytes.writeUInt8(level === 0 ? 1 : 2, 4)
  bytes.writeUInt8(level, 5)
  bytes.writeUInt16LE(entries.length, 6)
  bytes.writeUInt16LE(prefix.length, 8)
  bytes.writeUInt32LE(first, 20)
  bytes.writeUInt32LE(main.tree, 24)
  bytes.write(prefix, 64, 'latin1')
  let heap = pageBytes
  for (const [i, [key, content]] of entries.entries()) {
    const suffix = key.slice(prefix.length)
    const [word, value] = typeof content === 'string' ? [content.length, content] : [content, '']
    heap -= 4 + suffix.length + value.length
    bytes.writeUInt32LE(word, heap)
    bytes.write(suffix + value, heap + 4, 'latin1')
    // The head is a number, most significant byte first.
    bytes.write(suffix.slice(0, 4).padEnd(4, '\0').split('').reverse().join(''), slots + i * 8, 'latin1')
    bytes.writeUInt16LE(heap, slots + i * 8 + 4)
    bytes.writeUInt16LE(suffix.length, slots + i * 8 + 6)
  }
  bytes.writeUInt32LE(heap, 12)
  const frame = pager.frame(id)
  pager.bytes.set(bytes.subarray(0, 32), frame)
  pager.bytes.set(bytes.subarray(64), frame + 64)
  expect(pager.kernel.exports.isSound(frame, id)).toBeTruthy()
}

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
