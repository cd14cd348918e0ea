// The microbenchmarks: the same work for both builds of the kernel, in memory, in a worker. Each piece of work is measured
// several times, the builds by turns, and the best counts: everything that disturbs makes it slower.
import { type Database, open } from '../src/index.ts'

/** One of the two builds. */
export type Build = 'wasm' | 'js'

/** What the worker tells, step by step. */
export type BenchMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly text: string }
  | { readonly kind: 'results'; readonly results: readonly BenchResult[] }
  | { readonly kind: 'failed'; readonly message: string }

/** Operations per second of each build. */
export interface BenchResult {
  readonly work: string
  readonly wasm: number
  readonly js: number
}

type Bench = Database<string, string>

interface Work {
  readonly name: string
  /** Does something and returns how many operations that was. */
  run(db: Bench): number | Promise<number>
  /** It begins with an empty database each time. */
  readonly startsEmpty?: boolean
}

const keys = 20_000
const rounds = 5
const leastMs = 50

/** Numbers that look random and are the same every time. */
const scattered = (i: number): number => (i * 7_919 + 13) % keys
const keyOf = (i: number): string => `user:${String(i).padStart(8, '0')}`
const textOf = (i: number): string => `{"id":${i},"name":"User ${i % 977}","mail":"user${i}@example.org","active":true}`

const works: readonly Work[] = [
  { name: 'get', run: db => each(2_000, i => db.get(keyOf(scattered(i)))) },
  { name: 'get, missing', run: db => each(2_000, i => db.get(`none:${i}`)) },
  { name: 'put', run: db => each(1_000, i => db.putSync(keyOf(scattered(i)), textOf(i))) },
  { name: 'scan, entries', run: db => Array.from(db.entries({ limit: 10_000 })).length },
  { name: 'count, entries', run: db => db.count() },
  { name: 'batch load, entries', startsEmpty: true, run: db => fill(db) },
  { name: 'compress, pages', run: compress },
  { name: 'verify, entries', run: async db => (await db.verify()).entries }
]

async function run(): Promise<void> {
  const wasm = await openFilled('wasm')
  const js = await openFilled('js')
  const results: BenchResult[] = []
  for (const [i, work] of works.entries()) {
    post({ kind: 'progress', done: i / works.length, text: work.name })
    let best = { wasm: 0, js: 0 }
    for (let round = 0; round < rounds; round++) {
      best = {
        wasm: Math.max(best.wasm, await measure('wasm', wasm, work)),
        js: Math.max(best.js, await measure('js', js, work))
      }
    }
    results.push({ work: work.name, ...best })
  }
  await wasm.close()
  await js.close()
  post({ kind: 'results', results })
}

/** Operations per second. */
async function measure(build: Build, filled: Bench, work: Work): Promise<number> {
  const db = work.startsEmpty ? await openEmpty(build) : filled
  let operations = 0
  let elapsedMs = 0
  while (elapsedMs < leastMs) {
    const beganMs = performance.now()
    operations += await work.run(db)
    elapsedMs += performance.now() - beganMs
    if (work.startsEmpty) break
  }
  if (work.startsEmpty) await db.close()
  return (operations / elapsedMs) * 1_000
}

function openEmpty(build: Build): Promise<Bench> {
  const wasm = build === 'js' ? 'off' : undefined
  return open<string, string>(':memory:', { valueEncoding: 'utf8', wasm })
}

async function openFilled(build: Build): Promise<Bench> {
  const db = await openEmpty(build)
  fill(db)
  return db
}

function fill(db: Bench): number {
  for (let from = 0; from < keys; from += 1_000) {
    db.batchSync(
      Array.from({ length: 1_000 }, (_, i) => {
        const n = scattered(from + i)
        return { type: 'put', key: keyOf(n), value: textOf(n) }
      })
    )
  }
  return keys
}

/** Changes every page, then writes them all: how many pages are compressed in a second. */
async function compress(db: Bench): Promise<number> {
  for (let i = 0; i < keys; i += 50) db.putSync(keyOf(i), textOf(i))
  const before = db.stats().checkpoints.pages
  await db.checkpoint()
  return db.stats().checkpoints.pages - before
}

function each(count: number, work: (i: number) => unknown): number {
  for (let i = 0; i < count; i++) work(i)
  return count
}

function post(message: BenchMessage): void {
  postMessage(message)
}

run().catch((error: unknown) => post({ kind: 'failed', message: String(error) }))
