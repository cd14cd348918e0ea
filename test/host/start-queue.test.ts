// Clients that find no owner at the same time: one of them starts a thread, the others wait for it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Worker as NodeWorker, WorkerOptions } from 'node:worker_threads'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { type Client, connect, open } from '../../src/index.ts'
import { signStart } from '../../src/vfs/start-socket.ts'
import { temporaryDirectory } from '../support/directory.ts'

const threads = vi.hoisted(() => ({ started: 0, areRefused: false }))

vi.mock('node:worker_threads', async importOriginal => {
  const original = await importOriginal<typeof import('node:worker_threads')>()
  class Worker extends original.Worker implements NodeWorker {
    constructor(script: string | URL, options?: WorkerOptions) {
      if (threads.areRefused) throw Object.assign(new Error('no more threads'), { code: 'ERR_WORKER_INIT_FAILED' })
      super(script, options)
      threads.started++
    }
  }
  return { ...original, Worker }
})

beforeEach(() => {
  threads.started = 0
  threads.areRefused = false
})

const many = 8

async function connected(location: string): Promise<Client<string, number>> {
  const client = await connect<string, number>(location)
  onTestFinished(() => client.close())
  return client
}

function sockets(location: string): string[] {
  return readdirSync(location).filter(name => name.endsWith('.sock'))
}

it.each(['old', 'new'])('start one thread between them, for a database that is %s', async age => {
  const location = join(await temporaryDirectory(), 'db')
  if (age === 'old') await (await open(location)).close()
  const clients = await Promise.all(Array.from({ length: many }, () => connected(location)))
  expect(threads.started).toBe(1)
  await Promise.all(clients.map((client, i) => client.put(`k${i}`, i)))
  expect(await clients[0]?.count()).toBe(many)
  // The owner's.
  expect(sockets(location)).toHaveLength(1)
})

it('are all told that the database is damaged, without a thread for each', async () => {
  const location = await temporaryDirectory()
  await (await open(location)).close()
  const path = join(location, 'data.ldb')
  writeFileSync(path, readFileSync(path).fill(0x55))
  const outcomes = await Promise.allSettled(Array.from({ length: many }, () => connected(location)))
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'LIGHTNING_CORRUPT' } })
  }
  expect(threads.started).toBeLessThan(many)
  expect(sockets(location)).toEqual([])
})

it('do not share a refusal that is due to the options of one', async () => {
  const location = join(await temporaryDirectory(), 'db')
  const refused = connect(location, { wasm: new Uint8Array(3) })
  const client = connected(location)
  await expect(refused).rejects.toMatchObject({ code: 'LIGHTNING_INVALID_ARGUMENT' })
  expect(await (await client).count()).toBe(0)
})

it('go on when one has stopped in the middle of it', async () => {
  const location = await temporaryDirectory()
  const sign = await signStart(location, () => {}, undefined)
  if (sign === undefined || !('close' in sign)) throw new Error('somebody else starts an owner here')
  onTestFinished(() => sign.close())
  await connected(location)
  expect(threads.started).toBe(1)
})

it('go on when one has died in the middle of it', async () => {
  const location = await temporaryDirectory()
  // What a process leaves that is killed.
  writeFileSync(join(location, 'LOCK.1.0.sock'), '')
  await connected(location)
  expect(threads.started).toBe(1)
  expect(sockets(location)).toHaveLength(1)
})

it('wait for none that cannot be seen, where sockets cannot be made', async () => {
  const missing = join(await temporaryDirectory(), 'none')
  expect(await signStart(missing, () => {}, undefined)).toBeUndefined()
})

it('see that another has died even if it has not told anybody', async () => {
  const location = await temporaryDirectory()
  const server = createServer().listen(join(location, 'LOCK.1.0.sock'))
  onTestFinished(() => void server.close())
  await new Promise(resolve => server.once('listening', resolve))
  server.on('connection', socket => {
    server.close()
    socket.destroy()
  })
  await connected(location)
  expect(threads.started).toBe(1)
})

it('are told when the system starts no more threads, and nothing is left behind', async () => {
  const location = await temporaryDirectory()
  threads.areRefused = true
  await expect(connected(location)).rejects.toMatchObject({
    code: 'LIGHTNING_UNAVAILABLE',
    message: expect.stringContaining('no more threads'),
    cause: { code: 'ERR_WORKER_INIT_FAILED' }
  })
  expect(readdirSync(location)).toEqual([])
})
