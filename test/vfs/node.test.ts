import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeVfs } from '../../src/vfs/node.ts'
import { openNodeFile } from '../../src/vfs/node-file.ts'
import { systemError } from '../../src/vfs/system-error.ts'
import { temporaryDirectory } from '../support/directory.ts'

describe('a directory as a Vfs', () => {
  it('is named by its absolute path', () => {
    expect(nodeVfs('some/where').location).toBe(resolve('some/where'))
    expect(nodeVfs(relative('.', '/a')).location).toBe('/a')
  })

  it('is made with all its parents', async () => {
    const location = join(await temporaryDirectory(), 'a', 'b', 'c')
    expect(await nodeVfs(location).prepare({ create: true })).toBe(false)
    expect(existsSync(location)).toBe(true)
  })

  it('is refused where a file is, or below one', async () => {
    const parent = await temporaryDirectory()
    writeFileSync(join(parent, 'file'), '')
    const vfs = nodeVfs(join(parent, 'file'))
    await expect(vfs.prepare({ create: true })).rejects.toMatchObject({ code: 'LIGHTNING_INVALID_ARGUMENT' })
    const below = nodeVfs(join(parent, 'file', 'db'))
    await expect(below.prepare({ create: true })).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
  })

  it('says what to do when a directory has the name of a file', async () => {
    const location = await temporaryDirectory()
    mkdirSync(join(location, 'data.ldb'))
    await expect(nodeVfs(location).open('data.ldb', { create: true })).rejects.toMatchObject({
      code: 'LIGHTNING_IO',
      message: expect.stringContaining('Move the directory')
    })
  })

  it('has no files and nothing to remove while it is missing', async () => {
    const vfs = nodeVfs(join(await temporaryDirectory(), 'missing'))
    expect(await vfs.list()).toEqual([])
    expect(await vfs.exists('data.ldb')).toBe(false)
    await vfs.removeAll()
    await expect(vfs.open('data.ldb', { create: true })).rejects.toMatchObject({ code: 'LIGHTNING_NOT_FOUND' })
  })

  it('goes with its database, and the next one can begin there before the lock of the last is released', async () => {
    const location = join(await temporaryDirectory(), 'db')
    const vfs = nodeVfs(location)
    await vfs.prepare({ create: true })
    const lock = await vfs.lock('exclusive')
    await vfs.removeAll()
    expect(existsSync(location)).toBe(false)
    await vfs.prepare({ create: true })
    const next = await vfs.lock('exclusive')
    expect(lock.ours()).toBe(false)
    await lock.release()
    expect(next.ours()).toBe(true)
    await next.release()
  })

  it('keeps directories and others’ files when the database goes', async () => {
    const location = await temporaryDirectory()
    const vfs = nodeVfs(location)
    mkdirSync(join(location, 'sub.ldb'))
    writeFileSync(join(location, 'LOCKSMITH'), '')
    writeFileSync(join(location, 'data.ldb'), '')
    const lock = await vfs.lock('exclusive')
    await vfs.removeAll()
    await lock.release()
    expect(readdirSync(location).sort()).toEqual(['LOCKSMITH', 'sub.ldb'])
  })

  it('keeps the names of the lock for the lock', async () => {
    const vfs = nodeVfs(await temporaryDirectory())
    const bug = expect.objectContaining({ name: 'InternalError' })
    await expect(vfs.open('LOCK.1', { create: true })).rejects.toEqual(bug)
    await expect(vfs.remove('LOCK.7.0123456789ab.sock')).rejects.toEqual(bug)
  })
})

// Devices of the system fail when they are told to: /dev/full has no room, and neither can be synced.
describe.runIf(existsSync('/dev/full'))('an open file', () => {
  it('reports a full disk', () => {
    const file = openNodeFile('full', '/dev/full', {})
    expect(() => file.writeAt(Uint8Array.of(1), 0)).toThrow(
      expect.objectContaining({ code: 'LIGHTNING_DISK_FULL', file: '/dev/full' })
    )
    file.close()
  })

  it('syncs no more once a sync has failed, on this thread or off it', async () => {
    const first = openNodeFile('full', '/dev/full', {})
    let failure: unknown
    try {
      first.sync()
    } catch (error) {
      failure = error
    }
    expect(failure).toMatchObject({ code: 'LIGHTNING_IO', cause: { code: 'EINVAL' } })
    await expect(first.syncAsync()).rejects.toBe(failure)
    first.close()

    const second = openNodeFile('full', '/dev/full', {})
    const results = await Promise.allSettled([second.syncAsync(), second.syncAsync(), second.syncAsync()])
    const reasons = results.map(result => (result.status === 'rejected' ? result.reason : undefined))
    expect(reasons[0]).toMatchObject({ code: 'LIGHTNING_IO' })
    expect(new Set(reasons).size).toBe(1)
    expect(() => second.sync()).toThrow(expect.objectContaining({ code: 'LIGHTNING_IO' }))
    second.close()
  })

  it('refuses a sync that a close overtakes before it began', async () => {
    const file = openNodeFile('data.ldb', join(await temporaryDirectory(), 'data.ldb'), { create: true })
    const syncs = [file.syncAsync(), file.syncAsync()]
    file.close()
    const [running, queued] = await Promise.allSettled(syncs)
    expect(running?.status).toBe('fulfilled')
    expect(queued).toMatchObject({ status: 'rejected', reason: { code: 'LIGHTNING_CLOSED' } })
  })
})

describe('what the system reports', () => {
  it.each([
    ['ENOENT', 'LIGHTNING_NOT_FOUND'],
    ['EEXIST', 'LIGHTNING_EXISTS'],
    ['EACCES', 'LIGHTNING_PERMISSION'],
    ['EPERM', 'LIGHTNING_PERMISSION'],
    ['EROFS', 'LIGHTNING_READ_ONLY'],
    ['ENOSPC', 'LIGHTNING_DISK_FULL'],
    ['EDQUOT', 'LIGHTNING_DISK_FULL'],
    ['EMFILE', 'LIGHTNING_IO'],
    ['EIO', 'LIGHTNING_IO'],
    ['constructor', 'LIGHTNING_IO']
  ])('as %s is %s, with the path and the cause', (system, code) => {
    const cause = Object.assign(new Error('failed'), { code: system })
    const error = systemError(cause, 'open', '/db/data.ldb')
    expect(error).toMatchObject({ code, cause, file: '/db/data.ldb' })
    expect(error.message).toMatch(/^Cannot open \/db\/data\.ldb: .+ \(\w+\)\. .+\.$/)
    expect(systemError(error, 'read', 'elsewhere')).toBe(error)
  })
})
