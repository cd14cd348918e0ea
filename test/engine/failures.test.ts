// The moments at which something fails in the middle, one by one.
import { describe, expect, test, vi } from 'vitest'
import { isLightningError, type LightningErrorCode } from '../../src/errors.ts'
import { blockBytes } from '../../src/store/format.ts'
import { MsgpackEncoding } from '../../src/encoding/msgpack-encoding.ts'
import type { Engine, EngineEvents } from '../../src/engine/engine.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })

const root = path('')

function put(engine: Engine, key: string, value = 'value'): Promise<void> {
  engine.put(engine.tree(root), key, utf8, value, utf8)
  return engine.settled()
}

function has(engine: Engine, key: string): boolean {
  return engine.has(engine.tree(root), undefined, key, utf8)
}

async function code(promise: Promise<unknown>): Promise<LightningErrorCode | undefined> {
  try {
    await promise
  } catch (error) {
    if (isLightningError(error)) return error.code
    throw error
  }
  return undefined
}

const isLogWrite = (call: { kind: string; file: string }) => call.kind === 'write' && call.file.startsWith('wal')

describe('a write that fails', () => {
  test('is gone even if all of it reached the disk', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'before')
    disk.fault = call => (isLogWrite(call) ? { code: 'EIO', written: 1 } : undefined)
    const writing = put(engine, 'rejected')
    // The fault is over before the erasing begins.
    const fault = disk.fault
    disk.fault = call => {
      const result = fault(call)
      if (result !== undefined) disk.fault = undefined
      return result
    }
    expect(await code(writing)).toBe('LIGHTNING_IO')
    expect(has(engine, 'rejected')).toBe(false)
    for (const after of [disk.kill(), new SimulatedDisk(1, disk.state()).crash(1)]) {
      const again = await openEngine(after.vfs())
      expect([...contentOf(again).keys()]).toEqual(['/before'])
    }
  })

  test('leaves a failed handle when it cannot be erased', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'before')
    disk.fault = call => (isLogWrite(call) ? { code: 'EIO', written: 1 } : undefined)
    expect(await code(put(engine, 'unknown'))).toBe('LIGHTNING_FAILED')
    disk.fault = undefined
    expect(() => put(engine, 'refused')).toThrow(expect.objectContaining({ code: 'LIGHTNING_FAILED' }))
    expect(has(engine, 'before')).toBe(true)
    await engine.close()
    const again = await openEngine(disk.vfs())
    expect(has(again, 'before')).toBe(true)
    expect(has(again, 'refused')).toBe(false)
  })

  test('tells that writing is disturbed, and when it works again', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'before')
    const told: (keyof EngineEvents)[] = []
    engine.on('degraded', () => told.push('degraded'))
    engine.on('recovered', () => told.push('recovered'))
    let faults = 1
    disk.fault = call => (isLogWrite(call) && faults-- > 0 ? { code: 'ENOSPC' } : undefined)
    expect(await code(put(engine, 'rejected'))).toBe('LIGHTNING_DISK_FULL')
    expect(told).toEqual(['degraded'])
    await put(engine, 'after')
    expect(told).toEqual(['degraded', 'recovered'])
    await engine.close()
  })

  test('takes only its own commit with it when a page of it cannot be read', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    const random = new Random(1)
    for (let i = 0; i < 1_500; i++) await put(engine, `key ${i}`, someText(random, 500))
    await engine.checkpoint()
    const tree = engine.tree(root)
    const operations = Array.from({ length: 300 }, (_, i) => ({
      type: 'put' as const,
      tree,
      key: `key ${i * 5}`,
      keyEncoding: utf8,
      value: 'new',
      valueEncoding: utf8
    }))
    engine.get(tree, undefined, 'key 0', utf8, utf8)
    const earlier = put(engine, 'earlier')
    let reads = 20
    disk.fault = call =>
      call.kind === 'read' && call.file === 'data.ldb' && reads-- === 0 ? { code: 'EIO' } : undefined
    expect(() => engine.batch(operations)).toThrow(expect.objectContaining({ code: 'LIGHTNING_IO' }))
    expect(await code(earlier)).toBeUndefined()
    expect(has(engine, 'earlier')).toBe(true)
    expect(engine.get(tree, undefined, 'key 0', utf8, utf8)).not.toBe('new')
    await put(engine, 'later')
    await expectSound(engine)
    await engine.close()
  })

  test('does not take back a commit that is whole when pages cannot be written', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { walBytes: 1 << 24 })
    const random = new Random(1)
    await put(engine, 'before')
    disk.fault = call => (call.kind === 'write' && call.file === 'data.ldb' ? { code: 'ENOSPC' } : undefined)
    const kept = ['/before']
    for (let i = 0; i < 2_000; i++) {
      const key = `key ${random.below(100_000)}`
      try {
        await put(engine, key, someText(random, 300))
        kept.push(`/${key}`)
      } catch (error) {
        if (!isLightningError(error, 'LIGHTNING_DISK_FULL')) throw error
      }
    }
    expect(kept.length).toBeGreaterThan(100)
    expect(kept.length).toBeLessThan(2_000)
    expect(new Set(contentOf(engine).keys())).toEqual(new Set(kept))
    disk.fault = undefined
    await put(engine, 'key', 'again')
    await expectSound(engine)
    await engine.close()
  })
})

