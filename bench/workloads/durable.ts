import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Driver, MaybePromise } from '../drivers/driver.ts'
import { uniform } from '../random.ts'
import { perSecond, type Timed, timedSlices } from '../timing.ts'
import { type Context, type Group, openDriver, type Write, writesTo } from './context.ts'
import { emptyDirectory } from './directory.ts'
import { loadAll } from './loading.ts'

const waiting = 1000
const floorBytes = 4096
const loaded = 10_000
/** Writes that each of the three measurements has to choose from; none is made twice. */
const each = 400_000
const rounds = 10
const secondsPerRound = 0.2

/**
 * Writes that are on stable storage when they are done, into a directory of their own. A shared disk is fast now and
 * slow then, so the floor is measured in turn with what is held against it.
 */
export const durable: Group = async context => {
  await emptyDirectory(context.directory)
  const driver = await openDriver(context, 'strict')
  const { data } = context
  const small = { ...data, count: Math.min(data.count, loaded) }
  await loadAll(driver, small, Array(small.count).keys())
  const order = uniform(3 * each, small.count, 11)
  const behind = (first: number) => (from: number, to: number) =>
    writesTo(driver, data, order, first + from, first + to)
  const alternating = await againstFloor(context, driver, behind(0))
  const slices = { total: each, sliceLength: waiting, seconds: 3 }
  const many = await timedSlices({ ...slices, prepare: behind(each) }, writes => {
    const pending: MaybePromise<unknown>[] = []
    for (const { key, value } of writes) pending.push(driver.putConcurrently(key, value))
    return Promise.all(pending)
  })
  const columns = (from: number, to: number) => {
    const writes = behind(2 * each)(from, to)
    return { keys: writes.map(({ key }) => key), values: writes.map(({ value }) => value) }
  }
  const batches = await timedSlices({ ...slices, prepare: columns }, ({ keys, values }) =>
    driver.putBatch(keys, values)
  )
  await driver.close()
  return [
    { row: 'durable-one', value: perSecond(alternating.puts) },
    { row: 'durable-to-floor', value: perSecond(alternating.floor) / perSecond(alternating.puts) },
    { row: 'durable-many', value: perSecond(many) },
    { row: 'durable-batch', value: perSecond(batches) }
  ]
}

/** Durable puts one at a time, in turn with what no durable write can be faster than. */
async function againstFloor(
  { directory }: Context,
  driver: Driver,
  prepare: (from: number, to: number) => Write[]
): Promise<{ puts: Timed; floor: Timed }> {
  const floor = new Floor(join(directory, 'floor'))
  const puts: Timed[] = []
  const floors: Timed[] = []
  const perRound = Math.floor(each / rounds)
  for (let round = 0; round < rounds; round++) {
    const first = round * perRound
    const slices = { sliceLength: 10, seconds: secondsPerRound }
    floors.push(await timedSlices({ ...slices, total: 20_000, prepare: (from, to) => ({ from, to }) }, floor.sync))
    const ofRound = (from: number, to: number) => prepare(first + from, first + to)
    puts.push(
      await timedSlices({ ...slices, total: perRound, prepare: ofRound }, async writes => {
        for (const { key, value } of writes) await driver.put(key, value)
      })
    )
  }
  floor.close()
  return { puts: sum(puts), floor: sum(floors) }
}

/** One block after the other written into a file that has its blocks already, and synced. */
class Floor {
  readonly #path: string
  readonly #file: number
  readonly #block = new Uint8Array(floorBytes).fill(1)

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'w')
    for (let block = 0; block < 1000; block++) writeSync(this.#file, this.#block, 0, floorBytes, block * floorBytes)
    fdatasyncSync(this.#file)
  }

  readonly sync = ({ from, to }: { readonly from: number; readonly to: number }): void => {
    for (let i = from; i < to; i++) {
      writeSync(this.#file, this.#block, 0, floorBytes, (i % 1000) * floorBytes)
      fdatasyncSync(this.#file)
    }
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#path)
  }
}

function sum(parts: readonly Timed[]): Timed {
  return parts.reduce((a, b) => ({ operations: a.operations + b.operations, seconds: a.seconds + b.seconds }))
}
