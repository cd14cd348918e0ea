// What the log says is checked beside its checksums, before any of it is applied: those are right, too, of what some
// program has written there.
import { expect, test } from 'vitest'
import { LogImage } from '../../fuzz/formats/log-image.ts'
import { Tools } from '../../fuzz/formats/tools.ts'
import { repair } from '../../src/engine/repair.ts'
import { decodeMeta } from '../../src/store/meta.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectSound } from './support.ts'

const tools = await Tools.make()

/** Words of a frame that is one PUT_LARGE with a key of four bytes, or one CREATE, by their offsets in its operations. */
const word = { tree: 4, totalBytes: 16, sector: 20, stored: 24 }
/** Kinds of changes that `LogImage` knows. */
const headerWord = 1
const operationWord = 9

/** Makes the last frame, which takes 96 bytes, a longer one: a CREATE with a name of 1,500 bytes. */
const longName = [
  ...[1, 2, 3].map(() => ({ op: 6, frame: 3, field: 63, value: 0 })),
  { op: operationWord, frame: 3, field: 0, value: (1_500 << 16) | 5 },
  { op: operationWord, frame: 3, field: 8, value: 40 }
]

/** A killed database whose log holds two large values and a sublevel, each frame a commit, before the change. */
async function changedDisk(changes: readonly { op: number; frame: number; field: number; value: number }[]) {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { compression: 'none', walBytes: 1 << 20 })
  const random = new Random(1)
  for (const key of ['one ', 'two ']) {
    engine.put(engine.tree(path('')), key, utf8, someText(random, 300_000), utf8)
    await engine.settled()
  }
  engine.put(engine.tree(path('users')), 'key', utf8, 'value', utf8)
  await engine.settled()
  const killed = disk.kill()
  const meta = decodeMeta(killed.bytes('data.ldb'), (bytes, seed) => tools.xxh32(bytes, seed), 'data.ldb')
  if (meta === undefined) throw new Error('There is no meta')
  const identity = tools.xxh32(meta.databaseId, tools.xxh32(meta.timeline, 1))
  const start = { offset: 0, previous: meta.logPrevious, incarnation: meta.incarnation, lsn: meta.lsn, identity }
  const log = new LogImage(killed.bytes('wal-0.ldb'), start, tools)
  for (const { frame, ...change } of changes) log.change({ ...change, item: frame })
  const [first] = log.files(new Uint8Array(0))
  killed.place('wal-0.ldb', first)
  return killed
}

const sectorOfFirst = async (): Promise<number> => {
  const log = (await changedDisk([])).bytes('wal-0.ldb')
  const view = new DataView(log.buffer, log.byteOffset)
  // Behind the frame that begins the incarnation.
  return view.getUint32(view.getUint32(0, true) + 56 + word.sector, true)
}

test('a log that was not changed is applied', async () => {
  const engine = await openEngine((await changedDisk([])).vfs())
  expect([...contentOf(engine).keys()]).toEqual(['/one ', '/two ', 'users/key'])
  await expectSound(engine)
  await engine.close()
})

test.each([
  ['a segment longer than any', [{ op: operationWord, frame: 1, field: word.stored, value: 0x1104_0001 }]],
  ['a segment without bytes', [{ op: operationWord, frame: 1, field: word.stored, value: 0x1100_0000 }]],
  ['a segment of no known format', [{ op: operationWord, frame: 1, field: word.stored, value: 0x1404_0000 }]],
  ['a segment in a meta slot', [{ op: operationWord, frame: 1, field: word.sector, value: 8 }]],
  ['a segment in the place of a page', [{ op: operationWord, frame: 1, field: word.sector, value: 24 }]],
  ['a value with a key longer than any', [{ op: operationWord, frame: 1, field: 0, value: 0x0405_0004 }]],
  ['a keyspace with a name longer than any', longName],
  ['a keyspace with the number of another', [{ op: operationWord, frame: 3, field: word.tree, value: 1 }]],
  ['a keyspace with the last number there is', [{ op: operationWord, frame: 3, field: word.tree, value: 0xffff_ffff }]],
  ['a time beyond all', [{ op: headerWord, frame: 1, field: 11, value: 0xffff_ffff }]]
])('%s is LIGHTNING_CORRUPT, and a repair goes on without', async (_, changes) => {
  const disk = await changedDisk(changes)
  await expect(openEngine(disk.vfs())).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
  await repair(disk.vfs(), { cacheBytes: 1 << 20 })
  const engine = await openEngine(disk.vfs())
  await expectSound(engine)
  await engine.close()
})

test('an operation with a key that cannot be is told by a repair, which applies the others', async () => {
  const { lost } = await repair((await changedDisk(longName)).vfs(), { cacheBytes: 1 << 20 })
  expect(lost.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^Lost: a part of commit 3\. .* cannot be/)
  ])
})

test('an operation without a key is told by a repair', async () => {
  const keyless = { op: operationWord, frame: 3, field: 20, value: 0 }
  const { lost } = await repair((await changedDisk([keyless])).vfs(), { cacheBytes: 1 << 20 })
  expect(lost.map(({ message }) => message)).toEqual([expect.stringContaining('Lost: a part of commit 3.')])
})

test('two values in one place are LIGHTNING_CORRUPT', async () => {
  const changes = [{ op: operationWord, frame: 2, field: word.sector, value: await sectorOfFirst() }]
  const disk = await changedDisk(changes)
  await expect(openEngine(disk.vfs())).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
})

test('a value whose length and segments disagree is told by a repair, which asks for no memory because of it', async () => {
  const disk = await changedDisk([{ op: operationWord, frame: 1, field: word.totalBytes, value: 0xffff_ffff }])
  const { lost } = await repair(disk.vfs(), { cacheBytes: 1 << 20 })
  expect(lost.map(({ message }) => message)).toEqual([expect.stringContaining('"one "')])
  const engine = await openEngine(disk.vfs())
  expect([...contentOf(engine).keys()]).toEqual(['/two ', 'users/key'])
  await engine.close()
})
