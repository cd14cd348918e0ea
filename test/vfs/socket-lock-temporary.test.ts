import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { takeSocketLock } from '../../src/vfs/socket-lock.ts'
import { temporaryDirectory } from '../support/directory.ts'

// Many file systems (shared folders of virtual machines, FAT) take no sockets: those are among the temporary files then.

vi.mock('../../src/vfs/liveness-socket.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../src/vfs/liveness-socket.ts')>()
  const listenForLiveness: typeof original.listenForLiveness = async (directory, name) => {
    if (directory.endsWith('no-sockets')) throw Object.assign(new Error('not supported'), { code: 'ENOTSUP' })
    return await original.listenForLiveness(directory, name)
  }
  return { ...original, listenForLiveness }
})

async function place(): Promise<{ location: string; temporary: string }> {
  const parent = await temporaryDirectory()
  const [location, temporary] = [join(parent, 'no-sockets'), join(parent, 'tmp')]
  mkdirSync(location)
  mkdirSync(temporary)
  vi.stubEnv('TMPDIR', temporary)
  onTestFinished(() => void vi.unstubAllEnvs())
  return { location, temporary }
}

const locked = { code: 'LIGHTNING_LOCKED' }

it.runIf(process.platform !== 'win32').each(['exclusive', 'shared'] as const)(
  'keeps a writer out while it is held (%s), and nothing among the temporary files afterwards',
  async kind => {
    const { location, temporary } = await place()
    const lock = await takeSocketLock(location, kind)
    expect(readdirSync(location)).toHaveLength(1)
    expect(readdirSync(temporary)).toHaveLength(1)
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject(locked)
    writeFileSync(join(location, readdirSync(location)[0] ?? ''), randomBytes(100))
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject(locked)
    await lock.release()
    await (await takeSocketLock(location, 'exclusive')).release()
    expect(readdirSync(temporary)).toEqual([])
  }
)

it.runIf(process.platform !== 'win32')('clears what dead holders left among the temporary files', async () => {
  const { location, temporary } = await place()
  const other = await takeSocketLock(location, 'exclusive')
  const own = readdirSync(temporary)[0] ?? ''
  await other.release()
  const dead = own.replace(/LOCK.*/, 'LOCK.1.0123456789ab.sock')
  const anothers = `lightning-${'0'.repeat(16)}-LOCK.1.0123456789ab.sock`
  for (const name of [dead, anothers]) writeFileSync(join(temporary, name), '')
  const lock = await takeSocketLock(location, 'exclusive')
  expect(readdirSync(temporary)).toHaveLength(2)
  await lock.release()
  expect(readdirSync(temporary)).toEqual([anothers])
})

it.runIf(process.platform !== 'win32')('is taken for held where the temporary files are not the holder’s', async () => {
  const { location } = await place()
  const lock = await takeSocketLock(location, 'exclusive')
  const path = join(location, 'LOCK.1')
  const holder = JSON.parse(readFileSync(path, 'utf8'))
  await lock.release()
  const elsewhere = { ...holder, directoryId: '0:0', socket: holder.socket.replace(/\.[\da-f]+\.sock/, '.00.sock') }
  writeFileSync(path, JSON.stringify(elsewhere))
  await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({
    ...locked,
    message: expect.stringContaining(`only if it is gone for certain, remove ${path}`)
  })
  writeFileSync(path, JSON.stringify({ ...elsewhere, boot: 'another' }))
  await (await takeSocketLock(location, 'exclusive')).release()
})
