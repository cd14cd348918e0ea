// Lock files on file systems that can less, and the order in which they go.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { publishClaim, removeLockFiles } from '../../src/vfs/lock-files.ts'
import { formatHolder, thisHolder } from '../../src/vfs/lock-holder.ts'
import { temporaryDirectory } from '../support/directory.ts'

const disk = vi.hoisted(() => ({ linkCode: undefined as string | undefined, removed: [] as string[] }))

vi.mock('node:fs', async importOriginal => {
  const original = await importOriginal<typeof import('node:fs')>()
  const linkSync: typeof original.linkSync = (from, to) => {
    if (disk.linkCode !== undefined) throw Object.assign(new Error('no links here'), { code: disk.linkCode })
    original.linkSync(from, to)
  }
  const unlinkSync: typeof original.unlinkSync = path => {
    disk.removed.push(String(path))
    original.unlinkSync(path)
  }
  return { ...original, linkSync, unlinkSync }
})

beforeEach(() => {
  disk.linkCode = undefined
})

// FAT and exFAT; the last is what Node says of them on Windows.
it.each(['EPERM', 'ENOTSUP', 'EISDIR'])(
  'where links fail with %s a lock file is made once all the same',
  async code => {
    const location = await temporaryDirectory()
    disk.linkCode = code
    expect(publishClaim(location, 'LOCK.1', 'first', '00')).toBe(true)
    expect(publishClaim(location, 'LOCK.1', 'second', '01')).toBe(false)
    expect(readFileSync(join(location, 'LOCK.1'), 'utf8')).toBe('first')
  }
)

it("of all lock files the newest goes behind what belongs to others' attempts, and its own socket last", async () => {
  const location = await temporaryDirectory()
  const own = 'LOCK.2.0a.sock'
  const others = ['LOCK.2.0b.sock', 'LOCK.3.0c.sock', 'LOCK.r-0d', 'LOCK.r-0d.0d.sock', 'LOCK.0e.new']
  for (const name of [...others, own, 'LOCK.1']) writeFileSync(join(location, name), '')
  writeFileSync(join(location, 'LOCK.2'), formatHolder(thisHolder('exclusive', 'beside', own)))
  disk.removed = []
  removeLockFiles(location)
  const removed = disk.removed.map(path => path.slice(location.length + 1))
  expect(removed.slice(-3)).toEqual(['LOCK.1', 'LOCK.2', own])
  expect(removed.slice(0, -3).sort()).toEqual(others.sort())
})