describe('a sync', () => {
  test('that another one is still doing is waited for, not taken as done', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    await put(engine, 'before')
    engine.put(engine.tree(root), 'key', utf8, 'value', utf8)
    const checked: boolean[] = []
    disk.fault = call => {
      if (call.kind !== 'sync' || !call.file.startsWith('wal') || checked.length > 0) return undefined
      checked.push(true)
      // The checkpoint's sync of the log has begun; now somebody wants the same to be durable at once.
      queueMicrotask(() => {
        engine.flushSync()
        for (let seed = 1; seed <= 8; seed++) survivors.push(new SimulatedDisk(seed, disk.state()).crash(seed))
      })
      return undefined
    }
    const survivors: SimulatedDisk[] = []
    await engine.checkpoint()
    expect(survivors.length).toBe(8)
    for (const survivor of survivors) expect(has(await openEngine(survivor.vfs()), 'key')).toBe(true)
    await engine.close()
  })

  test('that fails while relaxed commits wait is told once, and no write is lost in between', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { durability: 'relaxed', syncIntervalMs: 1 })
    await put(engine, 'one')
    await engine.flush()
    const lost: unknown[] = []
    const degraded = new Promise<void>(resolve => {
      engine.on('degraded', detail => {
        lost.push(detail.lost)
        resolve()
      })
    })
    disk.fault = call => (call.kind === 'sync' ? { code: 'EIO' } : undefined)
    await put(engine, 'two')
    await put(engine, 'three')
    await degraded
    disk.fault = undefined
    expect(lost).toEqual([{ from: 2, to: 3 }])
    expect(await code(engine.flush())).toBe('LIGHTNING_FAILED')
    expect([...contentOf(engine).keys()]).toEqual(['/one'])
    await engine.close().catch(() => undefined)
    expect(disk.isLocked).toBe(false)
    const again = await openEngine(disk.vfs())
    expect(['/one', '/one /three /two', '/one /two']).toContain([...contentOf(again).keys()].join(' '))
  })
})

test('a getter that flushes while its object is encoded disturbs nothing', async () => {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs())
  const tree = engine.tree(root)
  const msgpack = new MsgpackEncoding()
  engine.put(tree, 'pending', utf8, 1, msgpack)
  const value = {
    get member() {
      engine.flushSync()
      return 'got'
    }
  }
  engine.put(tree, 'key', utf8, value, msgpack)
  await engine.settled()
  const expectBoth = (reader: Engine) => {
    expect(reader.get(reader.tree(root), undefined, 'key', utf8, msgpack)).toEqual({ member: 'got' })
    expect(contentOf(reader).size).toBe(2)
  }
  expectBoth(engine)
  expectBoth(await openEngine(disk.kill().vfs()))
})

