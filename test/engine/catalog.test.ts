// What the catalog says is checked beside its checksums: those are right, too, of what some program has written there.
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { repair } from '../../src/engine/repair.ts'
import { CATALOG_ROOT } from '../../assembly/operations.ts'
import { reseal } from '../support/resealed.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'

const options = { compression: 'none' } as const
const damaged = (message: string) =>
  expect.objectContaining({ code: 'LIGHTNING_CORRUPT', message: expect.stringContaining(message) })

function put(engine: Engine, sublevel: string, key: string): void {
  engine.put(engine.tree(path(sublevel)), key, utf8, 'value', utf8)
}

/** A closed database whose only sublevel has a catalog entry that was changed; `cell` begins with its value's length. */
async function changedDisk(change: (cell: DataView, page: DataView) => void): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), options)
  put(engine, '', 'key')
  put(engine, 'users', 'key')
  await engine.close()
  await reseal(disk, CATALOG_ROOT, ({ page }) => {
    const slot = (64 + page.getUint16(8, true) + 3) & ~3
    const cell = page.byteOffset + page.getUint16(slot + 4, true)
    change(new DataView(page.buffer, cell, 4 + page.getUint16(slot + 6, true) + 8), page)
  })
  return disk
}

/** Offset of the value of the catalog's entry `index` in its page. */
function placeIn(page: DataView, index: number): number {
  const slot = ((64 + page.getUint16(8, true) + 3) & ~3) + index * 8
  return page.getUint16(slot + 4, true) + 4 + page.getUint16(slot + 6, true)
}

/** Offset of the value in the only cell. */
const valueAt = (cell: DataView): number => cell.byteLength - 8

describe.each<[string, (cell: DataView, page: DataView) => void]>([
  [
    'is too short',
    (cell, page) => {
      cell.setUint32(0, 4, true)
      page.setUint32(16, page.getUint32(16, true) + 4, true)
    }
  ],
  [
    'is a reference to a large value',
    (cell, page) => {
      cell.setUint8(3, 1)
      page.setUint16(10, 1, true)
    }
  ],
  ["names the database's own keyspace", cell => cell.setUint32(valueAt(cell), 1, true)],
  ['names the catalog', cell => cell.setUint32(valueAt(cell), 0, true)]
])('an entry of the catalog that %s', (_, change) => {
  test('is LIGHTNING_CORRUPT, naming the sublevel, and concerns no other keyspace', async () => {
    const engine = await openEngine((await changedDisk(change)).vfs(), options)
    const message = 'The catalog in data.ldb does not tell where the sublevel "users" begins.'
    expect(() => put(engine, 'users', 'other')).toThrow(damaged(message))
    expect(() => engine.names(new Uint8Array(0))).toThrow(damaged(message))
    expect(() => engine.drop(path('users'))).toThrow(damaged(message))
    put(engine, '', 'other')
    const told = (await engine.verify()).problems.map(problem => problem.message)
    expect(told).toContain(`${message} Restore a backup, or run repair.`)
    await engine.close()
  })

  test('costs a repair the name, not the entries', async () => {
    const disk = await changedDisk(change)
    await repair(disk.vfs(), { cacheBytes: 1 << 20 })
    const engine = await openEngine(disk.vfs(), options)
    expect([...contentOf(engine).keys()]).toEqual(['/key', 'recovered-2/key'])
    await engine.close()
  })
})

test.each([
  ['that does not exist', 0x00ff_ffff],
  ['of another keyspace', 2]
])('dropping a sublevel whose root is a page %s is LIGHTNING_CORRUPT and frees nothing', async (_, root) => {
  const disk = await changedDisk(cell => cell.setUint32(valueAt(cell) + 4, root, true))
  const engine = await openEngine(disk.vfs(), options)
  expect(() => engine.drop(path('users'))).toThrow(damaged('contradicts the page that refers to it'))
  expect(engine.get(engine.tree(path('')), undefined, 'key', utf8, utf8)).toBe('value')
  await engine.close()
})

describe('two sublevels whose entries in the catalog name one tree', () => {
  async function doubledDisk(): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), options)
    for (const sublevel of ['first', 'second', 'third']) put(engine, sublevel, 'key')
    await engine.close()
    await reseal(disk, CATALOG_ROOT, ({ page }) => {
      const first = placeIn(page, 0)
      for (const offset of [0, 4]) page.setUint32(placeIn(page, 1) + offset, page.getUint32(first + offset, true), true)
    })
    return disk
  }

  test.each(['first', 'second'])('are LIGHTNING_CORRUPT for who would drop or write %s', async sublevel => {
    const engine = await openEngine((await doubledDisk()).vfs(), options)
    const doubled = damaged('names keyspace 2 twice')
    put(engine, 'third', 'other')
    for (let time = 0; time < 2; time++) {
      expect(() => engine.drop(path(sublevel))).toThrow(doubled)
      expect(() => put(engine, sublevel, 'other')).toThrow(doubled)
    }
    expect([...contentOf(engine).keys()]).toEqual(['first/key', 'second/key', 'third/key', 'third/other'])
    expect((await engine.verify()).ok).toBe(false)
    await engine.close()
  })
})
