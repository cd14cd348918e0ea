// Sockets where the system does not let them be as they should.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { listenForLiveness, probeLiveness } from '../../src/vfs/liveness-socket.ts'
import { takeSocketLock } from '../../src/vfs/socket-lock.ts'
import { temporaryDirectory } from '../support/directory.ts'

const system = vi.hoisted(() => ({ takesModes: true, showsDescriptors: true }))

vi.mock('node:fs', async importOriginal => {
  const original = await importOriginal<typeof import('node:fs')>()
  const chmodSync: typeof original.chmodSync = (path, mode) => {
    if (!system.takesModes) throw Object.assign(new Error('no modes here'), { code: 'EPERM' })
    original.chmodSync(path, mode)
  }
  const existsSync: typeof original.existsSync = path => {
    return (system.showsDescriptors || !String(path).startsWith('/proc/')) && original.existsSync(path)
  }
  return { ...original, chmodSync, existsSync }
})

const name = 'LOCK.1.0123456789ab.sock'

it.skipIf(process.platform === 'win32')('a socket that cannot be closed to other users is not kept open', async () => {
  const directory = await temporaryDirectory()
  system.takesModes = false
  onTestFinished(() => {
    system.takesModes = true
  })
  const pipes = openServers()
  const listening = listenForLiveness(directory, name, socket => socket.destroy())
  await expect(listening).rejects.toMatchObject({ code: 'LIGHTNING_PERMISSION' })
  expect(readdirSync(directory)).toEqual([])
  await new Promise(resolve => setImmediate(resolve))
  expect(openServers()).toBe(pipes)
})

// macOS, and Linux without /proc, where a long path is reached through a link among the temporary files.
it.skipIf(process.platform === 'win32')(
  'that a path is too long for us says nothing of who listens there',
  async () => {
    const parent = await temporaryDirectory()
    const location = join(parent, 'd'.repeat(120))
    const longTemporary = join(parent, 't'.repeat(90))
    for (const path of [location, longTemporary]) mkdirSync(path)
    system.showsDescriptors = false
    onTestFinished(() => {
      system.showsDescriptors = true
      vi.unstubAllEnvs()
    })
    const lock = await takeSocketLock(location, 'exclusive')
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    vi.stubEnv('TMPDIR', longTemporary)
    const tooLong = { code: 'LIGHTNING_IO', message: expect.stringContaining('TMPDIR') }
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject(tooLong)
    await expect(probeLiveness(location, name)).rejects.toMatchObject(tooLong)
    expect(lock.ours()).toBe(true)
    await lock.release()
  }
)

it.skipIf(process.platform === 'win32')(
  'a socket that refuses is a death where the system refuses nothing else',
  async () => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    const socket = readdirSync(location).find(file => file.endsWith('.sock')) ?? ''
    await leaveDeadSocket(location, socket)
    const platform = process.platform
    onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }))
    // As if this process were busy with other visitors.
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    expect(await probeLiveness(location, socket)).toBe('refused')
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({
      code: 'LIGHTNING_LOCKED',
      message: expect.stringContaining('only if it is gone for certain')
    })
    const path = join(location, 'LOCK.1')
    const claim = readFileSync(path, 'utf8')
    writeFileSync(path, claim.replace(`"pid":${process.pid}`, `"pid":${endedProcess()}`))
    await (await takeSocketLock(location, 'exclusive')).release()
    Object.defineProperty(process, 'platform', { value: 'linux' })
    writeFileSync(join(location, 'LOCK.3'), claim.replace('LOCK.1', 'LOCK.3'))
    await leaveDeadSocket(location, socket.replace('LOCK.1', 'LOCK.3'))
    await (await takeSocketLock(location, 'exclusive')).release()
    await lock.release()
  }
)

/** A socket's file without a listener, as a killed process leaves it. */
async function leaveDeadSocket(directory: string, file: string): Promise<void> {
  const socket = await listenForLiveness(directory, 'other')
  renameSync(join(directory, 'other'), join(directory, file))
  await socket.close()
}

/** The number of a process that is gone. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid
}

function openServers(): number {
  return process.getActiveResourcesInfo().filter(resource => resource === 'PipeServerWrap').length
}
