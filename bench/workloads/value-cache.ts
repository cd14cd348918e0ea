import { open } from '../../src/index.ts'
import { shuffled, uniform } from '../random.ts'
import { timed } from '../timing.ts'
import { at, type Group } from './context.ts'
import { emptyDirectory } from './directory.ts'
import { groupPercentile } from './reading.ts'

const hotKeys = 1000
const reads = 1_000_000
const rounds = 5

/**
 * Hot gets through Lightning DB's cache of decoded values against a plain `Map` that holds the same values, in turn in
 * one run; the best round of each. The values are text: bytes can be changed by who gets them, so they are not cached.
 */
export const valueCache: Group = async ({ directory, data, cacheBytes }) => {
  await emptyDirectory(directory)
  const database = await open<string, string>(directory, {
    valueEncoding: 'utf8',
    durability: 'relaxed',
    cacheBytes,
    valueCache: 10_000
  })
  const distinct = Array.from(shuffled(data.count, 6).subarray(0, hotKeys), index => String(data.key(index)))
  const map = new Map<string, string>()
  for (const key of distinct) {
    const value = `${key}, and more text up to about a hundred bytes, as the other workloads have them`
    map.set(key, value)
    await database.put(key, value)
  }
  const keys = Array.from(uniform(reads, distinct.length, 7), index => at(distinct, index))
  let cached = Number.POSITIVE_INFINITY
  let plain = Number.POSITIVE_INFINITY
  let p99 = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    cached = Math.min(cached, (await timed(reads, () => void getAll(database, keys))).seconds)
    plain = Math.min(plain, (await timed(reads, () => void getAllOfMap(map, keys))).seconds)
    p99 = Math.min(
      p99,
      groupPercentile(keys, key => database.get(key))
    )
  }
  await database.close()
  return [
    { row: 'cached-p99', value: p99 },
    { row: 'cached-to-map', value: cached / plain }
  ]
}

function getAll(database: { get(key: string): string | undefined }, keys: readonly string[]): number {
  let length = 0
  for (const key of keys) length += database.get(key)?.length ?? Number.NaN
  return length
}

/** The same loop again, so that each has a call site of its own. */
function getAllOfMap(map: ReadonlyMap<string, string>, keys: readonly string[]): number {
  let length = 0
  for (const key of keys) length += map.get(key)?.length ?? Number.NaN
  return length
}
