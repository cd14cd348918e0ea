import { join } from 'node:path'
import type { Driver, MaybePromise } from '../drivers/driver.ts'
import { Floor } from '../floor.ts'
import { uniform } from '../random.ts'
import { perSecond, type Timed, timedSlices } from '../timing.ts'
import { type Group, openDriver, slicesOf, type Write, writesTo } from './context.ts'
import { emptyDirectory } from './directory.ts'
import { loadAll } from './loading.ts'

const waiting = 1000
const loaded = 10_000
/** Different writes; they are made in turn. */
const prepared = 100_000
const rounds = 10
/** Before what is measured: files that grow at first have their size then, and compilers have done their work. */
const warmUpSeconds = 2

/**
 * Writes that are on stable storage when they are done, into a directory of their own. A shared disk is fast now and
 * slow then, so floors are measured in turn with what is held against them.
 */
export const durable: Group = async context => {
  await emptyDirectory(context.directory)
  const driver = await openDriver(context, 'strict')
  const { data } = context
  const small = { ...data, count: Math.min(data.count, loaded) }
  await loadAll(driver, small, Array(small.count).keys())
  const slices = slicesOf(writesTo(driver, data, uniform(prepared, small.count, 11)))
  const floor = new Floor(join(context.directory, 'floor'))
  const one = await inTurn(slices, {
    puts: { sliceLength: 10, seconds: 0.2, slice: writes => putInTurn(driver, writes) },
    floor: { sliceLength: 10, seconds: 0.2, slice: writes => floor.syncEach(writes.length) }
  })
  await measured(slices, { sliceLength: waiting, seconds: warmUpSeconds, slice: writes => putAtOnce(driver, writes) })
  const many = await inTurn(slices, {
    puts: { sliceLength: waiting, seconds: 0.3, slice: writes => putAtOnce(driver, writes) },
    floor: { sliceLength: waiting, seconds: 0.1, slice: writes => floor.syncTogether(writes) }
  })
  floor.close()
  const columns = (from: number, to: number) => {
    const writes = slices(from, to)
    return { keys: writes.map(({ key }) => key), values: writes.map(({ value }) => value) }
  }
  const batches = await timedSlices(
    { total: Number.POSITIVE_INFINITY, sliceLength: waiting, seconds: 3, prepare: columns },
    ({ keys, values }) => driver.putBatch(keys, values)
  )
  await driver.close()
  return [
    { row: 'durable-one', value: perSecond(one.puts) },
    { row: 'durable-to-floor', value: perSecond(one.floor) / perSecond(one.puts) },
    { row: 'durable-many', value: perSecond(many.puts) },
    { row: 'durable-many-to-floor', value: perSecond(many.floor) / perSecond(many.puts) },
    { row: 'durable-batch', value: perSecond(batches) }
  ]
}

async function putInTurn(driver: Driver, writes: readonly Write[]): Promise<void> {
  for (const { key, value } of writes) await driver.put(key, value)
}

function putAtOnce(driver: Driver, writes: readonly Write[]): Promise<unknown> {
  const pending: MaybePromise<unknown>[] = []
  for (const { key, value } of writes) pending.push(driver.putConcurrently(key, value))
  return Promise.all(pending)
}

type Slicing = (from: number, to: number) => readonly Write[]

/** One side of a measurement against a floor; `seconds` of it a round. */
interface Side {
  readonly sliceLength: number
  readonly seconds: number
  slice(writes: readonly Write[]): MaybePromise<unknown>
}

/** Both sides in turn. */
async function inTurn(
  slices: Slicing,
  sides: { readonly puts: Side; readonly floor: Side }
): Promise<{ puts: Timed; floor: Timed }> {
  const floors: Timed[] = []
  const puts: Timed[] = []
  for (let round = 0; round < rounds; round++) {
    floors.push(await measured(slices, sides.floor))
    puts.push(await measured(slices, sides.puts))
  }
  return { puts: sum(puts), floor: sum(floors) }
}

function measured(prepare: Slicing, { sliceLength, seconds, slice }: Side): Promise<Timed> {
  return timedSlices({ total: Number.POSITIVE_INFINITY, sliceLength, seconds, prepare }, slice)
}

function sum(parts: readonly Timed[]): Timed {
  return parts.reduce((a, b) => ({ operations: a.operations + b.operations, seconds: a.seconds + b.seconds }))
}
