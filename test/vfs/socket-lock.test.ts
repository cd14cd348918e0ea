import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { takeSocketLock } from '../../src/vfs/socket-lock.ts'
import {
  bundleProgram,
  type Peer,
  type Program,
  startProcess,
  startUnprivilegedProcess,
  startWorker
} from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import type { Request } from './lock-program.ts'

let program: Program

beforeAll(async () => {
  program = await bundleProgram(new URL('./lock-program.ts', import.meta.url))
})

afterAll(() => program.remove())

type Start = (program: Program) => Peer
const kinds: [string, Start][] = [
  ['process', startProcess],
  ['worker', startWorker]
]

function start(how: Start = startProcess): { peer: Peer; ask(request: Request): Promise<unknown> } {
  const peer = how(program)
  onTestFinished(() => peer.kill())
  return { peer, ask: request => peer.ask(request) }
}

const held = { held: true }
const refused = expect.objectContaining({ held: false, code: 'LIGHTNING_LOCKED' })

describe('the lock of a directory', () => {
  it('names the holder to a second opener of the same thread', async () => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    const second = takeSocketLock(location, 'exclusive')
    await expect(second).rejects.toMatchObject({
      code: 'LIGHTNING_LOCKED',
      message: expect.stringMatching(
        new RegExp(`open for writing in process ${process.pid} \\(.*thread.*\\) on .*since 20`)
      )
    })
    await lock.release()
  })

  it('is given to one of several openers in one thread that come at once', async () => {
    const location = await temporaryDirectory()
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => takeSocketLock(location, 'exclusive')))
      const won = results.filter(result => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      await Promise.all(won.map(result => result.value.release()))
    }
  })

  it.each(kinds)('is refused to a %s while we hold it, and given afterwards', async (_, how) => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    const { ask } = start(how)
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(refused)
    expect(await ask({ do: 'lock', location, kind: 'shared' })).toEqual(refused)
    await lock.release()
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
    expect(await ask({ do: 'release' })).toBe('released')
  })

  it.each(kinds)('of a %s that is killed is free', async (_, how) => {
    const location = await temporaryDirectory()
    for (const kind of ['exclusive', 'shared'] as const) {
      const { peer, ask } = start(how)
      expect(await ask({ do: 'lock', location, kind })).toEqual(held)
      await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({
        code: 'LIGHTNING_LOCKED',
        message: expect.stringContaining(`process ${peer.pid}`)
      })
      await peer.kill()
      const lock = await takeSocketLock(location, 'exclusive')
      expect(lock.ours()).toBe(true)
      await lock.release()
    }
  })

  it.each(kinds)('of a busy %s is held, also after more questions than its queue takes', async (_, how) => {
    const location = await temporaryDirectory()
    const { peer, ask } = start(how)
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
    expect(await ask({ do: 'block' })).toBe('blocked')
    for (let group = 0; group < 10; group++) {
      const questions = Array.from({ length: 60 }, () => takeSocketLock(location, 'exclusive'))
      const codes = await Promise.all(
        questions.map(question =>
          question.then(
            () => 'taken',
            error => error.code
          )
        )
      )
      expect(new Set(codes)).toEqual(new Set(['LIGHTNING_LOCKED']))
    }
    await peer.kill()
    await (await takeSocketLock(location, 'exclusive')).release()
  })

  it('does not keep a process running', async () => {
    const location = await temporaryDirectory()
    const { peer, ask } = start()
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
    peer.tell({ do: 'leave' } satisfies Request)
    expect(await peer.ended).toBe(0)
    await (await takeSocketLock(location, 'exclusive')).release()
  })

  it('is won by exactly one of eight processes that find a killed holder', async () => {
    const location = await temporaryDirectory()
    const racers = Array.from({ length: 8 }, () => start())
    for (let round = 0; round < 4; round++) {
      const holder = start()
      expect(await holder.ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
      await holder.peer.kill()
      const results = await Promise.all(racers.map(racer => racer.ask({ do: 'lock', location, kind: 'exclusive' })))
      const winners = racers.filter((_, index) => (results[index] as { held: boolean }).held)
      expect(winners).toHaveLength(1)
      expect(await winners[0]?.ask({ do: 'ours' })).toBe(true)
      expect(await winners[0]?.ask({ do: 'release' })).toBe('released')
    }
  })

  it.each([
    ['eight writers', 8, 60],
    ['four readers and four writers', 4, 100]
  ])('never lets two meet that must not: %s, each a process that takes and leaves it', async (_, writers, rounds) => {
    const location = await temporaryDirectory()
    const racers = Array.from({ length: 8 }, () => start())
    const asked = racers.map((racer, index) => {
      return racer.ask({ do: 'race', location, kind: index < writers ? 'exclusive' : 'shared', rounds })
    })
    const counts = (await Promise.all(asked)) as { won: number; clashes: number }[]
    expect(counts.reduce((sum, { clashes }) => sum + clashes, 0)).toBe(0)
    expect(counts.reduce((sum, { won }) => sum + won, 0)).toBeGreaterThan(8)
    await (await takeSocketLock(location, 'exclusive')).release()
  })

  it('works below a path of 300 bytes', async () => {
    const location = join(await temporaryDirectory(), 'a'.repeat(150), 'ü'.repeat(75))
    mkdirSync(location, { recursive: true })
    const lock = await takeSocketLock(location, 'exclusive')
    const { peer, ask } = start()
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(refused)
    await lock.release()
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
    await expect(takeSocketLock(location, 'shared')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    await peer.kill()
    await (await takeSocketLock(location, 'shared')).release()
  })

  it('does not confuse long paths that begin alike', async () => {
    const parent = join(await temporaryDirectory(), 'a'.repeat(200))
    const locations = [join(parent, 'one'), join(parent, 'two')]
    const locks = []
    for (const location of locations) {
      mkdirSync(location, { recursive: true })
      locks.push(await takeSocketLock(location, 'exclusive'))
    }
    expect(locks.map(lock => lock.ours())).toEqual([true, true])
    for (const lock of locks) await lock.release()
  })

  it('leaves one small file behind, however often it was taken and its holders died', async () => {
    const location = await temporaryDirectory()
    for (let round = 0; round < 3; round++) {
      const { peer, ask } = start()
      expect(await ask({ do: 'lock', location, kind: round === 1 ? 'shared' : 'exclusive' })).toEqual(held)
      await peer.kill()
    }
    writeFileSync(join(location, 'LOCK.0123456789ab.new'), 'unfinished')
    const lock = await takeSocketLock(location, 'exclusive')
    expect(readdirSync(location).sort()).toEqual(['LOCK.3', expect.stringMatching(/^LOCK\.3\.[\da-f]+\.sock$/)])
    await lock.release()
    expect(readdirSync(location)).toEqual(['LOCK.3'])
    const next = await takeSocketLock(location, 'shared')
    await next.release()
    expect(readdirSync(location)).toEqual(['LOCK.3'])
  })

  it('fails as not found where there is no directory', async () => {
    const location = join(await temporaryDirectory(), 'missing')
    for (const kind of ['exclusive', 'shared'] as const) {
      await expect(takeSocketLock(location, kind)).rejects.toMatchObject({ code: 'LIGHTNING_NOT_FOUND' })
    }
  })
})

