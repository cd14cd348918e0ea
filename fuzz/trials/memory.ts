// Memory: growth of the kernel's memory fails at every one of its moments, the smallest cache with the largest pages, a
// working set of 50 times the cache, and snapshots held open under writes.
import { ok } from 'node:assert/strict'
import { isLightningError } from '../../src/index.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { Random } from '../../test/support/random.ts'
import { type Counts, sumOf, type Trial } from '../runner/trial.ts'
import { boundedModule, unitBytes, withBoundedMemory } from './memory-growth.ts'
import { type Load, Player } from './memory-player.ts'

const MiB = 1_024 * 1_024

/**
 * Bounds of the memory, one run each, from the first to the last or to what suffices for all: in units of 64 KiB, as the
 * difference to the least that suffices for opening.
 */
interface Bounds {
  readonly build: 'wasm' | 'javascript'
  readonly from: number
  readonly to: number
  readonly every: number
  /** Whether memory stays bounded. Otherwise one growth fails, and then there is memory again. */
  readonly lasts: boolean
}

export interface MemoryCase {
  readonly seed: number
  readonly load: Load
  readonly bounds?: Bounds
}

/** Many pages in few frames, most of them a value each: tables and records of versions grow, the cache does not. */
const growing: Load = { pageSize: 4_096, cacheBytes: MiB / 4, keys: 9_000, valueBytes: 3_000, steps: 60, snapshots: 4 }
const loads: readonly Load[] = [
  // The smallest cache that `open` allows, and the largest pages.
  { pageSize: 65_536, cacheBytes: 4 * MiB, keys: 600, valueBytes: 20_000, steps: 120, snapshots: 2 },
  // 50 times the cache: 64 frames of 4 KiB.
  { pageSize: 4_096, cacheBytes: MiB / 4, keys: 24_000, valueBytes: 1_200, steps: 300, snapshots: 1 },
  // Many snapshots, and not much else.
  { pageSize: 4_096, cacheBytes: MiB / 2, keys: 1_000, valueBytes: 600, steps: 300, snapshots: 12 }
]

export const memory: Trial<MemoryCase> = {
  name: 'memory',
  what: 'memory stops growing at every moment; small caches, large working sets and snapshots held open',
  mostMs: 900_000,

  caseOf(seed) {
    const kind = seed % 6
    const load = loads[kind - 3]
    if (load !== undefined) return { seed, load }
    const every = { from: -8, to: 1_000, every: 1 }
    if (kind === 0) return { seed, load: growing, bounds: { build: 'wasm', ...every, lasts: true } }
    return { seed, load: growing, bounds: { build: 'javascript', ...every, lasts: kind === 1 } }
  },

  async run(testCase) {
    const { bounds } = testCase
    return bounds === undefined ? { loads: 1, ...(await playThrough(testCase)) } : playBounded(testCase, bounds)
  },

  *shrink(testCase) {
    const { bounds, load } = testCase
    if (bounds !== undefined && bounds.to > bounds.from) {
      const middle = Math.floor((bounds.from + bounds.to) / 2)
      yield { ...testCase, bounds: { ...bounds, to: middle } }
      yield { ...testCase, bounds: { ...bounds, from: middle + 1 } }
    }
    for (const name of ['steps', 'keys', 'snapshots'] as const) {
      if (load[name] > 1) yield { ...testCase, load: { ...load, [name]: Math.floor(load[name] / 2) } }
    }
  }
}

/** With all the memory that it wants. */
async function playThrough({ seed, load }: MemoryCase): Promise<Counts> {
  const player = new Player(load, new Random(seed))
  await player.open(memoryVfs(), seed % 4 === 3 ? 'off' : undefined)
  await player.play()
  await player.checkAll()
  ok(player.counts.refused === 0, 'nothing is refused')
  await player.close()
  return player.counts
}

async function playBounded(testCase: MemoryCase, { build, from, to, every, lasts }: Bounds): Promise<Counts> {
  const unbounded = new Player(testCase.load, new Random(testCase.seed))
  await unbounded.open(memoryVfs(), build === 'wasm' ? undefined : 'off')
  const least = await leastUnits(testCase, build, Math.ceil(unbounded.memoryBytes / unitBytes))
  await unbounded.play()
  const most = Math.ceil(unbounded.memoryBytes / unitBytes)
  await unbounded.close()
  let counts: Counts = {}
  for (let units = Math.max(3, least + from); units <= Math.min(least + to, most); units += every) {
    const module = build === 'wasm' ? await boundedModule(units) : 'off'
    const counted = await playShort(testCase, module, (use, isOpening) => {
      if (build === 'wasm') return use()
      // The kernel asks twice, for a generous growth and for what it needs, and it tries a shorter way of a put first.
      return withBoundedMemory(units, lasts || isOpening ? Number.POSITIVE_INFINITY : 4, use)
    })
    counts = sumOf(counts, { bounds: 1 }, counted)
  }
  return counts
}

/** The least memory with which an opening succeeds, `enough` being some that suffices. */
async function leastUnits({ seed, load }: MemoryCase, build: Bounds['build'], enough: number): Promise<number> {
  let [low, high] = [3, enough]
  while (low < high) {
    const units = Math.floor((low + high) / 2)
    const player = new Player(load, new Random(seed))
    const open = async () => player.open(memoryVfs(), build === 'wasm' ? await boundedModule(units) : 'off')
    try {
      await (build === 'wasm' ? open() : withBoundedMemory(units, Number.POSITIVE_INFINITY, open))
      await player.close()
      high = units
    } catch (error) {
      if (!isLightningError(error, 'LIGHTNING_OUT_OF_MEMORY')) throw error
      low = units + 1
    }
  }
  return low
}

/** Plays while memory is short; afterwards everything is there, and writing works, at the latest after reopening. */
async function playShort(
  { seed, load }: MemoryCase,
  wasm: WebAssembly.Module | 'off',
  whileShort: (use: () => Promise<void>, isOpening: boolean) => Promise<void>
): Promise<Counts> {
  const vfs = memoryVfs()
  const player = new Player(load, new Random(seed))
  let openings = 0
  try {
    await whileShort(() => player.open(vfs, wasm), true)
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_OUT_OF_MEMORY')) throw error
    openings++
  }
  if (openings === 0) {
    await whileShort(() => player.play(), false)
    if (wasm === 'off') {
      // There is memory again, and the same handle works on.
      await player.write()
      await player.checkAll()
    }
    await player.close()
  }
  await player.open(vfs, undefined)
  await player.write()
  await player.checkAll()
  await player.close()
  return { ...player.counts, refusedOpenings: openings }
}
