// A data file changed by hand and given right checksums again: damage that only checks of the structure can find.
import { loadKernel } from '../../src/kernel/load.ts'
import { KernelMemory } from '../../src/kernel/kernel-memory.ts'
import { checksumOf } from '../../src/engine/core.ts'
import { chunkBytes, chunkIds, dataFileName, entryBytes, metaBytes, sectorBytes } from '../../src/store/format.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** A page and its table entry, to be changed in place. The database must have been written without compression. */
export interface OpenedPage {
  readonly page: DataView
  readonly entry: DataView
}

/** Changes page `id` of the closed database on the disk and puts every checksum above it right. */
export async function reseal(disk: SimulatedDisk, id: number, change: (opened: OpenedPage) => void): Promise<void> {
  const kernel = await loadKernel(undefined)
  const memory = new KernelMemory(kernel)
  kernel.exports.setUp(4_096, 64)
  const bytes = disk.bytes(dataFileName).slice()
  const view = new DataView(bytes.buffer)
  const checksum = (from: number, length: number, seed: number): number =>
    checksumOf(kernel, memory, bytes.subarray(from, from + length), seed)
  const directory = view.getUint32(112, true) * sectorBytes
  const chunk = Math.floor(id / chunkIds)
  const place = directory + chunk * 16
  const chunkAt = view.getUint32(place, true) * sectorBytes
  const entryAt = chunkAt + (id % chunkIds) * entryBytes
  const pageAt = view.getUint32(entryAt, true) * sectorBytes
  const pageBytes = view.getUint32(entryAt + 4, true) & 0xffffff
  change({
    page: new DataView(bytes.buffer, pageAt, pageBytes),
    entry: new DataView(bytes.buffer, entryAt, entryBytes)
  })
  view.setUint32(entryAt + 8, checksum(pageAt, pageBytes, id), true)
  view.setUint32(place + 8, checksum(chunkAt, chunkBytes, chunk), true)
  bytes.copyWithin(view.getUint32(place + 12, true) * sectorBytes, chunkAt, chunkAt + chunkBytes)
  bytes.copyWithin(view.getUint32(132, true) * sectorBytes, directory, directory + view.getUint32(116, true))
  view.setUint32(120, checksum(directory, view.getUint32(116, true), 0), true)
  disk.place(dataFileName, bytes)
  await resealMeta(disk, () => undefined)
}

/** Changes both meta slots of the closed database and puts their checksums right. */
export async function resealMeta(disk: SimulatedDisk, change: (meta: DataView) => void): Promise<void> {
  const kernel = await loadKernel(undefined)
  const memory = new KernelMemory(kernel)
  kernel.exports.setUp(4_096, 64)
  const bytes = disk.bytes(dataFileName).slice()
  const view = new DataView(bytes.buffer)
  change(view)
  view.setUint32(metaBytes - 4, checksumOf(kernel, memory, bytes.subarray(0, metaBytes - 4), 0), true)
  bytes.set(bytes.subarray(0, metaBytes), 4_096)
  disk.place(dataFileName, bytes)
}
