// A disk that is really full: writes are refused before they change anything, reads go on, deleting makes room, and when
// the space is back writing goes on by itself. Nothing acknowledged is lost, whatever ends the process.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { EngineStats } from '../../src/index.ts'
import { bundleProgram, type Program } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { mountingFails, smallDisk } from '../support/small-disk.ts'
import { DatabaseProcess, type Limits } from './database-process.ts'
import type { Answer } from './database-program.ts'

vi.setConfig({ testTimeout: 120_000 })

const MiB = 1_024 * 1_024
const bytes = 900
const options = { walBytes: MiB, cacheBytes: 4 * MiB }
const many = 1_000_000

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./database-program.ts', import.meta.url))
  if (mountingFails !== undefined) {
    console.warn(`NO DISK COULD BE MOUNTED (${mountingFails}), so only the bound of a file's size was tried.`)
  }
})
afterAll(() => program.remove())

function start(limits?: Limits): DatabaseProcess {
  const started = new DatabaseProcess(program, limits)
  onTestFinished(() => started.kill())
  return started
}

async function opened(location: string, limits?: Limits): Promise<DatabaseProcess> {
  const started = start(limits)
  await started.succeed({ do: 'open', location, options })
  return started
}

function fill(db: DatabaseProcess, from: number): Promise<Answer> {
  return db.order({ do: 'fill', from, atOnce: 30, most: many, bytes })
}

async function healthOf(db: DatabaseProcess): Promise<EngineStats['health']> {
  const { found } = await db.succeed({ do: 'stats' })
  return (found as EngineStats).health
}

async function numbersIn(db: DatabaseProcess): Promise<number[]> {
  const { numbers } = await db.succeed({ do: 'check', bytes })
  return [...(numbers ?? [])].sort((a, b) => a - b)
}

/** What may be there: all that was acknowledged, and nothing that was refused. */
async function expectEntries(db: DatabaseProcess, wanted: ReadonlySet<number>): Promise<void> {
  expect(await numbersIn(db)).toEqual([...wanted].sort((a, b) => a - b))
  expect((await db.succeed({ do: 'verify' })).found).toEqual([])
}

async function liveThroughFullness(location: string): Promise<void> {
  const db = await opened(location)
  const refused = await fill(db, 0)
  expect(refused).toMatchObject({ error: 'LIGHTNING_DISK_FULL' })
  const kept = new Set(db.acknowledged)
  expect(kept.size).toBeGreaterThan(1_000)
  expect(await db.succeed({ do: 'told' })).toMatchObject({ found: ['degraded'] })
  expect(await healthOf(db)).toMatchObject({ state: 'full', code: 'LIGHTNING_DISK_FULL' })
  await expectEntries(db, kept)

  // Full, and still: deleting one by one, folding the log, deleting a range.
  await db.succeed({ do: 'delete', from: 0, to: 100 })
  for (let number = 0; number < 100; number++) kept.delete(number)
  await db.succeed({ do: 'checkpoint' })
  await expectEntries(db, kept)
  await db.succeed({ do: 'clear', from: 0, to: 600 })
  for (let number = 0; number < 600; number++) kept.delete(number)
  await expectEntries(db, kept)

  // What was deleted made room.
  await db.succeed({ do: 'put', number: many, bytes })
  kept.add(many)
  expect(await db.succeed({ do: 'told' })).toMatchObject({ found: ['recovered'] })
  expect(await healthOf(db)).toMatchObject({ state: 'ok' })
  db.acknowledged.clear()
  expect(await fill(db, 2 * many)).toMatchObject({ error: 'LIGHTNING_DISK_FULL' })
  expect(db.acknowledged.size).toBeGreaterThan(100)
  for (const number of db.acknowledged) kept.add(number)
  await expectEntries(db, kept)
  await db.succeed({ do: 'close' })
  await db.kill()

  const again = await opened(location)
  await expectEntries(again, kept)
  await again.succeed({ do: 'clear', from: 0, to: 4 * many })
  expect(await numbersIn(again)).toEqual([])
  await again.succeed({ do: 'close' })
}

