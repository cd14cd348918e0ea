import { setImmediate as turn } from 'node:timers/promises'
import type { MaybePromise } from '../drivers/driver.ts'
import { uniform } from '../random.ts'
import { percentile } from '../statistics.ts'
import { perSecond, timedSlices } from '../timing.ts'
import { type Group, openDriver, slicesOf, writesTo } from './context.ts'

/** Different writes; they are made in turn. */
const prepared = 200_000
/** Steady puts whose times are kept. */
const most = 1_000_000
const pendingAtOnce = 1000
const putsPerTurn = 50

/** Single overwrites in random order, up to 1,000 under way at once where the engine can. */
export const overwriting: Group = async context => {
  const driver = await openDriver(context, 'relaxed')
  const { data } = context
  const prepare = slicesOf(writesTo(driver, data, uniform(prepared, data.count, 9)))
  const result = await timedSlices(
    { total: Number.POSITIVE_INFINITY, sliceLength: pendingAtOnce, seconds: 5, prepare },
    writes => {
      const pending: MaybePromise<unknown>[] = []
      for (const { key, value } of writes) pending.push(driver.putConcurrently(key, value))
      return Promise.all(pending)
    }
  )
  await driver.close()
  return [{ row: 'overwrite', value: perSecond(result) }]
}

/**
 * Steady writing, and how long it ever holds up its thread: each put by itself, and each turn of the event loop, in
 * which checkpoints do their slices.
 */
export const pausing: Group = async context => {
  const driver = await openDriver(context, 'relaxed')
  const { data } = context
  const prepare = slicesOf(writesTo(driver, data, uniform(prepared, data.count, 10)))
  const samples = new Float64Array(most)
  let longest = 0
  const slices = { total: most, sliceLength: putsPerTurn, seconds: 10, prepare }
  const { operations } = await timedSlices(slices, async (writes, from) => {
    let sample = from
    for (const { key, value } of writes) {
      const before = performance.now()
      const pending = driver.put(key, value)
      if (pending instanceof Promise) await pending
      const tookMs = performance.now() - before
      samples[sample++] = tookMs
      if (tookMs > longest) longest = tookMs
    }
    const before = performance.now()
    await turn()
    longest = Math.max(longest, performance.now() - before)
  })
  await driver.close()
  return [
    { row: 'pause-p999', value: percentile(samples.subarray(0, operations), 0.999) },
    { row: 'pause-longest', value: longest }
  ]
}
