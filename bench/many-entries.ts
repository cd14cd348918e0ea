// A database of millions of entries that are a function of their number, so that everything in it can be checked.
import { open } from '../src/index.ts'
import { generator, mixed } from './random.ts'

/** What a database is opened with for a load. */
export interface LoadOptions {
  readonly valueEncoding: 'view'
  readonly durability: 'relaxed'
  readonly cacheBytes: number
}

const leastValueBytes = 100
/** Bytes of the longest value. */
export const mostValueBytes = 1024
/** Entries of one batch. */
export const batchLength = 1000

/**
 * What a program short of memory gives Node: bounds for its own heap, so that garbage is collected early. The limit is
 * about the whole process, and with Node's defaults its heap alone may take 100 MiB before it is swept.
 */
export const heapBounds: readonly string[] = ['--max-semi-space-size=4', '--max-old-space-size=64']

/** Entries that take so many gigabytes. */
export function countFor(gigabytes: number): number {
  return Math.ceil((gigabytes * 1e9) / ((leastValueBytes + mostValueBytes) / 2 + 16))
}

/** Makes a database of so many entries. */
export async function loadAll(path: string, options: LoadOptions, count: number, watch: MemoryWatch): Promise<void> {
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
export function keyOf(index: number): string {
  return `${mixed(index >>> 8)
    .toString(16)
    .padStart(8, '0')}:${String(index).padStart(10, '0')}`
}

/** From 100 bytes to 1 KiB, half of it noise; the same for the same entry. Written into `room`, which is used again. */
export function valueFor(index: number, room: Uint8Array): Uint8Array {
  const random = generator(index)
  const length = leastValueBytes + (mixed(index) % (mostValueBytes - leastValueBytes + 1))
  const value = room.subarray(0, length)
  value.fill(index & 0xff, 0, length >> 1)
  for (let i = length >> 1; i < length; i++) value[i] = random()
  return value
}

/** The most memory that the process was seen to have. */
export class MemoryWatch {
  highest = 0
  now = 0

  look(): void {
    this.now = process.memoryUsage.rss()
    this.highest = Math.max(this.highest, this.now)
  }
}

/** Does a part of a run and tells how long it took, in seconds. */
export async function step(what: string, watch: MemoryWatch, body: () => Promise<void>): Promise<number> {
  process.stderr.write(`${what} …\n`)
  const started = performance.now()
  await body()
  watch.look()
  const seconds = (performance.now() - started) / 1000
  process.stderr.write(`${what}: ${seconds.toFixed(1)} s, ${Math.round(watch.now / (1 << 20))} MiB\n`)
  return seconds
}
