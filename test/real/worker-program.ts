// A worker that writes as fast as it can and tells what was acknowledged, until it is terminated.
import { parentPort, workerData } from 'node:worker_threads'
import { open } from '../../src/index.ts'
import { contentFor, keyOf } from './content.ts'

const { location, from, bytes }: { location: string; from: number; bytes: number } = workerData
const db = await open<string, Uint8Array>(location, { valueEncoding: 'view', walBytes: 1 << 20 })
let next = from
const write = async () => {
  while (true) {
    const number = next++
    await db.put(keyOf(number), contentFor(number, bytes))
    parentPort?.postMessage(number)
  }
}
await Promise.all(Array.from({ length: 10 }, write))
