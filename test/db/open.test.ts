import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connect, destroy, open, persisted, restore } from '../../src/index.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { callUnchecked, openAt, rejection } from '../support/database.ts'

afterEach(() => vi.unstubAllGlobals())

describe('open', () => {
  it('refuses what is no location', async () => {
    for (const location of [undefined, null, '', 5, {}, 'a\0b', new URL('file:///x')]) {
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ open }, 'open', location))
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ destroy }, 'destroy', location))
      await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ restore }, 'restore', location, 'x'))
    }
  })

  it('refuses options before it touches anything', async () => {
    const directory = await temporaryDirectory()
    await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ open }, 'open', join(directory, 'x'), { cache: 1 }))
    await rejection('LIGHTNING_INVALID_ARGUMENT', callUnchecked({ open }, 'open', join(directory, 'x'), null))
    expect(await readdir(directory)).toEqual([])
  })

  it('refuses a file in the place of the directory', async () => {
    const path = join(await temporaryDirectory(), 'file')
    await writeFile(path, 'mine')
    const { message } = await rejection('LIGHTNING_INVALID_ARGUMENT', open(path))
    expect(await rejection('LIGHTNING_INVALID_ARGUMENT', connect(path))).toMatchObject({ message })
  })

  it('makes directories on the way', async () => {
    const location = join(await temporaryDirectory(), 'a', 'b', 'c')
    const db = await openAt(location)
    expect(db.location).toBe(location)
  })

  it('says where there are no files what could help, and still opens in memory', async () => {
    // The runner of these tests needs a process to load what is not loaded yet.
    await openAt(':memory:')
    vi.stubGlobal('process', undefined)
    const error = await rejection('LIGHTNING_UNAVAILABLE', open('app'))
    expect(error.message).toContain("Serve it over HTTPS or from localhost, or use ':memory:'")
    const db = await openAt(':memory:')
    await db.put('a', 1)
    expect(await persisted()).toBe(false)
    vi.unstubAllGlobals()
  })

  it("gives every ':memory:' a database of its own, and keeps nothing", async () => {
    const [one, two] = [await openAt(':memory:'), await openAt(':memory:')]
    await one.put('a', 1)
    expect([one.location, two.has('a')]).toEqual([':memory:', false])
    await rejection('LIGHTNING_NOT_FOUND', open(':memory:', { createIfMissing: false }))
    await destroy(':memory:')
    expect(one.get('a')).toBe(1)
  })

  it.each(['off', undefined] as const)('runs the kernel that the option wasm names: %s', async wasm => {
    const db = await openAt(':memory:', { wasm })
    await db.put('a', [1, 2])
    expect([...db.entries()]).toEqual([['a', [1, 2]]])
  })
})

describe('destroy', () => {
  it("leaves others' files alone", async () => {
    const location = join(await temporaryDirectory(), 'db')
    await mkdir(location)
    await writeFile(join(location, 'mine.txt'), 'mine')
    const db = await open(location)
    await db.put('a', 1)
    await db.close()
    await destroy(location)
    expect(await readdir(location)).toEqual(['mine.txt'])
  })

  it('removes the directory when nothing else is in it', async () => {
    const directory = await temporaryDirectory()
    const db = await open(join(directory, 'db'))
    await db.close()
    await destroy(join(directory, 'db'))
    expect(await readdir(directory)).toEqual([])
  })
})
