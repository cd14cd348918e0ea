import type { MaybePromise } from '../drivers/driver.ts'
import type { Figure } from '../figures.ts'
import { shuffled } from '../random.ts'
import { perSecond, timedSlices } from '../timing.ts'
import { at, type Context, nativeKeys, openDriver, part } from './context.ts'

const most = 200_000
const pendingAtOnce = 1000

/** Deletes keys one by one in random order, up to 1,000 under way at once where the engine can. */
export async function deleteRandomly(context: Context): Promise<Figure> {
  const driver = await openDriver(context, 'relaxed')
  const order = shuffled(context.data.count, 2).subarray(0, most)
  const keys = nativeKeys(driver, context.data, order)
  const slices = { total: keys.length, sliceLength: pendingAtOnce, seconds: 5, prepare: part(keys) }
  const result = await timedSlices(slices, some => {
    const pending: MaybePromise<unknown>[] = []
    for (const key of some) pending.push(driver.deleteConcurrently(key))
    return Promise.all(pending)
  })
  if (driver.get(at(keys, 0)) !== undefined) throw new Error('a deleted key is still there')
  await driver.close()
  return { row: 'delete', value: perSecond(result) }
}
