import { describe, expect, test } from 'vitest'
import { BAD_OPERATION, COUNT_SPLITS, LOG_BYTES, PAGES_USED, TABLE_LIMIT } from '../../assembly/state.ts'
import { DIRECTORY_LENGTH, SEGMENT_IDS } from '../../assembly/table.ts'
import { catalog, main, Pager } from './pager.ts'
import { generator } from './samples.ts'
import { examine } from './soundness.ts'

const number = (n: number) => String(n).padStart(7, '0')
const numbers = (count: number) => Array.from({ length: count }, (_, n) => number(n))

function shuffled(keys: readonly string[], seed: number): string[] {
  const random = generator(seed)
  const order = keys.map(key => ({ key, at: random() }))
  return order.sort((a, b) => a.at - b.at).map(({ key }) => key)
}

function putAll(pager: Pager, keys: readonly string[], value = 'v'.repeat(40)): void {
  for (let i = 0; i < keys.length; i += 500) {
    pager.commit(keys.slice(i, i + 500).map(key => ({ type: 'put', tree: main.tree, key, value })))
  }
}

function deleteAll(pager: Pager, keys: readonly string[]): void {
  for (let i = 0; i < keys.length; i += 500) {
    pager.commit(keys.slice(i, i + 500).map(key => ({ type: 'delete', tree: main.tree, key })))
  }
}

const keysOf = (pager: Pager) => pager.scan(main, { keysOnly: true }).map(({ key }) => key)

/** Bytes of entries (7 of key, 40 of value, 12 beside them) to bytes of leaves. */
function fillOf(pager: Pager): number {
  const { leaves, entries } = examine(pager)
  return (entries * 59) / (leaves * pager.pageBytes)
}

describe('filling a tree', () => {
  const keys = numbers(6000)
  test.each([
    ['ascending', keys, 0.9],
    ['descending', [...keys].reverse(), 0.9],
    ['random', shuffled(keys, 1), 0.55],
    ['from both ends', keys.map((_, i) => number(i & 1 ? 5999 - (i >> 1) : i >> 1)), 0.5],
    ['in two interleaved runs', keys.map((_, i) => number(i & 1 ? 3000 + (i >> 1) : i >> 1)), 0.55]
  ] as const)('in %s order keeps every key and fills pages', async (_, order, least) => {
    const pager = await Pager.make('wasm', 4096, 1024)
    putAll(pager, order)
    expect(keysOf(pager)).toEqual(keys)
    expect(fillOf(pager)).toBeGreaterThan(least)
  })

  test('in runs that leave off and go on elsewhere, in two trees by turns, puts each key where it belongs', async () => {
    const pager = await Pager.make('wasm', 4096, 256)
    pager.commit([{ type: 'create', tree: 2, name: 'second' }])
    const random = generator(8)
    const wanted = [new Set<string>(), new Set<string>()]
    for (let run = 0; run < 300; run++) {
      const which = random() % 2
      const start = random() % 20_000
      const step = 1 + (random() % 3)
      const keys = Array.from({ length: random() % 60 }, (_, i) => number(start + i * step))
      if (random() % 3 === 0) keys.push(number(random() % 20_000))
      if (random() % 5 === 0) {
        deleteAll(pager, keys)
        for (const key of keys) wanted[0]?.delete(key)
      }
      pager.commit(keys.map(key => ({ type: 'put', tree: 1 + which, key, value: 'v'.repeat(30) })))
      for (const key of keys) wanted[which]?.add(key)
      examine(pager)
    }
    for (const [which, where] of [main, { tree: 2, root: pager.rootOf('second') ?? 0 }].entries()) {
      const found = pager.scan(where, { keysOnly: true }).map(({ key }) => key)
      expect(found).toEqual(Array.from(wanted[which] ?? []).sort())
    }
  })

  test('cuts a page anywhere without losing a key', async () => {
    const base = numbers(120).filter((_, i) => i % 2 === 0)
    for (const at of numbers(120)) {
      const pager = await Pager.make('wasm', 4096, 64)
      putAll(pager, base, 'v'.repeat(40))
      const splits = pager.cell(COUNT_SPLITS)
      for (let i = 0; pager.cell(COUNT_SPLITS) === splits; i++) pager.put(`${at}+${number(i)}`, 'w'.repeat(i % 90))
      examine(pager)
      for (const key of base) expect(pager.get(main, key)).toBe('v'.repeat(40))
      expect(pager.get(main, `${at}+${number(0)}`)).toBe('')
    }
  })

  test('takes entries of every size up to the largest, at every position of the largest', async () => {
    const pager = await Pager.make('wasm', 4096, 256)
    const most = pager.kernel.exports.inlineBytes()
    const wanted = new Map<string, string>()
    for (let i = 0; i < 400; i++) {
      const key = `${number((i * 7919) % 400)}${'k'.repeat((i * 31) % 1018)}`
      const value = 'x'.repeat(i % 3 === 0 ? most - key.length : (i * 17) % (most - key.length + 1))
      pager.put(key, value)
      wanted.set(key, value)
      if (i % 20 === 0) examine(pager)
    }
    for (const [key, value] of wanted) expect(pager.get(main, key)).toBe(value)
  })
})

