import { median } from '../statistics.ts'
import { timed } from '../timing.ts'
import { type Context, type Group, openDriver, writesTo } from './context.ts'
import { emptyDirectory } from './directory.ts'

/** As many single puts as leave a log of 60 MiB: 184 bytes a frame, safely below the 64 MiB that start a checkpoint. */
const loggedPuts = 340_000

const reopenings = 9

/**
 * From the call of `open` to the first value: in a process that has not opened a database before (which for Lightning DB
 * compiles its kernel), and the median of opening it again in the same process.
 */
export const opening: Group = async context => {
  await context.engine.load()
  const first = await openAndGet(context)
  const again: number[] = []
  for (let i = 0; i < reopenings; i++) again.push(await openAndGet(context))
  return [
    { row: 'open-first', value: first },
    { row: 'open', value: median(again) }
  ]
}

async function openAndGet(context: Context): Promise<number> {
  const started = performance.now()
  const driver = await openDriver(context, 'relaxed')
  const found = driver.get(driver.native(context.data.key(0)))
  const tookMs = performance.now() - started
  if (found === undefined) throw new Error('the first key is missing')
  await driver.close()
  return tookMs
}

/** Fills a log and dies in the middle of it, as a power failure would have it. */
export const crashing: Group = async context => {
  await emptyDirectory(context.directory)
  const driver = await openDriver(context, 'relaxed')
  const { data } = context
  const order = Uint32Array.from({ length: loggedPuts }, (_, i) => i % data.count)
  const writes = writesTo(driver, data, order)
  for (let from = 0; from < loggedPuts; from += 1000) {
    const pending: unknown[] = []
    for (const { key, value } of writes.slice(from, from + 1000)) pending.push(driver.putConcurrently(key, value))
    await Promise.all(pending)
  }
  process.kill(process.pid, 'SIGKILL')
  return []
}

/** Opens what `crashing` left behind. */
export const recovering: Group = async context => {
  let driver: Awaited<ReturnType<typeof openDriver>> | undefined
  const { seconds } = await timed(loggedPuts, async () => {
    driver = await openDriver(context, 'relaxed')
  })
  if (driver === undefined || driver.get(driver.native(context.data.key(0))) === undefined) {
    throw new Error('what was written before the crash is missing')
  }
  await driver.close()
  return [
    { row: 'recovery', value: loggedPuts / seconds },
    { row: 'recovery-time', value: seconds * 1000 }
  ]
}
