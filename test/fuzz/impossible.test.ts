import { expect, test } from 'vitest'
import { changedFiles, loadBases } from '../../fuzz/formats/bases.ts'
import { readScript, type ScriptRecord } from '../../fuzz/formats/script.ts'
import { Tools } from '../../fuzz/formats/tools.ts'
import { vfsOf } from '../../fuzz/targets/opening.ts'
import { openEngine, path, utf8 } from '../engine/content.ts'

// Checksums tell of damage, not of what some program has written. What fuzzing found behind right checksums: numbers that
// made the engine ask for gigabytes, write over its own memory, or fail with an error that tells a caller nothing.

const tools = await Tools.make()
const [crashed, second] = loadBases(tools)

/** Field of the meta by its offset, in both slots. */
const meta = (offset: number, value: number): ScriptRecord => ({ op: 0, item: 2, field: (offset - 8) / 4, value })
/** Word of an entry of the page table. */
const entry = (item: number, word: number, value: number): ScriptRecord => ({ op: 2, item, field: word, value })

const open = async (record: ScriptRecord, part: 'data' | 'log') => {
  const files = changedFiles(crashed, { base: 0, switches: 0, records: [record] }, part)
  const engine = await openEngine(await vfsOf(files), { createIfMissing: false })
  await engine.close()
}

test.each([
  ['a page size that is none', meta(20, 5_000)],
  ['a number that cannot be counted on', meta(52, 0x0100_0000)],
  ['a last commit that cannot be counted on', meta(60, 0xffff_ffff)],
  ['a place in the log beyond all files', meta(92, 0x00ca_0000)],
  ['a place in the log beyond the end of its file', meta(88, 1 << 24)],
  ['a place in the log beyond the end of its file, gigabytes away', meta(92, 27)],
  ['a place in the log between two frames', meta(88, 4)],
  ['a third log file', meta(80, 2)],
  ['more page ids than chunks', meta(104, 0x0400_0000)],
  ['more chunks than the directory has', meta(108, 7)],
  ['a directory larger than the file', meta(116, 0xffff_fff0)],
  ['a directory in a meta slot', meta(112, 8)],
  ['a directory beyond the end of the file', meta(112, 0x00ff_ffff)],
  ['no id for the next tree', meta(124, 0xffff_ffff)],
  ['a page beyond the end of the file', entry(0, 0, 0xffff_fff0)],
  ['a page in a meta slot', entry(0, 0, 1)],
  ['an image larger than the area for images', entry(0, 1, 0x02ff_ffff)],
  ['an image without bytes', entry(0, 1, 0x0200_0000)],
  ['two pages in one place', { op: 4, item: 0, field: 40, value: 0 } satisfies ScriptRecord]
])('%s is LIGHTNING_CORRUPT', async (_, record) => {
  await expect(open(record, 'data')).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
})

test('a large value in the log that lies beyond the end of the file is LIGHTNING_CORRUPT', async () => {
  const putLarge: ScriptRecord = { op: 0, item: 7, field: 58, value: 0x01ee }
  await expect(open(putLarge, 'log')).rejects.toMatchObject({ code: 'LIGHTNING_CORRUPT' })
})

test('a keyspace without a root is LIGHTNING_CORRUPT when it is written to', async () => {
  const input = '039a32092e14c7c7c7c71a02ef611f0000000beb36362000000015e16566010006fb4c2e0c2ca014c7c71906422018000000'
  const script = readScript(Buffer.from(input, 'hex'))
  const engine = await openEngine(await vfsOf(changedFiles(second, script, 'both')), { createIfMissing: false })
  expect(() => engine.put(engine.tree(path('people')), 'key', utf8, 'value', utf8)).toThrow(
    expect.objectContaining({ code: 'LIGHTNING_CORRUPT', message: expect.stringContaining('keyspace 2097154') })
  )
  await engine.close()
})

test('the database that these are made of is sound', async () => {
  const engine = await openEngine(await vfsOf(crashed.files), { createIfMissing: false })
  expect((await engine.verify()).problems).toEqual([])
  await engine.close()
})