describe('emptying a tree', () => {
  const keys = numbers(6000)
  test.each([
    ['ascending', keys],
    ['descending', [...keys].reverse()],
    ['random', shuffled(keys, 2)],
    ['outside in', keys.map((_, i) => number(i & 1 ? 5999 - (i >> 1) : i >> 1))],
    ['inside out', keys.map((_, i) => number(i & 1 ? 5999 - (i >> 1) : i >> 1)).reverse()]
  ] as const)('key by key in %s order makes the root a leaf again', async (_, order) => {
    const pager = await Pager.make('wasm', 4096, 1024)
    putAll(pager, keys)
    expect(examine(pager).height).toBeGreaterThan(0)
    for (let i = 0; i < order.length; i += 1000) {
      deleteAll(pager, order.slice(i, i + 1000))
      expect(examine(pager).entries).toBe(order.length - i - 1000)
    }
    expect(examine(pager)).toEqual({ pages: 2, leaves: 2, height: 0, entries: 0 })
  })

  test('to a thin rest leaves no more pages than that rest needs twice over', async () => {
    const pager = await Pager.make('wasm', 4096, 1024)
    putAll(pager, keys)
    deleteAll(
      pager,
      shuffled(keys, 3).filter(key => Number(key) % 20 !== 0)
    )
    expect(keysOf(pager)).toEqual(keys.filter(key => Number(key) % 20 === 0))
    expect(fillOf(pager)).toBeGreaterThan(0.3)
  })
})

describe('clearing a range', () => {
  const keys = numbers(3000)
  const cases: [what: string, from: string, to: string | undefined][] = [
    ['everything', '', undefined],
    ['everything, by bounds', number(0), number(3000)],
    ['nothing, the bounds being equal', number(1500), number(1500)],
    ['nothing, the bounds being crossed', number(1500), number(1000)],
    ['nothing, behind the end', 'z', undefined],
    ['nothing, before the beginning', '', '!'],
    ['one key', number(777), number(778)],
    ['the first half', '', number(1500)],
    ['the second half', number(1500), undefined],
    ['the middle', number(20), number(2980)],
    ['all but the first', number(1), undefined],
    ['all but the last', '', number(2999)]
  ]
  test.each(cases)('takes %s', async (_, from, to) => {
    for (const frames of [64, 1024]) {
      const pager = await Pager.make('wasm', 4096, frames)
      putAll(pager, keys)
      pager.commit([{ type: 'clear', tree: main.tree, from, to }])
      const left = keys.filter(key => key < from || (to !== undefined && key >= to))
      expect(keysOf(pager)).toEqual(left)
      expect(examine(pager).entries).toBe(left.length)
      if (left.length > 100) expect(fillOf(pager)).toBeGreaterThan(0.4)
    }
  })

  test('takes every single page, by the separators that bound it', async () => {
    const pager = await Pager.make('wasm', 4096, 1024)
    putAll(pager, keys)
    const bounds = separatorsOf(pager)
    expect(bounds.length).toBeGreaterThan(20)
    for (const [i, to] of bounds.entries()) {
      const from = bounds[i - 1] ?? ''
      pager.commit([{ type: 'clear', tree: main.tree, from, to }])
      examine(pager)
      expect(keysOf(pager)).toEqual(keys.filter(key => key < from || key >= to))
      putAll(
        pager,
        keys.filter(key => key >= from && key < to)
      )
    }
  })
})

