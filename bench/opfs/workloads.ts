// What is measured in browsers, the same for every store.
import { type DataSet, dataSet } from '../data.ts'
import type { MaybePromise } from '../drivers/driver.ts'
import { shuffled, uniform } from '../random.ts'
import { perSecond, type Timed, timed, timedSlices } from '../timing.ts'
import { type Entry, type OpenStore, type Store, type StoreName, storeNames } from './store.ts'

/** A row of the table. */
export interface OpfsRow {
  readonly id: OpfsRowId
  readonly title: string
  readonly durability: 'strict' | 'relaxed' | ''
}

export const opfsRows: readonly OpfsRow[] = [
  { id: 'load', title: 'load in key order, batches of 1,000', durability: 'relaxed' },
  { id: 'get', title: 'random get, one after the other', durability: '' },
  { id: 'get-many', title: 'random gets, 1,000 at once', durability: '' },
  { id: 'scan-all', title: 'scan of everything, keys and values', durability: '' },
  { id: 'scan-100', title: 'scans of 100 entries, entries', durability: '' },
  { id: 'put-relaxed', title: 'overwrites, one after the other', durability: 'relaxed' },
  { id: 'put-strict', title: 'overwrites, one after the other', durability: 'strict' },
  { id: 'put-many', title: 'overwrites, 1,000 at once', durability: 'strict' },
  { id: 'batch', title: 'overwrites, in batches of 1,000', durability: 'strict' }
]

export type OpfsRowId =
  | 'load'
  | 'get'
  | 'get-many'
  | 'scan-all'
  | 'scan-100'
  | 'put-relaxed'
  | 'put-strict'
  | 'put-many'
  | 'batch'

/** Operations a second. */
export type OpfsFigures = Readonly<Record<OpfsRowId, number>>

/** What a page is asked to measure. */
export interface OpfsTask {
  readonly store: StoreName
  readonly keys: number
  /** How long a row may take. */
  readonly seconds: number
}

export function isStoreName(name: string): name is StoreName {
  return storeNames.some(known => known === name)
}

const atOnce = 1_000
const scanLength = 100
const warmUps = 2_000

/** All rows, in an origin where nothing of the kind is stored. */
export async function measureOpfs(open: OpenStore, { keys, seconds }: OpfsTask): Promise<OpfsFigures> {
  const data = dataSet('users', keys)
  const relaxed = await open('relaxed')
  const figures = {
    load: await load(relaxed, data),
    get: await gets(relaxed, data, seconds),
    'get-many': await getsAtOnce(relaxed, data, seconds),
    'scan-all': await scanAll(relaxed, data, seconds),
    'scan-100': await shortScans(relaxed, data, seconds),
    'put-relaxed': await puts(relaxed, data, seconds)
  }
  await relaxed.close()
  const strict = await open('strict')
  const overwrite = { total: 1e6, sliceLength: atOnce, seconds, prepare: entriesOf(data, uniform(1e6, keys, 12)) }
  const all = {
    ...figures,
    'put-strict': await puts(strict, data, seconds),
    'put-many': perSecond(await timedSlices(overwrite, entries => strict.putMany(entries))),
    batch: perSecond(await timedSlices(overwrite, entries => strict.putBatch(entries)))
  }
  await strict.close()
  return all
}

async function load(store: Store, data: DataSet): Promise<number> {
  const order = Uint32Array.from({ length: data.count }, (_, i) => i)
  const slices = { total: data.count, sliceLength: atOnce, seconds: Number.POSITIVE_INFINITY }
  return perSecond(
    await timedSlices({ ...slices, prepare: entriesOf(data, order) }, entries => store.putBatch(entries))
  )
}

async function gets(store: Store, data: DataSet, seconds: number): Promise<number> {
  const order = shuffled(data.count, 3)
  const prepare = keysOf(data, order)
  const read = async (keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      const pending = store.get(key)
      const value = pending instanceof Promise ? await pending : pending
      if (value?.length !== data.valueBytes) throw new Error('a key that was loaded is missing')
    }
  }
  await read(prepare(0, warmUps))
  return perSecond(await timedSlices({ total: data.count, sliceLength: atOnce, seconds, prepare }, read))
}

async function getsAtOnce(store: Store, data: DataSet, seconds: number): Promise<number> {
  const slices = { total: data.count, sliceLength: atOnce, seconds, prepare: keysOf(data, shuffled(data.count, 4)) }
  const read = async (keys: readonly string[]): Promise<void> => {
    if ((await store.getMany(keys)) !== keys.length) throw new Error('a key that was loaded is missing')
  }
  await read(slices.prepare(0, atOnce))
  return perSecond(await timedSlices(slices, read))
}

async function scanAll(store: Store, data: DataSet, seconds: number): Promise<number> {
  const scan = async (): Promise<void> => {
    const entries = await store.scanAll()
    if (entries !== data.count) throw new Error(`the scan found ${entries} of ${data.count} entries`)
  }
  await scan()
  const scans = await repeated(seconds, scan)
  return perSecond(scans) * data.count
}

async function shortScans(store: Store, data: DataSet, seconds: number): Promise<number> {
  const starts = keysOf(data, uniform(100_000, data.count - scanLength, 8))
  const slices = { total: 100_000, sliceLength: 20, seconds, prepare: starts }
  const scans = await timedSlices(slices, async keys => {
    for (const key of keys) {
      const pending = store.scan(key, scanLength)
      const entries = pending instanceof Promise ? await pending : pending
      if (entries !== scanLength) throw new Error(`a scan found ${entries} entries`)
    }
  })
  return perSecond(scans) * scanLength
}

async function puts(store: Store, data: DataSet, seconds: number): Promise<number> {
  const slices = { total: 1e6, sliceLength: 50, seconds, prepare: entriesOf(data, uniform(1e6, data.count, 9)) }
  const result = await timedSlices(slices, async entries => {
    for (const { key, value } of entries) {
      const pending = store.put(key, value)
      if (pending instanceof Promise) await pending
    }
  })
  return perSecond(result)
}

async function repeated(seconds: number, body: () => MaybePromise<unknown>): Promise<Timed> {
  let operations = 0
  let elapsed = 0
  while (elapsed < seconds) {
    elapsed += (await timed(1, body)).seconds
    operations++
  }
  return { operations, seconds: elapsed }
}

function keysOf(data: DataSet, order: Uint32Array): (from: number, to: number) => string[] {
  return (from, to) => Array.from(order.subarray(from, to), index => String(data.key(index)))
}

function entriesOf(data: DataSet, order: Uint32Array): (from: number, to: number) => Entry[] {
  // An overwrite is no write of what is there.
  return (from, to) =>
    Array.from(order.subarray(from, to), (index, i) => ({ key: String(data.key(index)), value: data.value(from + i) }))
}
