// A database many times larger than the memory it is given: loads it, opens it again, reads random keys, verifies it.
import { fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { open } from '../src/index.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { generator, mixed } from './random.ts'
import { saveResults } from './results.ts'
import { diskBytes } from './workloads/directory.ts'

const cacheBytes = 256 << 20
const mostRssBytes = 400 << 20
const leastValueBytes = 100
const mostValueBytes = 1024
const batchLength = 1000
const reads = 100_000
const options = { valueEncoding: 'view', durability: 'relaxed', cacheBytes } as const

/**
 * What a program short of memory gives Node: bounds for its own heap, so that garbage is collected early. The limit is
 * about the whole process, and with Node's defaults its heap alone may take 100 MiB before it is swept.
 */
const heapBounds = ['--max-semi-space-size=4', '--max-old-space-size=64']

/** Measures in a process of its own that is started for little memory. */
export async function benchLarge(options: BenchOptions): Promise<void> {
  if (heapBounds.every(bound => process.execArgv.includes(bound))) return await measureLarge(options)
  const child = fork(argv[1] ?? '', argv.slice(2), { execArgv: ['--expose-gc', '--enable-source-maps', ...heapBounds] })
  const code = await new Promise<number>(resolve => child.once('exit', status => resolve(status ?? 1)))
  if (code !== 0) process.exitCode = code
}

async function measureLarge({ gigabytes, directory, record }: BenchOptions): Promise<void> {
  const path = join(directory, `lightning-large-${process.pid}`)
  const watch = new MemoryWatch()
  const atStartMiB = Math.round(process.memoryUsage.rss() / (1 << 20))
  const clean = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', clean)
  try {
    const count = Math.ceil((gigabytes * 1e9) / ((leastValueBytes + mostValueBytes) / 2 + 16))
    const load = await step(`load ${count.toLocaleString('en')} entries`, watch, () => loadAll(path, count, watch))
    const opening = performance.now()
    const database = await open<string, Uint8Array>(path, options)
    const openMs = performance.now() - opening
    const read = await step(`read ${reads.toLocaleString('en')} random keys`, watch, async () => {
      const random = generator(21)
      const room = new Uint8Array(mostValueBytes)
      for (let i = 0; i < reads; i++) {
        const index = random() % count
        const value = database.get(keyOf(index))
        if (value === undefined || Buffer.compare(value, valueFor(index, room)) !== 0) {
          throw new Error(`${keyOf(index)} is not as it was written`)
        }
        if (i % batchLength === 0) watch.look()
      }
    })
    const verify = await step('verify', watch, async () => {
      const report = await database.verify({ onProgress: () => watch.look() })
      if (!report.ok) throw new Error(`verify found problems: ${JSON.stringify(report.problems.slice(0, 5))}`)
      if (report.entries !== count) throw new Error(`verify counted ${report.entries} entries`)
    })
    await database.close()
    const bytes = await diskBytes(path)
    const highestMiB = Math.round(watch.highest / (1 << 20))
    const fits = watch.highest <= mostRssBytes
    process.stdout.write(
      [
        '',
        `${gigabytes} GB in ${count.toLocaleString('en')} entries, ${(bytes / 1e9).toFixed(2)} GB on disk`,
        `load    ${load.toFixed(1)} s, ${Math.round(count / load / 1000)} k entries/s, ${((gigabytes * 1000) / load).toFixed(0)} MB/s`,
        `open    ${openMs.toFixed(1)} ms`,
        `read    ${read.toFixed(1)} s, ${((read / reads) * 1e6).toFixed(0)} µs a get`,
        `verify  ${verify.toFixed(1)} s`,
        `memory  ${highestMiB} MiB at most (${atStartMiB} at the start) with ${cacheBytes >>> 20} MiB of cache: ${fits ? 'within' : 'over'} 400 MiB`,
        ''
      ].join('\n')
    )
    const figures = {
      gigabytes,
      count,
      bytes,
      loadSeconds: load,
      openMs,
      readSeconds: read,
      reads,
      verifySeconds: verify
    }
    await saveResults('large', { machine: describeMachine(), ...figures, atStartMiB, highestMiB }, record)
    if (!fits) process.exitCode = 1
  } finally {
    process.off('exit', clean)
    clean()
  }
}

async function loadAll(path: string, count: number, watch: MemoryWatch): Promise<void> {
  const database = await open<string, Uint8Array>(path, options)
  // What is measured is the memory of the database, so this program makes little garbage of its own.
  const rooms = Array.from({ length: batchLength }, () => new Uint8Array(mostValueBytes))
  let shown = 0
  for (let from = 0; from < count; from += batchLength) {
    const length = Math.min(batchLength, count - from)
    const batch = rooms
      .slice(0, length)
      .map((room, i) => ({ type: 'put', key: keyOf(from + i), value: valueFor(from + i, room) }) as const)
    await database.batch(batch)
    watch.look()
    if (performance.now() - shown > 1000) {
      shown = performance.now()
      const percent = ((100 * from) / count).toFixed(1)
      process.stderr.write(`loading ${percent} %, ${Math.round(watch.now / (1 << 20))} MiB\n`)
    }
  }
  await database.close()
}

/** Half of the bits of the key are scattered, so that pages are met in no order but not one key at a time. */
function keyOf(index: number): string {
  return `${mixed(index >>> 8)
    .toString(16)
    .padStart(8, '0')}:${String(index).padStart(10, '0')}`
}

/** From 100 bytes to 1 KiB, half of it noise; the same for the same entry. Written into `room`, which is used again. */
function valueFor(index: number, room: Uint8Array): Uint8Array {
  const random = generator(index)
  const length = leastValueBytes + (mixed(index) % (mostValueBytes - leastValueBytes + 1))
  const value = room.subarray(0, length)
  value.fill(index & 0xff, 0, length >> 1)
  for (let i = length >> 1; i < length; i++) value[i] = random()
  return value
}

class MemoryWatch {
  highest = 0
  now = 0

  look(): void {
    this.now = process.memoryUsage.rss()
    this.highest = Math.max(this.highest, this.now)
  }
}

async function step(what: string, watch: MemoryWatch, body: () => Promise<void>): Promise<number> {
  process.stderr.write(`${what} …\n`)
  const started = performance.now()
  await body()
  watch.look()
  const seconds = (performance.now() - started) / 1000
  process.stderr.write(`${what}: ${seconds.toFixed(1)} s, ${Math.round(watch.now / (1 << 20))} MiB\n`)
  return seconds
}
