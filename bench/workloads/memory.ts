import { uniform } from '../random.ts'
import type { Group } from './context.ts'
import { nativeKeys, openDriver } from './context.ts'
import { emptyDirectory } from './directory.ts'
import { loadAll } from './loading.ts'
import { getAll } from './reading.ts'

const cacheBytes = 64 << 20
const reads = 200_000
const readsAtOnce = 1000
const loadsAtOnce = 10_000

/**
 * How much the process grows while it loads and reads, with 64 MiB of cache. Keys and values are made as they are
 * needed. For LMDB this contains the file, as far as it is mapped and touched.
 */
export const memory: Group = async context => {
  await emptyDirectory(context.directory)
  const before = process.memoryUsage.rss()
  let highest = before
  const look = () => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }
  const driver = await openDriver({ ...context, cacheBytes }, 'relaxed')
  const { data } = context
  for (let from = 0; from < data.count; from += loadsAtOnce) {
    const length = Math.min(loadsAtOnce, data.count - from)
    await loadAll(
      driver,
      data,
      Array.from({ length }, (_, i) => from + i)
    )
    look()
  }
  for (let from = 0; from < reads; from += readsAtOnce) {
    getAll(driver, nativeKeys(driver, data, uniform(readsAtOnce, data.count, 14 + from)))
    look()
  }
  await driver.close()
  return [{ row: 'memory', value: (highest - before) / (1 << 20) }]
}
