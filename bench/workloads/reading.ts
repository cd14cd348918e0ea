import type { Driver, NativeKey } from '../drivers/driver.ts'
import type { Figure } from '../figures.ts'
import { shuffled, uniform, zipfian } from '../random.ts'
import { percentile } from '../statistics.ts'
import { perSecond, timed, timedSlices } from '../timing.ts'
import { at, type Context, type Group, nativeKeys, openDriver, part } from './context.ts'

const hotKeys = 1000
const groupLength = 10
const scanLength = 100
/** Enough to have every page in memory and every function compiled. */
const warmUps = 200_000

/** All reads of a loaded database. */
export const reading: Group = async context => {
  const driver = await openDriver(context, 'relaxed')
  const figures = [
    ...(await readingShape(driver, context)),
    await gets(driver, context, 'get-zipfian', zipfian(readsOf(context), context.data.count, 4)),
    ...(await hotGets(driver, context))
  ]
  await driver.close()
  return figures
}

/** The reads that every shape of data is put through. */
export const readingOfShape: Group = async context => {
  const driver = await openDriver(context, 'relaxed')
  const figures = await readingShape(driver, context)
  await driver.close()
  return figures
}

async function readingShape(driver: Driver, context: Context): Promise<Figure[]> {
  const order = repeated(shuffled(context.data.count, 3), readsOf(context))
  return [
    await gets(driver, context, 'get-random', order),
    await misses(driver, context),
    await fullScan(driver, context),
    await shortScans(driver, context)
  ]
}

/** Between 200,000 and a million reads, however many keys there are. */
function readsOf({ data }: Context): number {
  return Math.min(1_000_000, Math.max(200_000, data.count))
}

function repeated(order: Uint32Array, length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, i) => at(order, i % order.length))
}

async function gets(driver: Driver, context: Context, row: string, order: Uint32Array): Promise<Figure> {
  const keys = nativeKeys(driver, context.data, order)
  getAll(driver, keys.slice(0, warmUps))
  return { row, value: perSecond(await timed(keys.length, () => void getAll(driver, keys))) }
}

/** Gets every key; all of them must be there. */
export function getAll(driver: Driver, keys: readonly NativeKey[]): number {
  let bytes = 0
  for (const key of keys) {
    const value = driver.get(key)
    if (value === undefined) throw new Error('a key that was loaded is missing')
    bytes += value.length
  }
  return bytes
}

async function misses(driver: Driver, context: Context): Promise<Figure> {
  const order = uniform(readsOf(context), context.data.count, 5)
  const keys = Array.from(order, index => driver.native(context.data.missingKey(index)))
  const result = await timed(keys.length, () => {
    for (const key of keys) {
      if (driver.get(key) !== undefined) throw new Error('found a key that was never written')
    }
  })
  return { row: 'get-missing', value: perSecond(result) }
}

async function hotGets(driver: Driver, context: Context): Promise<Figure[]> {
  const hot = shuffled(context.data.count, 6).subarray(0, hotKeys)
  const distinct = nativeKeys(driver, context.data, hot)
  const keys = Array.from(uniform(readsOf(context), hot.length, 7), index => at(distinct, index))
  getAll(driver, keys.slice(0, warmUps))
  const result = await timed(keys.length, () => void getAll(driver, keys))
  return [
    { row: 'get-hot', value: perSecond(result) },
    { row: 'get-hot-p99', value: groupPercentile(keys, key => driver.get(key)) }
  ]
}

/** The 99th percentile of groups of ten calls, in nanoseconds per call; one look at the clock is in each group. */
export function groupPercentile<T>(keys: readonly T[], call: (key: T) => unknown): number {
  const groups = Math.floor(keys.length / groupLength)
  const samples = new Float64Array(groups)
  let found = 0
  let before = performance.now()
  for (let group = 0; group < groups; group++) {
    for (let i = group * groupLength; i < (group + 1) * groupLength; i++) {
      const key = keys[i]
      if (key !== undefined && call(key) !== undefined) found++
    }
    const now = performance.now()
    samples[group] = ((now - before) * 1e6) / groupLength
    before = now
  }
  if (found !== groups * groupLength) throw new Error('a hot key is missing')
  return percentile(samples, 0.99)
}

/** Everything from the first key to the last, as often as it takes to read as many entries as `gets` does. */
async function fullScan(driver: Driver, context: Context): Promise<Figure> {
  const { count } = context.data
  const times = Math.ceil(readsOf(context) / count)
  const scan = async () => {
    for (let i = 0; i < times; i++) {
      const entries = await driver.scanAll()
      if (entries < count) throw new Error(`the scan found ${entries} of ${count} entries`)
    }
  }
  await scan()
  return { row: 'scan-all', value: perSecond(await timed(count * times, scan)) }
}

async function shortScans(driver: Driver, context: Context): Promise<Figure> {
  // Starts within the first nine tenths of the numbers; other shapes than the ordered ones may end early.
  const order = uniform(20_000, Math.ceil(context.data.count * 0.9), 8)
  const starts = nativeKeys(driver, context.data, order)
  const slices = { total: starts.length, sliceLength: 100, seconds: 2, prepare: part(starts) }
  const result = await timedSlices(slices, async some => {
    for (const start of some) {
      const pending = driver.scan(start, scanLength)
      if (typeof pending !== 'number') await pending
    }
  })
  return { row: 'scan-100', value: perSecond(result) }
}
