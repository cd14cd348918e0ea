import { describe, expect, test } from 'vitest'
import {
  COUNT_COPIES,
  EPOCH_HIGH,
  EPOCH_LOW,
  FRAMES_DIRTY,
  FRAMES_FREE,
  FREE_RECORD_COUNT,
  IMAGE,
  RECORDS_USED,
  SNAPSHOTS_OPEN,
  STAMP,
  TABLE_LIMIT
} from '../../assembly/state.ts'
import { CHUNK_IDS, ENTRY_BYTES } from '../../assembly/table.ts'
import { Model } from './model.ts'
import { main, Pager } from './pager.ts'
import { generator } from './samples.ts'
import { examine } from './soundness.ts'
import { load, take } from './steps.ts'

const value = (pager: Pager, snapshot = 0) => pager.get(main, 'key', snapshot)

describe('a snapshot', () => {
  test('sees what stood when it was taken, and nothing later', async () => {
    const pager = await Pager.make('wasm', 4096, 64)
    const empty = pager.openSnapshot()
    pager.put('key', 'one')
    const one = pager.openSnapshot()
    pager.put('key', 'two')
    pager.put('key', 'three')
    expect([value(pager, empty), value(pager, one), value(pager)]).toEqual([undefined, 'one', 'three'])
    pager.evictAll()
    expect([value(pager, empty), value(pager, one), value(pager)]).toEqual([undefined, 'one', 'three'])
  })

  test('taken again without a write between is the same one', async () => {
    const pager = await Pager.make('wasm', 4096, 64)
    pager.put('key', 'one')
    const first = pager.openSnapshot()
    const second = pager.openSnapshot()
    expect(second).toBe(first)
    pager.closeSnapshot(first)
    pager.put('key', 'two')
    expect(value(pager, second)).toBe('one')
    pager.closeSnapshot(second)
    expect(pager.cell(SNAPSHOTS_OPEN)).toBe(0)
  })

  test('taken after a newer one has closed sees what stands now, not what the older one sees', async () => {
    const pager = await Pager.make('wasm', 4096, 64)
    const older = pager.openSnapshot()
    pager.put('key', 'one')
    pager.closeSnapshot(pager.openSnapshot())
    const newer = pager.openSnapshot()
    expect(newer).not.toBe(older)
    expect([value(pager, older), value(pager, newer)]).toEqual([undefined, 'one'])
  })

  test('hands versions to the older ones that see them when it closes, in every order of closing', async () => {
    for (const order of permutations([0, 1, 2, 3])) {
      const pager = await Pager.make('wasm', 4096, 64)
      const snapshots: number[] = []
      for (let i = 0; i < 4; i++) {
        // Every second write only: some snapshots share a version.
        if (i !== 2) pager.put('key', String(i))
        snapshots.push(pager.openSnapshot())
        if (i === 1) pager.evictAll()
        pager.put('other', String(i))
      }
      pager.put('key', 'now')
      for (const closing of order) {
        pager.closeSnapshot(snapshots[closing] ?? 0)
        snapshots[closing] = 0
        examine(pager)
        for (const [i, snapshot] of snapshots.entries()) {
          if (snapshot !== 0) expect(value(pager, snapshot)).toBe(['0', '1', '1', '3'][i])
        }
        expect(value(pager)).toBe('now')
      }
      expect(pager.cell(RECORDS_USED)).toBe(0)
    }
  })

  test.each(['wasm', 'javascript'] as const)(
    "that is a checkpoint's has pages written sooner than copied, unless another one needs them (%s)",
    async build => {
      const keyOf = (i: number) => `key ${String((i * 7919) % 1_000).padStart(4, '0')}`
      const putsOf = (text: string) =>
        Array.from({ length: 64 }, (_, i) => ({
          type: 'put' as const,
          tree: main.tree,
          key: keyOf(i),
          value: text.repeat(100)
        }))
      for (const isShared of [false, true]) {
        const pager = await Pager.make(build, 4096, 1024)
        for (let i = 0; i < 1_000; i++) pager.put(keyOf(i), 'old'.repeat(100))
        pager.takeSnapshotsForCheckpoints()
        const snapshot = pager.openSnapshot()
        if (isShared) pager.openSnapshot()
        const copies = pager.cell(COUNT_COPIES)
        const free = pager.cell(FRAMES_FREE)
        pager.commit(putsOf('new'))
        expect(pager.early > 30).toBe(!isShared)
        if (isShared) expect(pager.cell(COUNT_COPIES) - copies).toBeGreaterThan(30)
        else expect([pager.cell(COUNT_COPIES), pager.cell(FRAMES_FREE)]).toEqual([copies, free])
        examine(pager)
        // Again, and pages that have been changed already are not wanted.
        const { early } = pager
        pager.commit(putsOf('few'))
        expect(pager.early).toBe(early)
        for (let i = 0; i < 1_000; i++) {
          expect(pager.get(main, keyOf(i), snapshot)).toBe('old'.repeat(100))
          expect(pager.get(main, keyOf(i))).toBe((i < 64 ? 'few' : 'old').repeat(100))
        }
        pager.closeSnapshot(snapshot)
        if (isShared) pager.closeSnapshot(snapshot)
        examine(pager)
        expect(pager.cell(RECORDS_USED)).toBe(0)
      }
    }
  )

  test.each(['wasm', 'javascript'] as const)(
    'that nobody shares gives up the frame of an old version as soon as that is written (%s)',
    async build => {
      for (const isShared of [false, true]) {
        const pager = await Pager.make(build, 4096, 64)
        const { exports } = pager.kernel
        for (let i = 0; i < 40; i++) pager.put(`key ${i}`, 'old'.repeat(100))
        const snapshot = pager.openSnapshot()
        if (isShared) pager.openSnapshot()
        for (let i = 0; i < 40; i++) pager.put(`key ${i}`, 'new'.repeat(100))
        const free = pager.cell(FRAMES_FREE)
        const dirty = pager.cell(FRAMES_DIRTY)
        const limit = pager.cell(TABLE_LIMIT)
        let written = 0
        let old = 0
        for (let frame = next(); frame !== 0; frame = next()) {
          if (exports.frameOf(pager.cell(frame)) >>> 0 !== frame) old++
          pager.writeOut(frame)
          written++
        }
        function next(): number {
          return exports.nextDirtyAt(0, limit, snapshot) >>> 0
        }
        expect(old).toBeGreaterThan(3)
        expect(pager.cell(FRAMES_DIRTY)).toBe(dirty - written)
        expect(pager.cell(FRAMES_FREE)).toBe(isShared ? free : free + old)
        examine(pager)
        // It is read again from where it was written.
        expect(pager.get(main, 'key 7', snapshot)).toBe('old'.repeat(100))
        expect(pager.get(main, 'key 7')).toBe('new'.repeat(100))
        pager.closeSnapshot(snapshot)
        if (isShared) pager.closeSnapshot(snapshot)
        examine(pager)
        expect(pager.cell(RECORDS_USED)).toBe(0)
      }
    }
  )

  test('that stays open costs the old version of a page once, however often the page comes back from disk', async () => {
    const pager = await Pager.make('wasm', 4096, 64)
    pager.put('key', 'old')
    const snapshot = pager.openSnapshot()
    for (let i = 0; i < 50; i++) {
      pager.put('key', String(i))
      pager.commit([{ type: 'large', tree: main.tree, key: 'large', segments: 3 }])
      pager.evictAll()
    }
    expect(pager.cell(COUNT_COPIES)).toBe(1)
    // The catalog's page, the main tree's two versions, the large value there is; three ids made since.
    expect(pager.alive.size).toBe(3 + 3)
    expect(pager.cell(RECORDS_USED)).toBeLessThan(10)
    expect(value(pager, snapshot)).toBe('old')
    pager.closeSnapshot(snapshot)
    examine(pager)
    expect(pager.cell(RECORDS_USED)).toBe(0)
  })
})

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map(p => [item, ...p]))
}