test('a bound that the disk does not tell of refuses writes, and loses nothing', async () => {
  const location = join(await temporaryDirectory(), 'db')
  // Blocks of 512 bytes in some shells and of 1,024 in others: 6 or 12 MiB.
  const bounded = await opened(location, ['-f 12288'])
  expect(await fill(bounded, 0)).toMatchObject({ error: 'LIGHTNING_DISK_FULL' })
  const kept = new Set(bounded.acknowledged)
  expect(kept.size).toBeGreaterThan(1_000)
  expect(await bounded.succeed({ do: 'told' })).toMatchObject({ found: ['degraded'] })
  expect(await healthOf(bounded)).toMatchObject({ state: 'full', code: 'LIGHTNING_DISK_FULL' })
  await expectEntries(bounded, kept)
  await bounded.succeed({ do: 'close' })
  await bounded.kill()

  const again = await opened(location, ['-f 12288'])
  await expectEntries(again, kept)
  await again.kill()
  const free = await opened(location)
  await expectEntries(free, kept)
  await free.succeed({ do: 'put', number: many, bytes })
  await free.succeed({ do: 'close' })
})

describe.skipIf(mountingFails !== undefined)('a small disk', () => {
  test('is lived through when it is full', async () => {
    const disk = await smallDisk(14 * MiB)
    await liveThroughFullness(join(disk.directory, 'db'))
  })

  test('that somebody else fills refuses writes until the space is back', async () => {
    const disk = await smallDisk(28 * MiB)
    const location = join(disk.directory, 'db')
    const db = await opened(location)
    await db.succeed({ do: 'fill', from: 0, atOnce: 30, most: 3_000, bytes })
    const kept = new Set(db.acknowledged)
    await disk.crowd()
    const refused = await fill(db, 10_000)
    expect(refused).toMatchObject({ error: 'LIGHTNING_DISK_FULL' })
    for (const number of db.acknowledged) kept.add(number)
    expect(disk.free()).toBe(0)
    await expectEntries(db, kept)
    await db.succeed({ do: 'delete', from: 0, to: 500 })
    for (let number = 0; number < 500; number++) kept.delete(number)
    await db.succeed({ do: 'checkpoint' })
    await db.succeed({ do: 'close' })
    await db.kill()

    const again = await opened(location)
    await expectEntries(again, kept)
    await again.succeed({ do: 'told' })
    await disk.crowd()
    expect(await fill(again, 50_000)).toMatchObject({ error: 'LIGHTNING_DISK_FULL' })
    for (const number of again.acknowledged) kept.add(number)
    expect(await again.succeed({ do: 'told' })).toMatchObject({ found: ['degraded'] })
    await disk.uncrowd()
    await again.succeed({ do: 'put', number: many, bytes })
    kept.add(many)
    expect(await again.succeed({ do: 'told' })).toMatchObject({ found: ['recovered'] })
    await again.succeed({ do: 'fill', from: 90_000, atOnce: 30, most: 1_000, bytes })
    for (const number of again.acknowledged) kept.add(number)
    await expectEntries(again, kept)
    await again.succeed({ do: 'close' })
  })

  test('loses nothing acknowledged when the process is killed while it is full', async () => {
    const disk = await smallDisk(14 * MiB)
    const location = join(disk.directory, 'db')
    const db = await opened(location)
    await fill(db, 0)
    const kept = new Set(db.acknowledged)
    await db.kill()
    const again = await opened(location)
    const found = new Set(await numbersIn(again))
    for (const number of kept) expect(found.has(number)).toBe(true)
    expect((await again.succeed({ do: 'verify' })).found).toEqual([])
    await again.succeed({ do: 'clear', from: 0, to: many })
    await again.succeed({ do: 'close' })
  })
})
