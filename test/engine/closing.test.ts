// What a close keeps, and what must not keep writes and closes from ending.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { expectSound } from './support.ts'

const root = path('')

/** Lets the next write to the log fail, once. */
function failOnce(disk: SimulatedDisk): void {
  disk.fault = ({ kind, file }) => {
    if (kind !== 'write' || !file.startsWith('wal')) return undefined
    disk.fault = undefined
    return { code: 'EIO' }
  }
}

test('a close that tells of relaxed commits lost by a fault keeps those made since', async () => {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { durability: 'relaxed', syncIntervalMs: 1 })
  engine.put(engine.tree(root), 'durable', utf8, 'value', utf8)
  await engine.flush()
  const lost = new Promise(resolve => engine.on('degraded', resolve))
  failOnce(disk)
  engine.put(engine.tree(root), 'lost', utf8, 'value', utf8)
  await lost
  engine.put(engine.tree(root), 'kept', utf8, 'value', utf8)
  await expect(engine.close()).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
  const again = await openEngine(disk.vfs())
  expect([...contentOf(again).keys()]).toEqual(['/durable', '/kept'])
  await expectSound(again)
  await again.close()
})

test('a logger that throws disturbs neither a rollback, nor a close, nor an opening', async () => {
  const refuse = () => {
    throw new Error('The disk with the log file is full')
  }
  const logger = { debug: refuse, info: refuse, warn: refuse, error: refuse }
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { logger })
  const put = (key: string) => {
    engine.put(engine.tree(root), key, utf8, 'value', utf8)
    return engine.settled()
  }
  await put('kept')
  failOnce(disk)
  await expect(put('lost')).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
  await put('later')
  await engine.checkpoint()
  await engine.close()
  const again = await openEngine(disk.vfs(), { logger })
  expect([...contentOf(again).keys()]).toEqual(['/kept', '/later'])
  await expectSound(again)
  await again.close()
})

describe('where a test has replaced the timers', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each(['strict', 'relaxed'] as const)('%s writes are settled all the same', async durability => {
    const engine = await openEngine(memoryVfs(), { durability, walBytes: 1 << 20 })
    vi.useFakeTimers()
    for (let i = 0; i < 200; i++) {
      engine.put(engine.tree(root), `key ${i}`, utf8, 'value '.repeat(100), utf8)
      await engine.settled()
    }
    expect(contentOf(engine).size).toBe(200)
    await engine.close()
  })
})
