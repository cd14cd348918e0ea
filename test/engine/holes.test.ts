// A close fills large holes in the data file from its end.
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { DataFile } from '../../src/store/data-file.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { Random } from '../support/random.ts'
import { type DiskCall, SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

const entries = 2_500
const options = { compression: 'none', cacheBytes: 16 << 20, walBytes: 16 << 20 } as const

/** Writes every entry anew. */
async function writeAll(engine: Engine, random: Random): Promise<Content> {
  const content = new Map<string, string>()
  for (let i = 0; i < entries; i++) {
    const key = `key ${i.toString().padStart(5, '0')}`
    const value = someText(random, 600)
    engine.put(engine.tree(path('')), key, utf8, value, utf8)
    content.set(`/${key}`, value)
  }
  await engine.settled()
  return content
}

/** A database in which two states stand side by side as soon as it is folded, still open, and what it holds. */
async function overwritten(): Promise<{ disk: SimulatedDisk<string>; engine: Engine; content: Content }> {
  const disk = new SimulatedDisk<string>()
  const random = new Random(1)
  const first = await openEngine(disk.vfs(), options)
  await writeAll(first, random)
  await first.close()
  const recorded = new SimulatedDisk<string>(1, disk.state()).record()
  const engine = await openEngine(recorded.vfs(), options)
  return { disk: recorded, engine, content: await writeAll(engine, random) }
}

describe('a close after everything was overwritten', () => {
  test('leaves a file that is not much longer than what it holds', async () => {
    const { disk, engine, content } = await overwritten()
    await engine.close()
    const again = await openEngine(disk.vfs(), options)
    const { file } = again.stats()
    expect(file.bytes).toBeLessThan(file.usedBytes * 1.05)
    expectContent(contentOf(again), content)
    await expectSound(again)
    await again.close()
  })

  test('can crash at any moment', async () => {
    const { disk, engine, content } = await overwritten()
    disk.note('closing')
    await engine.close()
    for (const { at, notes, kill, crash } of disk.moments()) {
      if (!notes.includes('closing')) continue
      for (const left of [kill(), crash(at)]) {
        const opened = await openEngine(left.vfs(), options)
        expectContent(contentOf(opened), content)
        await expectSound(opened)
        await opened.close()
      }
    }
  })

  test.each(['write', 'sync'] as const)('outlives a %s that fails at any place', async kind => {
    for (let nth = 1; ; nth++) {
      const { disk, engine, content } = await overwritten()
      let calls = 0
      const isMeant = (call: DiskCall) => call.file === 'data.ldb' && call.kind === kind && ++calls === nth
      disk.fault = call => (isMeant(call) ? { code: 'EIO', written: 0.5 } : undefined)
      await engine.close().catch(() => undefined)
      disk.fault = undefined
      const again = await openEngine(disk.kill().vfs(), options)
      expectContent(contentOf(again), content)
      await expectSound(again)
      await again.close()
      if (calls < nth) break
    }
  })
})

test('what is moved into holes counts for as many pieces as it takes, segments of large values too', async () => {
  const file = await memoryVfs().open('data.ldb', { create: true })
  const data = new DataFile(file, { maxBytes: Number.POSITIVE_INFINITY, verifyWrites: false })
  const hole = data.takeExtent(1 << 20)
  data.takeExtent(1)
  data.release(hole)
  const pieceBlocks = 4
  const free = data.blocks.freePieces(pieceBlocks)
  const taken = data.takenPieces
  data.blocks.rewind()
  expect(data.takeRunBelow([1 << 18, 1 << 18], data.blocks.endBlock)).toHaveLength(2)
  expect(data.takenPieces - taken).toBeGreaterThanOrEqual(free - data.blocks.freePieces(pieceBlocks))
})
