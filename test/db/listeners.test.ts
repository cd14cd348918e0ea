// Listeners of events that use the database that tells them.
import { describe, expect, it, onTestFinished } from 'vitest'
import { openIn } from '../../src/db/database.ts'
import { type OpenOptions, parseOpenOptions } from '../../src/db/options.ts'
import { type Database, isLightningError } from '../../src/index.ts'
import { expectCode } from '../encoding/support.ts'
import { rejection } from '../support/database.ts'
import { nextTurn } from '../support/next-turn.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

async function openOn(disk: SimulatedDisk, options: OpenOptions = {}): Promise<Database<string, unknown>> {
  const db = await openIn<string, unknown>(disk.vfs(), parseOpenOptions(options))
  onTestFinished(() => db.close())
  return db
}

/** Several times what a log of a mebibyte holds, without a turn of the event loop: checkpoints happen inside of commits. */
function fillLog(db: Database<string, unknown>, write: (i: number) => void): void {
  const filling = Array.from({ length: 10 }, (_, i) => ({
    type: 'put' as const,
    key: `filling ${i}`,
    value: 'x'.repeat(900)
  }))
  for (let i = 0; i < 600; i++) {
    write(i)
    db.batchSync(filling)
  }
}

describe('a listener of events', () => {
  it('may write when something was taken back, which does not make that durable', async () => {
    const disk = new SimulatedDisk()
    const db = await openOn(disk)
    await db.put('a', 1)
    db.on('degraded', () => {
      for (let i = 0; i < 5; i++) db.putSync(`noted ${i}`, true)
    })
    let faults = 1
    disk.fault = ({ kind, file }) =>
      kind === 'write' && file.startsWith('wal') && faults-- > 0 ? { code: 'EIO' } : undefined
    await rejection('LIGHTNING_IO', db.put('a', 2))
    expect(db.get('a')).toBe(1)
    expect(db.count({ prefix: 'noted' })).toBe(5)
    await db.close()
    const again = await openOn(disk)
    expect(again.get('a')).toBe(1)
    expect(again.count({ prefix: 'noted' })).toBe(5)
  })

  it('may find the disk failing when a large value had no room, whichever write it was', async () => {
    let told = 0
    for (let refused = 1; refused <= 6; refused++) {
      const disk = new SimulatedDisk()
      const db = await openOn(disk, { compression: 'none' })
      await db.put('a', 1)
      db.on('degraded', ({ state }) => {
        if (state !== 'full') return
        told++
        expectCode('LIGHTNING_IO', () => db.putSync('noted', true))
      })
      let dataWrites = 0
      let logFaults = 1
      disk.fault = ({ kind, file }) => {
        if (kind !== 'write') return undefined
        if (file === 'data.ldb') return ++dataWrites === refused ? { code: 'ENOSPC' } : undefined
        return dataWrites >= refused && logFaults-- > 0 ? { code: 'EIO' } : undefined
      }
      const large = ['b', 'c', 'd'].map(key => ({ type: 'put' as const, key, value: key.repeat(50_000) }))
      const outcome = await db.batch(large).then(
        () => 'done',
        error => (isLightningError(error) ? error.code : error)
      )
      expect(['done', 'LIGHTNING_DISK_FULL']).toContain(outcome)
      disk.fault = undefined
      await db.put('e', 1)
      expect((await db.verify()).problems).toEqual([])
      expect([...db.keys()].filter(key => key < 'b' || key > 'd')).toEqual(['a', 'e'])
    }
    expect(told).toBeGreaterThan(1)
  })

  it('does not write between what a transaction has read and its commit', async () => {
    const db = await openOn(new SimulatedDisk(), { durability: 'relaxed', walBytes: 1 << 20 })
    const addOne = () => db.putSync('counter', Number(db.get('counter') ?? 0) + 1)
    let added = 0
    let told = 0
    const off = db.on('checkpoint', () => {
      told++
      addOne()
    })
    fillLog(db, () => {
      db.transactionSync(tx => tx.put('counter', Number(tx.get('counter') ?? 0) + 1))
      added++
    })
    await nextTurn()
    off()
    expect(told).toBeGreaterThan(0)
    expect(db.get('counter')).toBe(added + told)
  })

  it('does not drop a keyspace, or make one, between the encoding of a batch and its commit', async () => {
    const db = await openOn(new SimulatedDisk(), { durability: 'relaxed', walBytes: 1 << 20 })
    let told = 0
    const off = db.on('checkpoint', () => {
      told++
      void db.dropSublevel('sub')
      db.sublevel('sub').putSync('listener', told)
    })
    fillLog(db, i => db.batchSync([{ type: 'put', key: 'batch', value: i, sublevel: db.sublevel('sub') }]))
    await nextTurn()
    off()
    expect(told).toBeGreaterThan(0)
    expect([...db.sublevel('sub').entries()]).toEqual([['listener', told]])
  })
})
