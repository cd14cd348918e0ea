// A program for every runtime: `write` puts one durable number after the other and tells of each; `try` opens, `connect`
// connects, and tells how that went; `worker` lets a thread open the database, ends the thread, and opens it itself.
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { connect, isLightningError, open } from '../../src/index.ts'

async function write(location: string): Promise<void> {
  const db = await open<string, number>(location, { walBytes: 1 << 20 })
  console.log('opened')
  for (let i = db.get('last') ?? 0; ; i++) {
    await db.batch([
      { type: 'put', key: 'last', value: i },
      { type: 'put', key: `at-${i % 5_000}`, value: i }
    ])
    console.log(`wrote ${i}`)
  }
}

async function attempt(location: string, connects = false): Promise<string> {
  try {
    const db = connects ? await connect(location) : await open(location)
    await db.put('tried', 1)
    await db.close()
    return 'opened'
  } catch (error) {
    if (!isLightningError(error)) throw error
    return `${error.code} ${error.message}`
  }
}

async function openInThread(location: string): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: location })
  await new Promise(resolve => worker.once('message', resolve))
  console.log(`held ${await attempt(location)}`)
  await worker.terminate()
  console.log(`free ${await attemptUntilFree(location)}`)
}

/** Deno's promise of an end comes a little before the thread has let go of what it held. */
async function attemptUntilFree(location: string): Promise<string> {
  const longestMs = 10_000
  const startedMs = performance.now()
  while (true) {
    const result = await attempt(location)
    if (!result.startsWith('LIGHTNING_LOCKED') || performance.now() - startedMs > longestMs) return result
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

if (isMainThread) {
  const [mode, location = ''] = process.argv.slice(2)
  if (mode === 'write') await write(location)
  else if (mode === 'worker') await openInThread(location)
  else console.log(await attempt(location, mode === 'connect'))
} else {
  await open(String(workerData))
  parentPort?.postMessage('opened')
  // The thread lives on until it is ended.
  setInterval(() => undefined, 1_000)
}
