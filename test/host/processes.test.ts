// Clients and owners in real threads and processes, and what is left when one of them is killed.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Client, connect, destroy, open } from '../../src/index.ts'
import { bundleProgram, type Peer, type Program, startProcess, startWorker } from '../support/child.ts'
import { rejection } from '../support/database.ts'
import { temporaryDirectory } from '../support/directory.ts'

let program: Program
beforeAll(async () => {
  program = await bundleProgram(new URL('./client-program.ts', import.meta.url))
})
afterAll(() => program.remove())

/** Who holds the lock, by what the newest lock file says. */
function holderOf(location: string): { readonly pid: number; readonly thread: number; readonly released: boolean } {
  const newest = readdirSync(location)
    .filter(name => /^LOCK\.\d+$/.test(name))
    .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
    .at(-1)
  return JSON.parse(readFileSync(join(location, newest ?? ''), 'utf8'))
}

/** The states that its threads are in, each named once; a signal to stop takes a moment to reach them all. */
function statesOf(pid: number): string[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const states = threads.map(thread => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ')[1]?.[0])
  return [...new Set(states.map(String))]
}

function linesOf(journal: string, word: string): string[] {
  const text = existsSync(journal) ? readFileSync(journal, 'utf8') : ''
  return text.split('\n').filter(line => line.startsWith(word))
}

async function newLocation(): Promise<string> {
  return join(await temporaryDirectory(), 'db')
}

async function connected(location: string, ownerTimeoutMs?: number): Promise<Client<string, number>> {
  const client = await connect<string, number>(location, { ownerTimeoutMs })
  onTestFinished(() => client.close())
  return client
}

async function started(kind: 'process' | 'thread', location: string): Promise<Peer> {
  const peer = kind === 'process' ? startProcess(program) : startWorker(program)
  onTestFinished(() => peer.kill())
  expect(await peer.ask({ do: 'connect', location })).toBe('connected')
  return peer
}

describe('clients of one location', () => {
  it('share one owner, in threads and processes, and the last close has released the lock', async () => {
    const location = await newLocation()
    const first = await connect<string, number>(location)
    const owner = holderOf(location)
    const [second, thread, child] = [
      await connect<string, number>(location),
      await started('thread', location),
      await started('process', location)
    ]
    await first.put('a', 1)
    expect(await second.get('a')).toBe(1)
    expect(holderOf(location)).toEqual(owner)
    expect(owner.pid).toBe(process.pid)
    expect(owner.thread).not.toBe(0)
    await first.close()
    expect(await thread.ask({ do: 'stop' })).toBe('stopped')
    expect(await child.ask({ do: 'stop' })).toBe('stopped')
    expect(await second.get('a')).toBe(1)
    await second.close()
    expect(holderOf(location).released).toBe(true)
    const local = await open<string, number>(location)
    expect(local.get('a')).toBe(1)
    await local.close()
    await destroy(location)
    expect(existsSync(location)).toBe(false)
  })

  it('that come at once start one owner between them', async () => {
    const location = await newLocation()
    const clients = await Promise.all(Array.from({ length: 4 }, () => connected(location)))
    await Promise.all(clients.map((client, i) => client.put(`k${i}`, i)))
    expect(await clients[0]?.count()).toBe(4)
    expect(readdirSync(location).filter(name => name.endsWith('.sock'))).toHaveLength(1)
  })

  it('are refused where another thread has it open, and keep others from opening, destroying, restoring it', async () => {
    const location = await newLocation()
    const local = await open(location)
    const error = await rejection('LIGHTNING_LOCKED', connect(location))
    expect(error.message).toContain(`process ${process.pid}`)
    await local.close()
    await connected(location)
    await rejection('LIGHTNING_LOCKED', open(location))
    await rejection('LIGHTNING_LOCKED', destroy(location))
    await rejection('LIGHTNING_EXISTS', connect(location, { errorIfExists: true }))
  })

  it('that only read share a location with others that only read', async () => {
    const location = await newLocation()
    const writer = await open<string, number>(location)
    await writer.put('a', 1)
    await writer.close()
    const reader = await open<string, number>(location, { readOnly: true })
    const client = await connect<string, number>(location, { readOnly: true })
    expect([reader.get('a'), await client.get('a')]).toEqual([1, 1])
    await rejection('LIGHTNING_READ_ONLY', client.put('a', 2))
    await client.close()
    await reader.close()
  })

  it('cannot be had of what is missing, if it may not be made', async () => {
    const location = await newLocation()
    await rejection('LIGHTNING_NOT_FOUND', connect(location, { createIfMissing: false }))
    await rejection('LIGHTNING_NOT_FOUND', connect(location, { readOnly: true }))
    await rejection('LIGHTNING_INVALID_ARGUMENT', connect(''))
  })
})

describe.each(['process', 'thread'] as const)('a %s that is killed', kind => {
  it('as a client under load leaves nothing behind: locks, transactions, snapshots', async () => {
    const location = await newLocation()
    const client = await connected(location)
    await client.batch(Array.from({ length: 2_000 }, (_, i) => ({ type: 'put', key: `k${i}`, value: i })))
    const peer = await started(kind, location)
    expect(await peer.ask({ do: 'hold', key: 'a' })).toBe('held')
    expect(await peer.ask({ do: 'scan' })).toBe('scanning')
    const waiting = await client.begin()
    const locked = waiting.getForUpdate('a')
    await peer.kill()
    expect(await locked).toBeUndefined()
    await waiting.rollback()
    expect((await client.stats()).snapshots.open).toBe(0)
    expect((await client.verify()).problems).toEqual([])
  })

  it('as the owner is followed by another client, which repeats its reads', async () => {
    const location = await newLocation()
    const peer = await started(kind, location)
    const client = await connected(location)
    await client.put('a', 1)
    const [tx, snapshot, keys] = [await client.begin(), await client.snapshot(), client.keys()]
    await keys.next()
    await tx.put('b', 1)
    const before = holderOf(location)
    const killed = peer.kill()
    const reads = Array.from({ length: 50 }, () => client.get('a'))
    const write = client.put('c', 1).then(
      () => 'made',
      error => error.code
    )
    await killed
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 50 }, () => 1))
    expect(['made', 'LIGHTNING_OWNER_LOST']).toContain(await write)
    await rejection('LIGHTNING_CONFLICT', tx.get('b'))
    await rejection('LIGHTNING_OWNER_LOST', snapshot.get('a'))
    await rejection('LIGHTNING_OWNER_LOST', keys.next())
    expect(await client.has('b')).toBe(false)
    await client.put('d', 1)
    expect(holderOf(location)).not.toEqual(before)
    expect((await client.verify()).problems).toEqual([])
  })
})

