// A database many times larger than the memory it is given: loads it, opens it again, reads random keys, verifies it.
import { fork } from 'node:child_process'
import { argv } from 'node:process'
import { open } from '../src/index.ts'
import { describeMachine } from './machine.ts'
import {
  batchLength,
  countFor,
  heapBounds,
  keyOf,
  loadAll,
  MemoryWatch,
  mostValueBytes,
  step,
  valueFor
} from './many-entries.ts'
import type { BenchOptions } from './options.ts'
import { generator } from './random.ts'
import { saveResults } from './results.ts'
import { ScratchDirectory } from './scratch-directory.ts'
import { diskBytes } from './workloads/directory.ts'

const cacheBytes = 256 << 20
const mostRssBytes = 400 << 20
const reads = 100_000
const options = { valueEncoding: 'view', durability: 'relaxed', cacheBytes } as const

/** Measures in a process of its own that is started for little memory. */
export async function benchLarge(options: BenchOptions): Promise<void> {
  if (heapBounds.every(bound => process.execArgv.includes(bound))) return await measureLarge(options)
  const child = fork(argv[1] ?? '', argv.slice(2), { execArgv: ['--expose-gc', '--enable-source-maps', ...heapBounds] })
  const code = await new Promise<number>(resolve => child.once('exit', status => resolve(status ?? 1)))
  if (code !== 0) process.exitCode = code
}

async function measureLarge({ gigabytes, directory, record }: BenchOptions): Promise<void> {
  using scratch = new ScratchDirectory(directory, 'large')
  const { path } = scratch
  const watch = new MemoryWatch()
  const atStartMiB = Math.round(process.memoryUsage.rss() / (1 << 20))
  const count = countFor(gigabytes)
  const load = await step(`load ${count.toLocaleString('en')} entries`, watch, () =>
    loadAll(path, options, count, watch)
  )
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
}
