// Every function of the kernel that is worth a number, in one of its two builds. The cases only go through the kernel's
// exports and its memory, so both builds do exactly the same.
import type Benchmark from 'benchmark'
import { HASH_TABLE, IMAGE, LOG, LOG_BYTES } from '../assembly/state.ts'
import { loadKernel } from '../src/kernel/load.ts'
import { KernelTree, pageBytes } from './kernel-tree.ts'
import { shuffled, uniform } from './random.ts'
import { at } from './workloads/context.ts'

export type KernelBuild = 'wasm' | 'javascript'

/** What one call, or one row of a scan, takes at best: on a shared machine the mean says more of the others. */
export interface KernelTime {
  readonly title: string
  readonly ns: number
  /** Relative margin of error of the mean, in percent. */
  readonly error: number
  /** Bytes that one call works on, where that says more than the time. */
  readonly bytes?: number
}

interface Case {
  readonly title: string
  /** Runs `calls` calls. */
  readonly run: () => void
  readonly calls: number
  readonly bytes?: number
}

const callsAtOnce = 1000
const rowsAtOnce = 256
const pagesAtOnce = 100
const secondsPerCase = 1

/** Measures all cases; progress goes to the standard error output. */
export async function measureKernel(build: KernelBuild, keys: number): Promise<KernelTime[]> {
  const tree = new KernelTree(await loadKernel(build === 'javascript' ? 'off' : undefined), keys)
  const times: KernelTime[] = []
  for (const { title, run, calls, bytes } of cases(tree, keys)) {
    process.stderr.write(`${build}: ${title}\n`)
    const { stats, error } = await measured(title, run)
    if (error !== undefined) throw error
    const best = Math.min(...stats.sample)
    times.push({ title, ns: (1e9 * best) / calls, error: stats.rme, ...(bytes === undefined ? {} : { bytes }) })
  }
  return times
}

/** The package is loaded only here: the other measurements need no memory for it. */
async function measured(title: string, run: () => void): Promise<Benchmark> {
  const { default: Benchmark } = await import('benchmark')
  const benchmark = new Benchmark(title, run, { maxTime: secondsPerCase })
  benchmark.run()
  return benchmark
}

/** All cases, in an order in which each leaves the tree as the next one needs it. */
function* cases(tree: KernelTree, keys: number): Iterable<Case> {
  yield* writing(tree, keys)
  yield* reading(tree, keys)
  yield* bytesAndPages(tree)
}

function* writing(tree: KernelTree, keys: number): Iterable<Case> {
  const ordered = Uint32Array.from({ length: keys }, (_, i) => i)
  yield { title: 'commitPut, ascending keys', run: loading(tree, ordered), calls: callsAtOnce }
  yield { title: 'commitPut, random keys', run: loading(tree, shuffled(keys, 1)), calls: callsAtOnce }
  load(tree, ordered)
  const overwrites = cycling(shuffled(keys, 2), number => tree.put(number * 2))
  yield { title: 'commitPut, overwriting random keys', run: overwrites, calls: callsAtOnce }
}

function* reading(tree: KernelTree, keys: number): Iterable<Case> {
  const present = (number: number) => {
    if (tree.get(number * 2) === 0) throw new Error('a key that was written is missing')
  }
  const absent = (number: number) => {
    if (tree.get(number * 2 + 1) !== 0) throw new Error('found a key that was never written')
  }
  yield { title: 'get, hot (1,000 keys)', run: cycling(uniform(100_000, 1000, 3), present), calls: callsAtOnce }
  yield { title: 'get, random', run: cycling(shuffled(keys, 4), present), calls: callsAtOnce }
  yield { title: 'get, missing', run: cycling(shuffled(keys, 5), absent), calls: callsAtOnce }
  const starts = uniform(10_000, keys - rowsAtOnce, 6)
  let next = 0
  const scan = () => {
    next = (next + 1) % starts.length
    if (tree.scan((starts[next] ?? 0) * 2, rowsAtOnce) !== rowsAtOnce) throw new Error('the scan ended early')
  }
  yield { title: 'scan, per row (256 rows from random keys)', run: scan, calls: rowsAtOnce }
}

function* bytesAndPages(tree: KernelTree): Iterable<Case> {
  const { exports, memory } = tree
  const [image, table, log] = [IMAGE, HASH_TABLE, LOG].map(cell => memory.word(cell))
  const ids = tree.pages(pagesAtOnce)
  const id = at(ids, ids.length >> 1)
  const page = exports.frameOf(id) >>> 0
  if (image === undefined || table === undefined || log === undefined) throw new Error('the kernel is not set up')
  tree.put(0)
  const frame = memory.word(LOG_BYTES)
  yield { title: 'xxh32, a page', run: () => void exports.xxh32(page, pageBytes, 1), calls: 1, bytes: pageBytes }
  yield { title: 'xxh32, 128 bytes', run: repeated(() => void exports.xxh32(page, 128, 1)), calls: callsAtOnce }
  yield { title: 'frameBytes, one put', run: repeated(() => void exports.frameBytes(log, frame)), calls: callsAtOnce }
  // The last quarter of the image area is free for a copy of the compressed page.
  const compressed = image + pageBytes * 2
  const compress = () => void exports.lz4Compress(page, pageBytes, compressed, pageBytes, table)
  yield { title: 'lz4Compress, a page', run: compress, calls: 1, bytes: pageBytes }
  const length = exports.lz4Compress(page, pageBytes, compressed, pageBytes, table) >>> 0
  const decompress = () => void exports.lz4Decompress(compressed, length, image, pageBytes)
  yield { title: 'lz4Decompress, a page', run: decompress, calls: 1, bytes: pageBytes }
  yield { title: 'isSound, a page', run: () => void exports.isSound(page, id), calls: 1, bytes: pageBytes }
  yield { title: 'packImage, a page', run: () => void tree.pack(id), calls: 1, bytes: pageBytes }
  const images = tree.packAll().slice(0, pagesAtOnce)
  const unpack = () => {
    tree.evictAll()
    for (const one of images) tree.unpack(one)
  }
  yield { title: 'unpackImage, a page, and its eviction', run: unpack, calls: images.length, bytes: pageBytes }
}

function repeated(call: () => void): () => void {
  return () => {
    for (let i = 0; i < callsAtOnce; i++) call()
  }
}

/** Goes on through the numbers from one run to the next. */
function cycling(numbers: Uint32Array, call: (number: number) => void): () => void {
  let next = 0
  return () => {
    for (let i = 0; i < callsAtOnce; i++) {
      call(numbers[next] ?? 0)
      next = next + 1 === numbers.length ? 0 : next + 1
    }
  }
}

/** Loads on and on, from an empty tree to a full one; beginning anew is part of it, at less than 1 ns a put. */
function loading(tree: KernelTree, order: Uint32Array): () => void {
  load(tree, order)
  let next = order.length
  return () => {
    if (next + callsAtOnce > order.length) {
      tree.clear()
      next = 0
    }
    for (let i = 0; i < callsAtOnce; i++) tree.put((order[next++] ?? 0) * 2)
  }
}

function load(tree: KernelTree, order: Uint32Array): void {
  tree.clear()
  for (const number of order) tree.put(number * 2)
}
