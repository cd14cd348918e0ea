import { dataFileName, logFileNames } from '../store/format.ts'
import { memoryVfs } from '../vfs/memory.ts'
import type { Vfs, VfsFile, VfsLock, VfsOpenOptions } from '../vfs/vfs.ts'
import { buildName, sweepRepairs } from './repair-exchange.ts'

/**
 * Where the new database is made: its data file beside the damaged one under another name, its logs in memory, since a
 * repair that is interrupted begins anew. The caller holds the lock.
 */
export class RepairVfs implements Vfs {
  readonly location: string
  readonly #vfs: Vfs
  readonly #lock: VfsLock
  readonly #logs = memoryVfs()

  constructor(vfs: Vfs, lock: VfsLock) {
    this.location = vfs.location
    this.#vfs = vfs
    this.#lock = lock
  }

  async prepare(): Promise<boolean> {
    return true
  }

  async lock(): Promise<VfsLock> {
    const outer = this.#lock
    return { kind: 'exclusive', ours: () => outer.ours(), release: async () => undefined }
  }

  async open(name: string, options?: VfsOpenOptions): Promise<VfsFile> {
    const file = await this.#placeOf(name).open(mapped(name), options)
    if (options?.create !== true || !name.startsWith(dataFileName)) return file
    // From the first byte on nobody else may read it than the damaged files.
    for (const damaged of [dataFileName, ...logFileNames]) {
      if (!(await this.#vfs.exists(damaged))) continue
      this.#vfs.copyRights?.(damaged, mapped(name))
      break
    }
    return file
  }

  exists(name: string): Promise<boolean> {
    return this.#placeOf(name).exists(mapped(name))
  }

  async list(): Promise<string[]> {
    return []
  }

  remove(name: string): Promise<void> {
    return this.#placeOf(name).remove(mapped(name))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#placeOf(from).rename(mapped(from), mapped(to))
  }

  syncDirectory(): Promise<void> {
    return this.#vfs.syncDirectory()
  }

  freeBytes(): number | undefined {
    return this.#vfs.freeBytes?.()
  }

  removeAll(): Promise<void> {
    return sweepRepairs(this.#vfs)
  }

  #placeOf(name: string): Vfs {
    return name.startsWith(dataFileName) ? this.#vfs : this.#logs
  }
}

function mapped(name: string): string {
  return name.startsWith(dataFileName) ? buildName + name.slice(dataFileName.length) : name
}