describe('closing', () => {
  test('in the middle of everything ends everything, and twice is once', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs())
    const random = new Random(1)
    for (let i = 0; i < 600; i++) await put(engine, `key ${i}`, someText(random, 500))
    await engine.checkpoint()
    for (let i = 0; i < 500; i++) engine.del(engine.tree(root), `key ${i}`, utf8)
    await engine.settled()
    const snapshot = engine.snapshot()
    const work = [
      code(put(engine, 'large', someText(random, 400_000))),
      code(engine.compact()),
      code(engine.verify()),
      code(engine.checkpoint()),
      code(engine.backup(new SimulatedDisk().vfs()))
    ]
    const closing = [engine.close(), engine.close()]
    await Promise.all(closing)
    const [large, ...others] = await Promise.all(work)
    expect(large).toBeUndefined()
    for (const outcome of others) expect([undefined, 'LIGHTNING_CLOSED']).toContain(outcome)
    expect(() => snapshot.isOpen || contentOf(engine, snapshot)).toThrow(
      expect.objectContaining({ code: 'LIGHTNING_CLOSED' })
    )
    expect(disk.isLocked).toBe(false)
    const again = await openEngine(disk.vfs())
    expect(contentOf(again).size).toBe(101)
    await expectSound(again)
    await again.close()
  })
})

describe('a crash', () => {
  test('between the two metas leaves the older one alone until the newer one is durable', async () => {
    const disk = new SimulatedDisk().record()
    const engine = await openEngine(disk.vfs(), { compression: 'none' })
    const random = new Random(1)
    for (let i = 0; i < 60; i++) await put(engine, `key ${i}`, someText(random, 900))
    await engine.checkpoint()
    for (let i = 0; i < 60; i++) await put(engine, `key ${i}`, someText(random, 900))
    disk.note('begun')
    await engine.checkpoint()
    disk.note('done')
    const wanted = contentOf(engine)
    let seed = 0
    for (const moment of disk.moments()) {
      if (!moment.notes.includes('begun') || moment.notes.includes('done')) continue
      const state = moment.kill().state()
      const metas = state.bytes('data.ldb').subarray(0, 2 * blockBytes)
      if (Buffer.compare(metas.subarray(0, blockBytes), metas.subarray(blockBytes)) === 0) continue
      const disk = new SimulatedDisk(1, state).record()
      const next = await openEngine(disk.vfs(), { compression: 'none' })
      // Takes all space that the newer meta does not name.
      await put(next, 'large', someText(random, 25_000))
      // The machine crashes while that is going on.
      for (const later of disk.moments()) {
        for (let i = 0; i < 10; i++) {
          const survivor = await openEngine(later.crash(++seed).vfs())
          const found = new Map(contentOf(survivor))
          await expectSound(survivor)
          found.delete('/large')
          expectContent(found, wanted)
        }
      }
    }
    expect(seed).toBeGreaterThan(50)
  })

  test('does not confuse a large value with one that was deleted while a checkpoint ran', async () => {
    const disk = new SimulatedDisk()
    const engine = await openEngine(disk.vfs(), { compression: 'none', walBytes: 1 << 20 })
    const random = new Random(1)
    await put(engine, 'before')
    const checkpointing = engine.checkpoint()
    await put(engine, 'gone', someText(random, 200_000))
    engine.del(engine.tree(root), 'gone', utf8)
    await engine.settled()
    await checkpointing
    const value = someText(random, 200_000)
    await put(engine, 'stays', value)
    const again = await openEngine(disk.kill().vfs(), { compression: 'none' })
    for (let i = 0; i < 3; i++) {
      await put(again, `other ${i}`, someText(random, 200_000))
      await again.checkpoint()
    }
    expect(again.get(again.tree(root), undefined, 'stays', utf8, utf8)).toBe(value)
    await expectSound(again)
    await again.close()
  })
})
