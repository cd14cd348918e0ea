// The core workloads of YCSB with one client: every operation is done before the next begins.
// Source: Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", SoCC 2010.
import type { Driver, NativeKey } from '../drivers/driver.ts'
import type { Figure } from '../figures.ts'
import { generator, zipfian } from '../random.ts'
import { perSecond, timedSlices } from '../timing.ts'
import { type Context, type Group, look, openDriver } from './context.ts'

type Step = 'read' | 'update' | 'scan' | 'insert' | 'modify'

interface Operation {
  readonly step: Step
  readonly key: NativeKey
  readonly value: Uint8Array
  /** Entries of a scan. */
  readonly length: number
}

interface Mix {
  readonly row: string
  readonly operations: number
  /** What is done `share` of 100 times; the rest is `other`. */
  readonly step: Step
  readonly share: number
  readonly other: Step
}

const mixes: readonly Mix[] = [
  { row: 'ycsb-c', operations: 400_000, step: 'read', share: 100, other: 'read' },
  { row: 'ycsb-b', operations: 400_000, step: 'read', share: 95, other: 'update' },
  { row: 'ycsb-a', operations: 400_000, step: 'read', share: 50, other: 'update' },
  { row: 'ycsb-f', operations: 400_000, step: 'read', share: 50, other: 'modify' },
  { row: 'ycsb-e', operations: 50_000, step: 'scan', share: 95, other: 'insert' }
]

const longestScan = 100
const seconds = 3

export const ycsb: Group = async context => {
  const driver = await openDriver(context, 'relaxed')
  const figures: Figure[] = []
  for (const mix of mixes) figures.push(await run(driver, context, mix))
  await driver.close()
  return figures
}

async function run(driver: Driver, context: Context, mix: Mix): Promise<Figure> {
  const { data } = context
  const random = generator(12)
  const order = zipfian(mix.operations, data.count, 13)
  // An insertion takes the next number behind all that are there.
  let next = data.count
  const prepare = (from: number, to: number): Operation[] =>
    Array.from(order.subarray(from, to), (index, i) => {
      const step = random() % 100 < mix.share ? mix.step : mix.other
      const key = driver.native(data.key(step === 'insert' ? next++ : index))
      const value = data.value(from + i)
      look(value)
      return { step, key, value, length: 1 + (random() % longestScan) }
    })
  const result = await timedSlices({ total: mix.operations, sliceLength: 200, seconds, prepare }, async operations => {
    for (const operation of operations) {
      const pending = act(driver, operation)
      if (pending instanceof Promise) await pending
    }
  })
  return { row: mix.row, value: perSecond(result) }
}

function act(driver: Driver, { step, key, value, length }: Operation): unknown {
  if (step === 'read') return present(driver.get(key))
  if (step === 'scan') return driver.scan(key, length)
  if (step === 'modify') {
    // Not slice(): of a Buffer that is no copy.
    const changed = new Uint8Array(present(driver.get(key)))
    changed[0] = ((changed[0] ?? 0) + 1) & 0xff
    return driver.put(key, changed)
  }
  return driver.put(key, value)
}

function present(value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw new Error('a key that was loaded is missing')
  return value
}
