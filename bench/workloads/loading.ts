import { rm } from 'node:fs/promises'
import type { DataSet } from '../data.ts'
import type { Driver } from '../drivers/driver.ts'
import type { Figure } from '../figures.ts'
import { shuffled } from '../random.ts'
import { timed } from '../timing.ts'
import { type Context, type Group, look, nativeKeys, openDriver, range } from './context.ts'
import { deleteRandomly } from './deleting.ts'
import { diskBytes, emptyDirectory } from './directory.ts'

const batchLength = 1000
const warmUpEntries = 50_000
/** Fewer are put in within milliseconds, in which anything may happen on a shared machine. */
const leastEntries = 200_000

/** Loads in key order into the directory that the reading groups then use. */
export const loadOrdered: Group = async context => {
  return load(context, 'load-ordered', () => range(0, context.data.count))
}

/** Loads in random order, closes, weighs, opens again and deletes. */
export const loadRandom: Group = async context => {
  const order = shuffled(context.data.count, 1)
  const figures = await load(context, 'load-random', () => order)
  const disk: Figure = { row: 'disk', value: (await diskBytes(context.directory)) / (1 << 20) }
  return [...figures, disk, await deleteRandomly(context)]
}

/** Loads in random order for the shapes: they are read next. */
export const loadShape: Group = async context => {
  const order = shuffled(context.data.count, 1)
  const figures = await load(context, 'load-random', () => order)
  return [...figures, { row: 'disk', value: (await diskBytes(context.directory)) / (1 << 20) }]
}

/** Loads as often as it takes to put in `leastEntries`, each time into an empty directory; the last load stays there. */
async function load(context: Context, row: string, order: () => Iterable<number>): Promise<Figure[]> {
  await warmUp(context)
  const { count } = context.data
  const times = Math.ceil(leastEntries / count)
  let loading = 0
  let closing = 0
  for (let time = 0; time < times; time++) {
    await emptyDirectory(context.directory)
    const driver = await openDriver(context, 'relaxed')
    loading += await loadAll(driver, context.data, order())
    closing += (await timed(count, () => driver.close())).seconds
  }
  return [
    { row, value: (times * count) / loading },
    { row: `${row}-closed`, value: (times * count) / (loading + closing) }
  ]
}

/** Loads some entries into a database that is thrown away, so that small loads do not measure a cold compiler. */
async function warmUp(context: Context): Promise<void> {
  const directory = `${context.directory}-warm-up`
  await emptyDirectory(directory)
  const driver = await openDriver({ ...context, directory }, 'relaxed')
  await loadAll(driver, context.data, range(0, warmUpEntries))
  await driver.close()
  await rm(directory, { recursive: true })
}

/** Loads all entries in batches; the seconds are those inside the engine. */
export async function loadAll(driver: Driver, data: DataSet, order: Iterable<number>): Promise<number> {
  let seconds = 0
  for (const indexes of groupsOf(order, batchLength)) {
    const keys = nativeKeys(driver, data, indexes)
    const values = indexes.map(data.value)
    for (const value of values) look(value)
    seconds += (await timed(indexes.length, () => driver.putBatch(keys, values))).seconds
  }
  return seconds
}

function* groupsOf(order: Iterable<number>, length: number): Iterable<number[]> {
  let group: number[] = []
  for (const index of order) {
    group.push(index)
    if (group.length === length) {
      yield group
      group = []
    }
  }
  if (group.length > 0) yield group
}