describe.each(['wasm', 'javascript'] as const)('counters of the %s build', build => {
  test('of epochs go on beyond 32 bits', async () => {
    const pager = await Pager.bare(build, 4096, 64)
    pager.setEpoch(0xffffffff - 6, 0)
    pager.must(pager.kernel.exports.makeTrees())
    const model = new Model(pager)
    for (let i = 0; i < 16; i++) {
      model.openSnapshot()
      take(model, { kind: 'put', seed: i, size: 60 }, 'numbered', 400)
      take(model, { kind: 'delete', seed: i, size: 30 }, 'numbered', 400)
      if (i % 3 === 2) model.closeSnapshot(i % model.snapshots.length)
      if (i % 4 === 0) pager.evictAll()
      model.compare()
      model.compareSnapshots()
    }
    expect([pager.cell(EPOCH_LOW), pager.cell(EPOCH_HIGH)]).toEqual([9, 1])
    while (model.snapshots.length > 0) model.closeSnapshot(model.snapshots.length >> 1)
    examine(pager)
    expect(pager.cell(RECORDS_USED)).toBe(0)
    expect(pager.cell(FREE_RECORD_COUNT)).toBeGreaterThan(0)
  })

  test('of stamps begin anew, and no shortcut leads to what stood there before', async () => {
    const model = new Model(await Pager.make(build, 4096, 64))
    const { pager } = model
    load(model, 300, 'numbered', 500)
    for (let round = 0; round < 40; round++) {
      if (round === 20) pager.setCell(STAMP, 0xffffffff - 41)
      take(model, { kind: 'look', seed: round, size: 1 }, 'numbered', 500)
      take(model, { kind: 'mixed', seed: round, size: 10 }, 'numbered', 500)
      take(model, { kind: 'look', seed: round, size: 1 }, 'numbered', 500)
    }
    expect(pager.cell(STAMP)).toBeLessThan(100_000)
  })
})

