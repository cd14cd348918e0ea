// A worker thread with the database, terminated under load, while its process lives on.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { bundleProgram } from '../support/child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { contentFor, keyOf } from './content.ts'

test('a terminated worker loses nothing acknowledged, and its lock is free at once', { timeout: 60_000 }, async () => {
  const program = await bundleProgram(new URL('./worker-program.ts', import.meta.url))
  const location = join(await temporaryDirectory(), 'db')
  const bytes = 700
  const acknowledged: number[] = []
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(program.path, { workerData: { location, from: round * 1_000_000, bytes } })
    const most = acknowledged.length + 200 + round * 400
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', (number: number) => {
        acknowledged.push(number)
        if (acknowledged.length === most) resolve()
      })
    })
    await worker.terminate()
    const db = await open<string, Uint8Array>(location, { valueEncoding: 'view' })
    const lost = acknowledged.filter(
      number => Buffer.compare(db.get(keyOf(number)) ?? new Uint8Array(), contentFor(number, bytes)) !== 0
    )
    expect(lost).toEqual([])
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  }
  await program.remove()
})