describe('readers', () => {
  it('share with other processes and keep a writer out until the last has left', async () => {
    const location = await temporaryDirectory()
    const [first, second] = [start(), start()]
    expect(await first.ask({ do: 'lock', location, kind: 'shared' })).toEqual(held)
    expect(await second.ask({ do: 'lock', location, kind: 'shared' })).toEqual(held)
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({
      code: 'LIGHTNING_LOCKED',
      message: expect.stringContaining('open for reading')
    })
    expect(await first.ask({ do: 'release' })).toBe('released')
    await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
    await second.peer.kill()
    await (await takeSocketLock(location, 'exclusive')).release()
  })

  it('and writers that come at once never meet', async () => {
    const location = await temporaryDirectory()
    for (let round = 0; round < 30; round++) {
      const kinds = ['shared', 'exclusive', 'shared', 'exclusive'] as const
      const results = await Promise.allSettled(kinds.map(kind => takeSocketLock(location, kind)))
      const locks = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      const writers = locks.filter(lock => lock.kind === 'exclusive').length
      expect(writers === 0 || (writers === 1 && locks.length === 1)).toBe(true)
      expect(locks.length).toBeGreaterThan(0)
      for (const lock of locks) await lock.release()
    }
  })
})

describe.skipIf(process.platform === 'win32')('in a directory that a process must not write to', () => {
  it('it cannot be the writer, and reads unless somebody writes', async () => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    chmodSync(location, 0o555)
    onTestFinished(() => chmodSync(location, 0o755))
    const { ask } = start(startUnprivilegedProcess)
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(refused)
    expect(await ask({ do: 'lock', location, kind: 'shared' })).toEqual(refused)
    chmodSync(location, 0o755)
    await lock.release()
    chmodSync(location, 0o555)
    const denied = expect.objectContaining({ held: false, code: 'LIGHTNING_PERMISSION' })
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(denied)
    expect(await ask({ do: 'lock', location, kind: 'shared' })).toEqual(held)
    expect(await ask({ do: 'ours' })).toBe(true)
    expect(readdirSync(location)).toEqual(['LOCK.1'])
  })

  it('it learns that a writer has come since', async () => {
    const location = await temporaryDirectory()
    chmodSync(location, 0o555)
    onTestFinished(() => chmodSync(location, 0o755))
    const { ask } = start(startUnprivilegedProcess)
    expect(await ask({ do: 'lock', location, kind: 'shared' })).toEqual(held)
    chmodSync(location, 0o755)
    const lock = await takeSocketLock(location, 'exclusive')
    expect(await ask({ do: 'ours' })).toBe(false)
    await lock.release()
    expect(await ask({ do: 'ours' })).toBe(false)
  })
})