describe('a checkpoint', () => {
  test.each(['wasm', 'javascript'] as const)(
    'of a snapshot, written while writing goes on, holds the snapshot and nothing else (%s)',
    async build => {
      const model = new Model(await Pager.make('wasm', 4096, 128))
      load(model, 1500, 'fat', 20_000)
      for (let seed = 0; seed < 12; seed++) {
        take(model, { kind: seed % 3 ? 'large' : 'create', seed, size: 1 }, 'fat', 20_000)
        take(model, { kind: 'delete', seed, size: 60 }, 'fat', 20_000)
      }
      const between = generator(4)
      const stored = store(model, () => {
        take(model, { kind: 'mixed', seed: between(), size: 20 }, 'fat', 20_000)
        take(model, { kind: 'large', seed: between(), size: 20 }, 'fat', 20_000)
        take(model, { kind: 'clear', seed: between(), size: 20 }, 'fat', 300_000)
        if (between() % 3 === 0) take(model, { kind: 'drop', seed: between(), size: 20 }, 'fat', 20_000)
      })
      expect(stored.chunks.length).toBeGreaterThan(1)
      model.compare()

      const loaded = await fresh(build, stored)
      loaded.compare()
      loaded.compare(undefined, 0, { reverse: true })
      examine(loaded.pager)
      for (let seed = 0; seed < 30; seed++) {
        take(loaded, { kind: seed % 2 ? 'mixed' : 'clear', seed, size: 50 }, 'fat', 20_000)
        examine(loaded.pager)
      }
      loaded.compare()
    }
  )
})

interface Stored {
  readonly content: ReturnType<Model['content']>
  readonly limit: number
  readonly chunks: Uint8Array[]
  readonly images: Map<number, Uint8Array>
  readonly names: ReadonlyMap<number, string>
}

/** Writes a snapshot of the model's kernel as a checkpoint does; `between` is called between its parts. */
function store(model: Model, between: () => void): Stored {
  const { pager } = model
  const { exports } = pager.kernel
  const content = model.content()
  const names = new Map(Array.from(model.trees.values(), ({ tree, name }) => [tree, name]))
  const snapshot = pager.openSnapshot()
  const limit = pager.cell(TABLE_LIMIT)
  const chunks: Uint8Array[] = []
  const images = new Map<number, Uint8Array>()
  for (let id = 0; id < limit; id += 64) {
    between()
    for (let frame = next(id); frame !== 0; frame = next(id)) pager.writeOut(frame)
  }
  function next(id: number): number {
    return exports.nextDirtyAt(id, Math.min(id + 64, limit), snapshot) >>> 0
  }
  for (let chunk = 0; chunk * CHUNK_IDS < limit; chunk++) {
    between()
    exports.storeChunk(chunk, snapshot, pager.cell(IMAGE))
    const bytes = pager.bytes.slice(pager.cell(IMAGE), pager.cell(IMAGE) + CHUNK_IDS * ENTRY_BYTES)
    chunks.push(bytes)
    const view = new DataView(bytes.buffer)
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const sector = view.getUint32(at, true)
      if (sector !== 0) images.set(sector, pager.disk.get(sector) ?? new Uint8Array(0))
    }
  }
  pager.closeSnapshot(snapshot)
  return { content, limit, chunks, images, names }
}

/** A kernel that has loaded what was stored. */
async function fresh(build: 'wasm' | 'javascript', stored: Stored): Promise<Model> {
  const pager = await Pager.bare(build, 4096, 64)
  const { exports } = pager.kernel
  pager.must(exports.setTableLimit(stored.limit))
  for (const [chunk, bytes] of stored.chunks.entries()) {
    pager.bytes.set(bytes, pager.cell(IMAGE))
    expect(exports.loadChunk(chunk, pager.cell(IMAGE))).toBeTruthy()
  }
  exports.listFreeIds()
  for (const [sector, image] of stored.images) {
    pager.disk.set(sector, image)
    pager.alive.add(sector)
    pager.nextSector = Math.max(pager.nextSector, sector + 1)
  }
  const model = new Model(pager)
  for (const [tree, { root, rows }] of stored.content) {
    model.trees.set(tree, { tree, root, name: stored.names.get(tree) ?? '', rows: new Map(rows) })
  }
  return model
}
