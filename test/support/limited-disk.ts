// A disk of limited size that can also corrupt what is written: a `Vfs` around another one.
import { LightningError } from '../../src/errors.ts'
import type { Vfs, VfsFile } from '../../src/vfs/vfs.ts'

export interface LimitedDisk {
  readonly vfs: Vfs
  /** Bytes that all files together may take. As on a real disk, only writing takes them, a block of 4 KiB at a time. */
  capacity: number
  /** Bytes that the files take. */
  readonly used: number
  /** Replaces bytes on their way to the disk, while the caller is told that they were written; undefined: does not. */
  corrupt: ((file: string, bytes: Uint8Array, offset: number) => Uint8Array) | undefined
}

const blockBytes = 4_096

/** `tells`: whether it says how much space is free. */
export function limitedDisk(inner: Vfs, capacity: number, tells = true): LimitedDisk {
  const taken = new Map<string, Set<number>>()
  const blocksOf = (name: string) => {
    const blocks = taken.get(name) ?? new Set()
    taken.set(name, blocks)
    return blocks
  }
  const disk = {
    capacity,
    corrupt: undefined as LimitedDisk['corrupt'],
    get used(): number {
      return [...taken.values()].reduce((sum, blocks) => sum + blocks.size, 0) * blockBytes
    },
    vfs: inner
  }
  const limited = (name: string, file: VfsFile): VfsFile => ({
    name: file.name,
    readAt: (into, offset) => file.readAt(into, offset),
    sync: () => file.sync(),
    syncAsync: () => file.syncAsync(),
    size: () => file.size(),
    close: () => file.close(),
    writeAt(bytes, offset) {
      const blocks = blocksOf(name)
      for (let block = Math.floor(offset / blockBytes); block * blockBytes < offset + bytes.length; block++) {
        if (blocks.has(block)) continue
        if (disk.used + blockBytes > disk.capacity) {
          const fitting = Math.max(0, block * blockBytes - offset)
          if (fitting > 0) file.writeAt(bytes.subarray(0, fitting), offset)
          throw new LightningError('LIGHTNING_DISK_FULL', `The disk under ${name} is full. Free some space.`)
        }
        blocks.add(block)
      }
      file.writeAt(disk.corrupt?.(name, bytes, offset) ?? bytes, offset)
    },
    truncate(bytes) {
      const blocks = blocksOf(name)
      for (const block of [...blocks]) if (block * blockBytes >= bytes) blocks.delete(block)
      file.truncate(bytes)
    }
  })
  disk.vfs = {
    location: inner.location,
    prepare: options => inner.prepare(options),
    lock: kind => inner.lock(kind),
    open: async (name, options) => limited(name, await inner.open(name, options)),
    exists: name => inner.exists(name),
    list: () => inner.list(),
    async remove(name) {
      await inner.remove(name)
      taken.delete(name)
    },
    async rename(from, to) {
      await inner.rename(from, to)
      taken.set(to, blocksOf(from))
      taken.delete(from)
    },
    syncDirectory: () => inner.syncDirectory(),
    ...(tells ? { freeBytes: () => disk.capacity - disk.used } : {}),
    removeAll: () => inner.removeAll()
  }
  return disk
}