/** Keys of the root, which is just above the leaves. */
function separatorsOf(pager: Pager): string[] {
  const page = Buffer.from(pager.bytes.buffer, pager.frame(main.root), pager.pageBytes)
  const prefix = page.toString('latin1', 64, 64 + page.readUInt16LE(8))
  const slots = (64 + prefix.length + 3) & ~3
  return Array.from({ length: page.readUInt16LE(6) }, (_, i) => {
    const cell = page.readUInt16LE(slots + i * 8 + 4)
    return prefix + page.toString('latin1', cell + 4, cell + 4 + page.readUInt16LE(slots + i * 8 + 6))
  })
}

describe('an operation that cannot be', () => {
  test.each([
    ['a key too long', () => [{ type: 'put', tree: 1, key: 'k'.repeat(1025), value: '' }] as const],
    ['an entry too long', () => [{ type: 'put', tree: 1, key: 'k', value: 'v'.repeat(1044) }] as const],
    ['a tree whose name is too long', () => [{ type: 'create', tree: 9, name: 'n'.repeat(1025) }] as const]
  ])('is refused: %s', async (_, operations) => {
    const pager = await Pager.make('wasm', 4096, 64)
    const length = pager.encode(operations())
    expect(pager.settle(() => pager.kernel.exports.commit(length, 0))).toBe(BAD_OPERATION)
    expect(pager.cell(LOG_BYTES)).toBe(0)
    examine(pager)
  })

  test('is refused when its bytes are cut short anywhere', async () => {
    const pager = await Pager.make('wasm', 4096, 64)
    const whole = pager.encode([{ type: 'put', tree: 1, key: 'key', value: 'value' }])
    for (let length = 1; length < whole; length++) {
      expect(pager.kernel.exports.commit(length, 0)).toBe(BAD_OPERATION)
    }
    expect(pager.get(main, 'key')).toBeUndefined()
  })
})

test('a dropped tree whose name is not in the catalog is gone all the same', async () => {
  const pager = await Pager.make('wasm', 4096, 64)
  pager.commit([{ type: 'create', tree: 7, name: 'seven' }])
  pager.commit([{ type: 'put', tree: 7, key: 'key', value: 'value' }])
  pager.commit([{ type: 'delete', tree: catalog.tree, key: 'seven' }])
  pager.commit([{ type: 'drop', tree: 7, name: 'seven' }])
  expect(examine(pager).pages).toBe(2)
})

describe.each(['wasm', 'javascript'] as const)('a page table that has no place for more ids (%s)', build => {
  /** A tree whose table is as long as any; all its ids are in use but for those of so many leaves. */
  async function filled(freed: number): Promise<Pager> {
    const pager = await Pager.make(build, 4096, 1024)
    putAll(pager, numbers(3_000))
    deleteAll(pager, numbers(freed * 100))
    const words = new Uint32Array(pager.kernel.memory())
    const free = (words[TABLE_LIMIT >>> 2] ?? 0) - 1 - (words[PAGES_USED >>> 2] ?? 0)
    words[TABLE_LIMIT >>> 2] = DIRECTORY_LENGTH * SEGMENT_IDS
    words[PAGES_USED >>> 2] = DIRECTORY_LENGTH * SEGMENT_IDS - 1 - free
    return pager
  }
  const put = (pager: Pager, key: string) =>
    pager.commit([{ type: 'put', tree: main.tree, key, value: 'v'.repeat(40) }])

  test('refuses what may need one, and lets go of what there is', async () => {
    const pager = await filled(0)
    expect(() => put(pager, 'more')).toThrow()
    deleteAll(pager, numbers(3_000))
    expect(keysOf(pager)).toEqual([])
  })

  test('gives those that are free', async () => {
    const pager = await filled(20)
    put(pager, 'more')
    expect(keysOf(pager)).toEqual([...numbers(3_000).slice(2_000), 'more'])
  })
})
