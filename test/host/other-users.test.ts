// Whoever may connect may read and write everything: the socket of an owner is for its own user.
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { bundleProgram, type Peer, type Program, startProcess, startUnprivilegedProcess } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'

const isRoot = process.getuid?.() === 0

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./client-program.ts', import.meta.url))
})
afterAll(() => program.remove())

/** A process that owns a database, and where its socket is. It hides nothing it makes, as with the loosest `umask`. */
async function carelessOwner(): Promise<{ readonly location: string; readonly socket: string }> {
  const parent = await temporaryDirectory()
  chmodSync(parent, 0o755)
  const location = join(parent, 'db')
  const owner = ended(startProcess(program))
  expect(await owner.ask({ do: 'mask', mask: 0 })).toBe('masked')
  expect(await owner.ask({ do: 'connect', location })).toBe('connected')
  const [name = ''] = readdirSync(location).filter(each => each.endsWith('.sock'))
  return { location, socket: join(location, name) }
}

function ended(peer: Peer): Peer {
  onTestFinished(() => peer.kill())
  return peer
}

describe.skipIf(process.platform === 'win32')('the socket of an owner', () => {
  it('is open to its own user only, whatever the umask', async () => {
    const { location, socket } = await carelessOwner()
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    expect(statSync(join(location, 'data.ldb')).mode & 0o777).toBe(0o666)
    const peer = ended(startProcess(program))
    expect(await peer.ask({ do: 'visit', socket })).toBe('let in')
  })

  // Only root can run a process of somebody else.
  it.skipIf(!isRoot)('lets no other user in, who is told at once that the database is held', async () => {
    const { location, socket } = await carelessOwner()
    const stranger = ended(startUnprivilegedProcess(program))
    expect(await stranger.ask({ do: 'visit', socket })).toBe('EACCES')
    // Longer than any test may take: nothing is waited for.
    const refused = await stranger.ask({ do: 'connect', location, ownerTimeoutMs: 600_000 })
    expect(refused).toMatchObject({
      code: 'LIGHTNING_LOCKED',
      failed: expect.stringContaining('cannot be seen from here')
    })
  })
})