describe('what stands in a lock file', () => {
  const garbage: [string, string | Buffer][] = [
    ['nothing', ''],
    ['no text', Buffer.from([0xff, 0, 0xfe, 0x80])],
    ['half of it', '{"kind":"exclusive","pid":'],
    ['other JSON', '[null]'],
    ['megabytes', Buffer.alloc(3_000_000, 'x')]
  ]

  it.each(garbage)('is %s: stops nobody when the holder is gone', async (_, bytes) => {
    const location = await temporaryDirectory()
    const { peer, ask } = start()
    expect(await ask({ do: 'lock', location, kind: 'exclusive' })).toEqual(held)
    await peer.kill()
    writeFileSync(join(location, 'LOCK.1'), bytes)
    writeFileSync(join(location, 'LOCK.r-0123456789ab'), bytes)
    await (await takeSocketLock(location, 'shared')).release()
    const lock = await takeSocketLock(location, 'exclusive')
    expect(lock.ours()).toBe(true)
    await lock.release()
  })

  it.each(garbage)('is %s: a living holder still keeps others out', async (_, bytes) => {
    const location = await temporaryDirectory()
    for (const kind of ['exclusive', 'shared'] as const) {
      const lock = await takeSocketLock(location, kind)
      const name = readdirSync(location).find(
        file => !file.endsWith('.sock') && file.includes(kind === 'shared' ? 'r-' : 'LOCK')
      )
      writeFileSync(join(location, name ?? ''), bytes)
      await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
      await lock.release()
    }
  })

  it('stops nobody when it is well-formed and names a socket that is not its own', async () => {
    const [location, other] = [await temporaryDirectory(), await temporaryDirectory()]
    const lock = await takeSocketLock(other, 'exclusive')
    const text = JSON.parse(readFileSync(join(other, 'LOCK.1'), 'utf8'))
    for (const [generation, change] of [
      { directory: other, place: 'temporary', socket: text.socket.replace('LOCK.1', 'LOCK.9') },
      { directory: '/x\0y', place: 'temporary' },
      { directory: `/${'long/'.repeat(60)}`, place: 'temporary' },
      { directory: `/${'long'.repeat(100)}`, place: 'temporary' },
      { socket: '../../x' },
      { socket: 'LOCK.1.'.padEnd(2000, '0') },
      {}
    ].entries()) {
      writeFileSync(join(location, `LOCK.${generation + 1}`), JSON.stringify({ ...text, ...change }))
      await (await takeSocketLock(location, 'shared')).release()
    }
    await (await takeSocketLock(location, 'exclusive')).release()
    await lock.release()
  })

  it('stops nobody when it is a directory', async () => {
    const location = await temporaryDirectory()
    mkdirSync(join(location, 'LOCK.1'))
    const lock = await takeSocketLock(location, 'exclusive')
    expect(lock.ours()).toBe(true)
    await lock.release()
  })
})

it('there is no lock behind a lock file of the highest number, which says so, until it is removed', async () => {
  const location = await temporaryDirectory()
  const path = join(location, 'LOCK.999999999999999')
  writeFileSync(path, '')
  await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({
    code: 'LIGHTNING_LOCKED',
    file: path,
    message: expect.stringContaining('remove that file')
  })
  expect(readdirSync(location)).toEqual(['LOCK.999999999999999'])
  await (await takeSocketLock(location, 'shared')).release()
  rmSync(path)
  const lock = await takeSocketLock(location, 'exclusive')
  await expect(takeSocketLock(location, 'exclusive')).rejects.toMatchObject({ code: 'LIGHTNING_LOCKED' })
  await lock.release()
})

describe('an owner whose lock files are removed by hand', () => {
  it('learns that the lock is no longer its own, for good', async () => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    for (const name of readdirSync(location)) rmSync(join(location, name))
    const usurper = await takeSocketLock(location, 'exclusive')
    expect(lock.ours()).toBe(false)
    expect(usurper.ours()).toBe(true)
    await lock.release()
    expect(usurper.ours()).toBe(true)
    await usurper.release()
    expect(lock.ours()).toBe(false)
  })

  it('keeps it when a file was only touched', async () => {
    const location = await temporaryDirectory()
    const lock = await takeSocketLock(location, 'exclusive')
    const path = join(location, 'LOCK.1')
    const text = readFileSync(path)
    rmSync(path)
    writeFileSync(path, text)
    expect(lock.ours()).toBe(true)
    writeFileSync(path, 'scribble')
    expect(lock.ours()).toBe(false)
    await lock.release()
    expect(existsSync(path)).toBe(true)
  })
})
