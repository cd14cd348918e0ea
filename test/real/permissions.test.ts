// Places that cannot be written, or not be read: told at opening, with the error that says so, and reading works where it
// can.
import { readdirSync, statSync } from 'node:fs'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { open as openHere, repair } from '../../src/index.ts'
import { bundleProgram, type Program } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { mountingFails, smallDisk } from '../support/small-disk.ts'
import { DatabaseProcess } from './database-process.ts'
import type { Answer } from './database-program.ts'

vi.setConfig({ testTimeout: 60_000 })

const nobody = 65_534
const bytes = 500

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./database-program.ts', import.meta.url))
})
afterAll(() => program.remove())

/** A process without the powers of root, which no permission stops. */
async function startUnprivileged(limits: readonly string[] = []): Promise<DatabaseProcess> {
  const started = new DatabaseProcess(program, limits)
  onTestFinished(() => started.kill())
  if (process.getuid?.() === 0) await started.succeed({ do: 'become', user: nobody })
  return started
}

/** A database with ten entries, in a directory that everybody may search. */
async function made(parent?: string): Promise<string> {
  const directory = parent ?? (await temporaryDirectory())
  await chmod(directory, 0o755)
  const location = join(directory, 'db')
  const db = new DatabaseProcess(program)
  await db.succeed({ do: 'open', location })
  await db.succeed({ do: 'fill', from: 0, atOnce: 1, most: 10, bytes })
  await db.succeed({ do: 'close' })
  await db.kill()
  return location
}

async function open(location: string, readOnly = false): Promise<Answer> {
  const db = await startUnprivileged()
  const answer = await db.order({ do: 'open', location, options: { readOnly } })
  if (answer.error === undefined) {
    expect((await db.succeed({ do: 'check', bytes })).numbers).toHaveLength(10)
    await db.succeed({ do: 'close' })
  } else expect(answer.message).toMatch(/^.{20,}\.$/s)
  await db.kill()
  return answer
}

describe('permission is denied', () => {
  test('to make a directory', async () => {
    const parent = await temporaryDirectory()
    await chmod(parent, 0o555)
    expect(await open(join(parent, 'db'))).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    await chmod(parent, 0o755)
  })

  test('to make the files of a new database', async () => {
    const parent = await temporaryDirectory()
    await chmod(parent, 0o755)
    const location = join(parent, 'db')
    await mkdir(location, { mode: 0o555 })
    expect(await open(location)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    await chmod(location, 0o755)
  })

  test('to write in the directory: no lock can be made, but reading goes', async () => {
    const location = await made()
    for (const name of ['data.ldb', 'wal-0.ldb', 'wal-1.ldb']) await chmod(join(location, name), 0o666)
    await chmod(location, 0o555)
    expect(await open(location)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    expect(await open(location, true)).toEqual({})
    await chmod(location, 0o755)
  })

  test('to write the files', async () => {
    const location = await made()
    await chmod(location, 0o777)
    for (const name of ['data.ldb', 'wal-0.ldb', 'wal-1.ldb']) await chmod(join(location, name), 0o444)
    expect(await open(location)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    expect(await open(location, true)).toEqual({})
  })

  test('to read the files', async () => {
    const location = await made()
    await chmod(location, 0o777)
    await chmod(join(location, 'data.ldb'), 0o200)
    expect(await open(location)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    expect(await open(location, true)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
  })

  test('to search the directory', async () => {
    const location = await made()
    await chmod(location, 0o600)
    expect(await open(location)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    expect(await open(location, true)).toMatchObject({ error: 'LIGHTNING_PERMISSION' })
    await chmod(location, 0o755)
  })
})

describe.skipIf(mountingFails !== undefined)('a medium that cannot be written', () => {
  test('refuses writers and serves readers', async () => {
    const disk = await smallDisk(8 * 1_024 * 1_024)
    const location = await made(disk.directory)
    disk.remount('ro')
    const refused = await open(location)
    expect(['LIGHTNING_READ_ONLY', 'LIGHTNING_PERMISSION']).toContain(refused.error)
    expect(await open(location, true)).toEqual({})
    expect(['LIGHTNING_READ_ONLY', 'LIGHTNING_PERMISSION']).toContain((await open(join(disk.directory, 'new'))).error)
  })
})

test('a repaired database is for those for whom the damaged one was, from the beginning on', async () => {
  const location = await made()
  const path = join(location, 'data.ldb')
  await chmod(path, 0o640)
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(path, nobody, nobody)
  const rightsOf = (name: string) => {
    const { uid, gid, mode } = statSync(join(location, name))
    return { uid, gid, mode: mode & 0o777 }
  }
  const wanted = rightsOf('data.ldb')
  expect(wanted.mode).toBe(0o640)
  const seen: unknown[] = []
  const onProgress = () => {
    for (const name of readdirSync(location)) if (name.startsWith('data.ldb.repairing')) seen.push(rightsOf(name))
  }
  await repair(location, { onProgress })
  expect(seen.length).toBeGreaterThan(0)
  for (const rights of seen) expect(rights).toEqual(wanted)
  expect(rightsOf('data.ldb')).toEqual(wanted)
  // Who could only read the damaged file, has a repaired one that can be written.
  await chmod(path, 0o444)
  await repair(location)
  expect(rightsOf('data.ldb')).toEqual({ ...wanted, mode: 0o644 })
  await (await openHere(location)).close()
})

test('a process without descriptors left is told so, and leaves nothing locked', async () => {
  const location = await made()
  await chmod(location, 0o777)
  for (const name of ['data.ldb', 'wal-0.ldb', 'wal-1.ldb']) await chmod(join(location, name), 0o666)
  // Node itself needs some twenty; one bound after the other, until opening works.
  const outcomes: (string | undefined)[] = []
  for (let most = 24; most <= 40 && outcomes.at(-1) !== 'opened'; most += 2) {
    const db = new DatabaseProcess(program, [`-n ${most}`])
    try {
      const answer = await db.order({ do: 'open', location })
      outcomes.push(answer.error ?? 'opened')
      if (answer.error === undefined) await db.succeed({ do: 'close' })
      else expect(answer.message).toContain('too many open files')
    } catch (error) {
      // Too few for Node.
      if (!(error instanceof Error && error.message.startsWith('The process ended'))) throw error
    }
    await db.kill()
    if (outcomes.length > 0 && outcomes.at(-1) !== 'opened') expect(await open(location, true)).toEqual({})
  }
  expect(outcomes).toContain('LIGHTNING_IO')
  expect(outcomes.at(-1)).toBe('opened')
})