describe('owners that are killed one after the other', () => {
  it('lose nothing that was acknowledged to three client processes, and make nothing twice', {
    timeout: 120_000
  }, async () => {
    const location = await newLocation()
    const folder = await temporaryDirectory()
    const journals: string[] = []
    const peers = new Map<number, Peer>()
    const addPeer = async (): Promise<void> => {
      const peer = await started('process', location)
      const journal = join(folder, `${journals.length}`)
      journals.push(journal)
      peers.set(peer.pid, peer)
      expect(await peer.ask({ do: 'count', name: `n${journals.length - 1}`, journal })).toBe('counting')
    }
    for (let i = 0; i < 3; i++) await addPeer()
    // From outside: a client here could become the owner itself.
    const done = (): number => journals.reduce((sum, journal) => sum + linesOf(journal, 'done').length, 0)
    for (let kill = 0; kill < 10; kill++) {
      // Everybody gets on with the new owner before it is killed in its turn.
      const seen = done()
      await vi.waitUntil(() => done() > seen + 20, { timeout: 60_000, interval: 5 })
      const owner = peers.get(holderOf(location).pid)
      if (owner === undefined) throw new Error('a stranger owns the database')
      await owner.kill()
      peers.delete(owner.pid)
      await addPeer()
    }
    for (const peer of peers.values()) expect(await peer.ask({ do: 'stop' })).toBe('stopped')
    const watcher = await connected(location)
    let total = 0
    for (const [i, journal] of journals.entries()) {
      expect(linesOf(journal, 'failed')).toEqual([])
      const counted = (await watcher.get(`n${i}`)) ?? 0
      expect(counted).toBeGreaterThanOrEqual(linesOf(journal, 'done').length)
      expect(counted).toBeLessThanOrEqual(linesOf(journal, 'begun').length)
      total += counted
    }
    expect(await watcher.get('all')).toBe(total)
    expect((await watcher.verify()).problems).toEqual([])
  })
})

describe('a client that is busy while it connects', () => {
  it('does not take the owner for silent, which has answered meanwhile', async () => {
    const location = await newLocation()
    await started('process', location)
    const timeoutMs = 100
    for (let turns = 0; turns < 12; turns++) {
      const connecting = connect<string, number>(location, { ownerTimeoutMs: timeoutMs })
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
      const start = performance.now()
      while (performance.now() < start + 2 * timeoutMs);
      await (await connecting).close()
    }
  })
})

describe('an owner that is stopped', () => {
  it('makes calls and connections reject within their bound, and is used again when it goes on', async () => {
    const location = await newLocation()
    const peer = await started('process', location)
    const client = await connected(location, 400)
    await client.put('a', 1)
    process.kill(peer.pid, 'SIGSTOP')
    await vi.waitFor(() => expect(statesOf(peer.pid)).toEqual(['T']))
    try {
      const pending = [client.get('a'), client.put('b', 1), client.begin()]
      const outcomes = await Promise.allSettled(pending)
      for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'LIGHTNING_OWNER_LOST' } })
      const error = await rejection('LIGHTNING_LOCKED', connect(location, { ownerTimeoutMs: 100 }))
      expect(error.message).toContain(`process ${peer.pid}`)
    } finally {
      process.kill(peer.pid, 'SIGCONT')
    }
    const patient = await connected(location)
    expect(await patient.get('a')).toBe(1)
  })
})
