import { open } from '../../src/index.ts'
import type { Group } from './context.ts'
import { emptyDirectory } from './directory.ts'

const cacheBytes = 64 << 20
const valueBytes = 256 << 20

/**
 * How much the process grows at most while one value of 256 MiB is stored and read back with 64 MiB of cache, without
 * the caller's own two copies of it. The value is noise, which no compression makes shorter.
 */
export const largeValue: Group = async ({ directory }) => {
  await emptyDirectory(directory)
  const value = noise(valueBytes)
  const database = await open<string, Uint8Array>(directory, { valueEncoding: 'view', cacheBytes })
  const before = process.memoryUsage.rss()
  await database.put('large', value)
  const found = database.get('large')
  const highest = process.resourceUsage().maxRSS * 1024
  if (found === undefined || Buffer.compare(found, value) !== 0) throw new Error('another value came back')
  await database.close()
  return [{ row: 'memory-value', value: (highest - before - valueBytes) / (1 << 20) }]
}

function noise(bytes: number): Uint8Array {
  const words = new Uint32Array(bytes >>> 2)
  let state = 0x9e3779b9
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer)
}
