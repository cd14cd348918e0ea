import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { nodeVfs } from '../../src/vfs/node.ts'
import { takeSocketLock } from '../../src/vfs/socket-lock.ts'
import type { VfsLock, VfsLockKind } from '../../src/vfs/vfs.ts'
import { temporaryDirectory } from '../support/directory.ts'

// What others may do at the worst moments of taking the lock: after looking at what is there, before being seen; without
// a socket yet, or with one.

type Action = ((directory: string) => Promise<void>) | undefined
const moment = vi.hoisted(() => ({ looked: undefined as Action, listening: undefined as Action }))

vi.mock('../../src/vfs/lock-standing.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../src/vfs/lock-standing.ts')>()
  const announce: typeof original.announce = async (directory, ...rest) => {
    const action = moment.looked
    moment.looked = undefined
    await action?.(directory)
    const presence = await original.announce(directory, ...rest)
    const later = moment.listening
    moment.listening = undefined
    await later?.(directory)
    return presence
  }
  return { ...original, announce }
})

/** Takes the lock while `action` happens once between looking and being seen. */
async function takeWhile(location: string, kind: VfsLockKind, action: () => Promise<void>): Promise<VfsLock> {
  moment.looked = action
  const lock = await takeSocketLock(location, kind)
  expect(moment.looked).toBe(undefined)
  return lock
}

async function takeAndLeave(location: string, kind: VfsLockKind = 'exclusive'): Promise<void> {
  await (await takeSocketLock(location, kind)).release()
}

const locked = { code: 'LIGHTNING_LOCKED' }

describe.each([0, 1, 2])('after %i earlier holders, between looking and being seen', earlier => {
  async function location(): Promise<string> {
    const path = await temporaryDirectory()
    for (let count = 0; count < earlier; count++) await takeAndLeave(path)
    return path
  }

  it.each(['exclusive', 'shared'] as const)('a writer comes: %s is refused', async kind => {
    const path = await location()
    let writer: VfsLock | undefined
    const attempt = takeWhile(path, kind, async () => {
      writer = await takeSocketLock(path, 'exclusive')
    })
    await expect(attempt).rejects.toMatchObject(locked)
    expect(writer?.ours()).toBe(true)
    await writer?.release()
    await takeAndLeave(path)
  })

  it.each(['exclusive', 'shared'] as const)('writers come and go, the last stays: %s is refused', async kind => {
    const path = await location()
    let writer: VfsLock | undefined
    const attempt = takeWhile(path, kind, async () => {
      await takeAndLeave(path)
      await takeAndLeave(path)
      writer = await takeSocketLock(path, 'exclusive')
    })
    await expect(attempt).rejects.toMatchObject(locked)
    expect(writer?.ours()).toBe(true)
    expect(readdirSync(path)).toHaveLength(2)
    await writer?.release()
    await takeAndLeave(path)
  })

  it.each(['exclusive', 'shared'] as const)('writers come and go: %s is granted', async kind => {
    const path = await location()
    const lock = await takeWhile(path, kind, async () => {
      await takeAndLeave(path)
      await takeAndLeave(path)
    })
    expect(lock.ours()).toBe(true)
    await expect(takeSocketLock(path, 'exclusive')).rejects.toMatchObject(locked)
    await lock.release()
    await takeAndLeave(path)
  })

  it('a reader comes: a writer is refused, and in nobody’s way afterwards', async () => {
    const path = await location()
    let reader: VfsLock | undefined
    const attempt = takeWhile(path, 'exclusive', async () => {
      reader = await takeSocketLock(path, 'shared')
    })
    await expect(attempt).rejects.toMatchObject(locked)
    expect(reader?.ours()).toBe(true)
    await takeAndLeave(path, 'shared')
    await reader?.release()
    await takeAndLeave(path)
  })
})

describe.each(['exclusive', 'shared'] as const)('while somebody who listens already is about to be seen (%s)', kind => {
  it('a whole database comes and goes with its lock files: the lock that is granted keeps others out', async () => {
    const path = await temporaryDirectory()
    // So that the directory stays.
    writeFileSync(join(path, 'notes'), '')
    moment.listening = async () => {
      const owner = await takeSocketLock(path, 'exclusive')
      await nodeVfs(path).removeAll()
      await owner.release()
    }
    const lock = await takeSocketLock(path, kind)
    expect(moment.listening).toBe(undefined)
    await expect(takeSocketLock(path, 'exclusive')).rejects.toMatchObject(locked)
    expect(lock.ours()).toBe(true)
    await lock.release()
    await takeAndLeave(path)
  })

  it('a writer comes, clears away what others left, and goes: the lock that is granted keeps others out', async () => {
    const path = await temporaryDirectory()
    await takeAndLeave(path)
    moment.listening = () => takeAndLeave(path)
    const lock = await takeSocketLock(path, kind)
    await expect(takeSocketLock(path, 'exclusive')).rejects.toMatchObject(locked)
    await lock.release()
    await takeAndLeave(path)
  })
})
