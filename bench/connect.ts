// What a client of `connect` costs beside `open`: calls alone and many at once, through a thread and through the socket,
// and how late the timers of the client's own thread are while the owner works hard, and while it has nothing to do.
import { mkdir } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, connect, type Database, open } from '../src/index.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { saveResults } from './results.ts'
import { ScratchDirectory } from './scratch-directory.ts'
import { median } from './statistics.ts'
import { printTable } from './table.ts'

const atOnce = 1_000
const value = 'v'.repeat(100)
const keyOf = (i: number): string => `user:${String(i).padStart(10, '0')}`

/** Microseconds for one call alone, and thousands a second. */
interface ClientFigures {
  readonly getUs: number
  readonly putUs: number
  readonly getsPerSecond: number
  readonly putsPerSecond: number
  readonly rowsPerSecond: number
}

/** How late timers are, in milliseconds. */
interface Lateness {
  readonly p99Ms: number
  readonly longestMs: number
}

/** Long enough for a thousand timers and more, of which the 99th percentile says something. */
const idleMs = 1_000
const busyMs = 4_000

type Either = Client<string, string> | Database<string, string>

/** Every kind of client, `repeat` times in turn. */
export async function benchConnect(options: BenchOptions): Promise<void> {
  const [keys = 100_000] = options.keys
  using scratch = new ScratchDirectory(options.directory, 'connect')
  const place = scratch.path
  const figures = new Map<string, ClientFigures[]>()
  const lateness = { idle: [] as Lateness[], busy: [] as Lateness[] }
  for (let round = 1; round <= options.repeat; round++) {
    await mkdir(place, { recursive: true })
    const local = await open<string, string>(place)
    await fill(local, keys)
    note(figures, 'open, in this thread', await measure(local, keys))
    await local.close()
    const starter = await connect<string, string>(place)
    note(figures, 'connect, owner in a thread of its own', await measure(starter, keys))
    const other = await connect<string, string>(place)
    note(figures, 'connect, by the socket', await measure(other, keys))
    lateness.idle.push(await latenessDuring(() => sleep(idleMs)))
    lateness.busy.push(await latenessDuring(() => keepBusy(starter, keys)))
    await other.close()
    await starter.close()
    scratch.clear()
    process.stderr.write(`${round}/${options.repeat}\n`)
  }
  print(figures, keys)
  printLateness(lateness)
  const clients = Object.fromEntries(figures)
  await saveResults('connect', { machine: describeMachine(), keys, clients, lateness }, options.record)
}

async function fill(db: Either, keys: number): Promise<void> {
  for (let from = 0; from < keys; from += atOnce) {
    const length = Math.min(atOnce, keys - from)
    await db.batch(Array.from({ length }, (_, i) => ({ type: 'put', key: keyOf(from + i), value })))
  }
}

async function measure(db: Either, keys: number): Promise<ClientFigures> {
  const alone = async (calls: number, call: (i: number) => unknown): Promise<number> => {
    for (let i = 0; i < calls / 10; i++) await call(i)
    const started = performance.now()
    for (let i = 0; i < calls; i++) await call((i * 7_919) % keys)
    return ((performance.now() - started) * 1_000) / calls
  }
  const many = async (call: (i: number) => unknown): Promise<number> => {
    const rounds = 50
    const started = performance.now()
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: atOnce }, (_, i) => call((round * atOnce + i * 7_919) % keys)))
    }
    return (rounds * atOnce * 1_000) / (performance.now() - started)
  }
  const get = (i: number) => db.get(keyOf(i))
  const put = (i: number) => db.put(keyOf(i), value)
  const getUs = await alone(5_000, get)
  const putUs = await alone(500, put)
  const getsPerSecond = await many(get)
  const putsPerSecond = await many(put)
  const started = performance.now()
  let rows = 0
  for await (const _ of db.entries()) rows++
  return { getUs, putUs, getsPerSecond, putsPerSecond, rowsPerSecond: (rows * 1_000) / (performance.now() - started) }
}

/** How late this thread's timers are during `work`. */
async function latenessDuring(work: () => Promise<unknown>): Promise<Lateness> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  // The timer's own period is no delay.
  const [p99Ms = 0, longestMs = 0] = [delay.percentile(99), delay.max].map(ns => Math.max(0, ns / 1e6 - 1))
  return { p99Ms, longestMs }
}

/** Lets the owner write, make checkpoints, verify and count, again and again. */
async function keepBusy(client: Client<string, string>, keys: number): Promise<void> {
  const until = performance.now() + busyMs
  for (let round = 0; performance.now() < until; round++) {
    const writing = Array.from({ length: 200 }, (_, i) => client.put(keyOf((round * 200 + i) % keys), value))
    await Promise.all([...writing, client.checkpoint(), client.verify(), client.count()])
  }
}

function note(figures: Map<string, ClientFigures[]>, name: string, found: ClientFigures): void {
  const known = figures.get(name)
  if (known === undefined) figures.set(name, [found])
  else known.push(found)
}

function print(figures: ReadonlyMap<string, readonly ClientFigures[]>, keys: number): void {
  process.stdout.write(`\nClients, ${keys.toLocaleString('en')} keys, values of 100 bytes, strict durability\n\n`)
  const of = (all: readonly ClientFigures[], name: keyof ClientFigures): number => median(all.map(each => each[name]))
  const thousands = (perSecond: number): string => `${Math.round(perSecond / 1_000).toLocaleString('en')} k/s`
  printTable([
    ['client', 'get alone', 'put alone', '1,000 gets', '1,000 puts', 'rows'],
    ...Array.from(figures, ([name, all]) => [
      name,
      `${of(all, 'getUs').toFixed(1)} µs`,
      `${of(all, 'putUs').toFixed(0)} µs`,
      thousands(of(all, 'getsPerSecond')),
      thousands(of(all, 'putsPerSecond')),
      thousands(of(all, 'rowsPerSecond'))
    ])
  ])
}

function printLateness({ idle, busy }: Readonly<Record<'idle' | 'busy', readonly Lateness[]>>): void {
  const row = (name: string, all: readonly Lateness[]): string[] => [
    name,
    `${median(all.map(({ p99Ms }) => p99Ms)).toFixed(2)} ms`,
    `${median(all.map(({ longestMs }) => longestMs)).toFixed(1)} ms`
  ]
  process.stdout.write("\nHow late the timers of the client's thread are\n\n")
  printTable([
    ['meanwhile the owner', 'p99', 'longest'],
    row('does nothing', idle),
    row('writes, makes checkpoints, verifies, counts', busy)
  ])
}
