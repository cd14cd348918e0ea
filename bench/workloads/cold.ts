import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { loadKernel } from '../../src/kernel/load.ts'
import type { DataSet } from '../data.ts'
import { uniform } from '../random.ts'
import { perSecond, timed } from '../timing.ts'
import { at, type Group, nativeKeys, openDriver } from './context.ts'
import { getAll } from './reading.ts'

const leastCacheBytes = 4 << 20
const reads = 50_000
const pageBytes = 16_384
const sectorBytes = 512
/** Where the kernel's memory is free: this instance has no pages. */
const page = 1 << 16
const image = page + pageBytes
const table = image + pageBytes
const roomBytes = table + (1 << 14)

/**
 * Random gets with data ten times the cache, against what no such get can be faster than: one positional read of an
 * image of average size, its checksum, its decompression.
 */
export const cold: Group = async context => {
  const { data, directory } = context
  const cacheBytes = Math.floor((data.count * (data.valueBytes + 16)) / 10)
  if (cacheBytes < leastCacheBytes) return []
  const driver = await openDriver({ ...context, cacheBytes }, 'relaxed')
  const keys = nativeKeys(driver, data, uniform(reads, data.count, 15))
  getAll(driver, nativeKeys(driver, data, uniform(reads, data.count, 16)))
  const gets = await timed(reads, () => void getAll(driver, keys))
  const floor = await readingFloor(join(directory, 'data.ldb'), data)
  await driver.close()
  return [{ row: 'cold', value: floor / perSecond(gets) }]
}

/** Positional reads, checked and decompressed, per second. */
async function readingFloor(path: string, data: DataSet): Promise<number> {
  const { exports, memory } = await loadKernel()
  const kernelMemory = growable(memory, roomBytes)
  const bytes = new Uint8Array(kernelMemory)
  bytes.set(typicalPage(data), page)
  const imageBytes = exports.lz4Compress(page, pageBytes, image, pageBytes, table)
  const compressed = bytes.slice(image, image + imageBytes)
  const file = openSync(path, 'r')
  const sectors = Math.floor((fstatSync(file).size - imageBytes) / sectorBytes)
  const offsets = uniform(reads, sectors, 17)
  const scratch = new Uint8Array(imageBytes)
  const result = await timed(reads, () => {
    for (let i = 0; i < reads; i++) {
      readSync(file, scratch, 0, imageBytes, at(offsets, i) * sectorBytes)
      // What was read has its cost; what is decompressed must be an image.
      bytes.set(compressed, image)
      exports.xxh32(image, imageBytes, i)
      if (exports.lz4Decompress(image, imageBytes, page, pageBytes) !== pageBytes) throw new Error('not an image')
    }
  })
  closeSync(file)
  return perSecond(result)
}

function growable(memory: () => ArrayBuffer, least: number): ArrayBuffer {
  const buffer = memory()
  if (buffer.byteLength < least) throw new Error(`the kernel's memory has ${buffer.byteLength} bytes only`)
  return buffer
}

function typicalPage(data: DataSet): Uint8Array {
  const bytes = new Uint8Array(pageBytes)
  let end = pageBytes
  for (let i = 0; end > data.valueBytes + 32; i++) {
    const value = data.value(i)
    end -= value.length
    bytes.set(value, end)
    const key = Buffer.from(String(data.key(i))).subarray(-4)
    end -= key.length
    bytes.set(key, end)
  }
  return bytes
}
