// A backup is a database: one data file with the pages, tables and metas of a snapshot, and no log. It is written page
// by page while commits go on, under another name until it is complete. The second copies of its tables come before all
// pages, so that a file that loses its end still has them.
import { IMAGE, IMAGE_CHECKSUM, IMAGE_FORMAT, TABLE_LIMIT, TIME_LOW } from '../../assembly/state.ts'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { LightningError } from '../errors.ts'
import { sectorsOf } from '../store/block-map.ts'
import { DataFile } from '../store/data-file.ts'
import {
  chunkBytes,
  chunkIds,
  dataFileName,
  directoryEntryBytes,
  entryBytes,
  logFileNames,
  metaBlocks,
  newDataFileName,
  sectorBytes,
  sectorsPerBlock
} from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import type { Vfs } from '../vfs/vfs.ts'
import type { CareOptions } from './long-operations.ts'
import type { Core } from './core.ts'
import { finishDestruction, isDestroyed } from './destruction.ts'
import { Directory } from './directory.ts'
import { Pace } from './pace.ts'
import { unfinishedRepair } from './repair-files.ts'
import { EngineSnapshot } from './snapshots.ts'

export interface BackupOptions extends CareOptions {
  /** The copy begins a history of its own, as a restored database does. */
  readonly newTimeline?: boolean
  /** Resolves when all commits made before the call are durable. */
  readonly settle?: () => Promise<void>
}

/** Writes the newest state to `destination`, which must not hold a database. */
export async function backUp(core: Core, destination: Vfs, options: BackupOptions): Promise<void> {
  const pace = new Pace(options)
  pace.check()
  await destination.prepare({ create: true })
  // Also before the lock is taken: for an open database, `LIGHTNING_EXISTS` says more than `LIGHTNING_LOCKED`.
  await refuseExisting(destination)
  const lock = await destination.lock('exclusive')
  try {
    await refuseExisting(destination)
    await finishDestruction(destination)
    await writeCopy(core, destination, pace, options)
  } finally {
    await lock.release()
  }
}

async function refuseExisting(destination: Vfs): Promise<void> {
  if (!(await holdsDatabase(destination))) return
  throw new LightningError(
    'LIGHTNING_EXISTS',
    `There is a database at ${destination.location} already. Choose another destination.`
  )
}

async function holdsDatabase(destination: Vfs): Promise<boolean> {
  if (await destination.exists(dataFileName)) return true
  // The remains of an interrupted destruction are no database.
  if (await isDestroyed(destination)) return false
  for (const name of logFileNames) if (await destination.exists(name)) return true
  // Where a repair was interrupted, only the data file may be there, under another name.
  return (await unfinishedRepair(destination)) !== undefined
}

async function writeCopy(core: Core, destination: Vfs, pace: Pace, options: BackupOptions): Promise<void> {
  const snapshot = new EngineSnapshot(core)
  const file = await destination.open(newDataFileName, { create: true })
  let isWhole = false
  try {
    file.truncate(0)
    const data = new DataFile(file, { maxBytes: Number.POSITIVE_INFINITY, verifyWrites: core.options.verifyWrites })
    await new Copy(core, snapshot, data, pace).run(options.newTimeline ?? false)
    await options.settle?.()
    // Throws if the commits that were copied have been rolled back meanwhile.
    snapshot.use()
    isWhole = true
  } finally {
    snapshot.close()
    file.close()
    // The error that led here matters more than a leftover file that no database uses.
    if (!isWhole) await destination.remove(newDataFileName).catch(() => undefined)
  }
  await destination.rename(newDataFileName, dataFileName)
  try {
    await destination.syncDirectory()
  } catch (error) {
    // Whoever is told that it failed makes it again, in the same place.
    await destination.remove(dataFileName).catch(() => undefined)
    throw error
  }
}

class Copy {
  readonly #core: Core
  readonly #snapshot: EngineSnapshot
  readonly #data: DataFile
  readonly #pace: Pace
  readonly #directory = new Directory()
  /** Where the next copy of a table goes. */
  #copySector = metaBlocks * sectorsPerBlock
  #sector = metaBlocks * sectorsPerBlock

  constructor(core: Core, snapshot: EngineSnapshot, data: DataFile, pace: Pace) {
    this.#core = core
    this.#snapshot = snapshot
    this.#data = data
    this.#pace = pace
  }

  async run(newTimeline: boolean): Promise<void> {
    const core = this.#core
    const limit = core.memory.word(TABLE_LIMIT)
    const { nextTree } = core
    const chunkCount = Math.ceil(limit / chunkIds)
    this.#directory.resize(chunkCount)
    const copySectors = chunkCount * sectorsOf(chunkBytes) + sectorsOf(chunkCount * directoryEntryBytes)
    this.#sector += Math.ceil(copySectors / sectorsPerBlock) * sectorsPerBlock
    for (let chunk = 0; chunk < chunkCount; chunk++) await this.#copyChunk(chunk, limit)
    const directory = this.#directory.encode()
    const directorySector = this.#append(directory)
    const directoryCopySector = this.#copy(directory)
    await this.#data.syncAsync()
    const meta: Meta = {
      ...core.meta,
      timeline: newTimeline ? crypto.getRandomValues(new Uint8Array(8)) : core.meta.timeline,
      number: core.meta.number + 1,
      lsn: this.#snapshot.sequence,
      // No earlier than the commits in it, though the clock may have been set back.
      timeMs: Math.max(core.memory.long(TIME_LOW), Date.now()),
      logFile: 0,
      logOffset: 0,
      logPrevious: 0,
      incarnation: [0, 0],
      tableLimit: limit,
      chunkCount,
      directorySector,
      directoryBytes: directory.length,
      directoryChecksum: core.checksum(directory, 0),
      directoryCopySector,
      nextTree,
      closed: true
    }
    for (const slot of [0, 1]) this.#data.writeMeta(slot, meta, core.checksum)
    await this.#data.syncAsync()
    this.#pace.finish(limit)
  }

  async #copyChunk(chunk: number, limit: number): Promise<void> {
    const entries = new Uint8Array(chunkBytes)
    const view = new DataView(entries.buffer)
    let used = 0
    for (let i = 0; i < chunkIds; i++) {
      const id = chunk * chunkIds + i
      if (id < limit && this.#copyPage(id, view, i * entryBytes)) used++
      await this.#pace.step(id, limit)
    }
    if (used === 0) return
    const checksum = this.#core.checksum(entries, chunk)
    this.#directory.set(chunk, this.#append(entries), chunkBytes, checksum, this.#copy(entries))
  }

  /**
   * Copies the page's image as the snapshot sees it and fills in its table entry. False: the snapshot has no such page.
   */
  #copyPage(id: number, view: DataView, at: number): boolean {
    const { memory, kernel, data } = this.#core
    const snapshot = this.#snapshot.use()
    const image = memory.word(IMAGE)
    const entry = kernel.exports.entryAt(id, snapshot) >>> 0
    const frame = kernel.exports.nextDirtyAt(id, id + 1, snapshot) >>> 0
    let bytes: number
    let format: number
    let checksum: number
    let lsnAt = entry + 12
    if (frame !== 0) {
      bytes = kernel.exports.packImage(frame, image, this.#core.options.compression === 'lz4' ? 1 : 0)
      format = memory.word(IMAGE_FORMAT)
      checksum = memory.word(IMAGE_CHECKSUM)
      lsnAt = frame + 52
    } else {
      const sector = memory.word(entry)
      if (sector === 0) return false
      bytes = memory.word(entry + 4) & 0xffffff
      format = (memory.word(entry + 4) >>> 24) & 0x3f
      checksum = memory.word(entry + 8)
      data.read(memory.bytes.subarray(image, image + bytes), sector)
      const seed = (format & ENTRY_LARGE) === 0 ? id : 0
      if (kernel.exports.xxh32(image, bytes, seed) >>> 0 !== checksum) {
        throw new LightningError(
          'LIGHTNING_CORRUPT',
          `Page ${id} of ${data.file.name} is damaged, so it cannot be backed up. Run verify, then repair.`,
          {
            file: data.file.name,
            page: id,
            offset: sector * sectorBytes
          }
        )
      }
    }
    view.setUint32(at, this.#append(memory.bytes.slice(image, image + bytes)), true)
    view.setUint32(at + 4, ((format << 24) | bytes) >>> 0, true)
    view.setUint32(at + 8, checksum, true)
    view.setUint32(at + 12, memory.word(lsnAt), true)
    view.setUint32(at + 16, memory.word(lsnAt + 4), true)
    if ((format & ENTRY_LARGE) !== 0) view.setUint32(at + 20, memory.word(entry + 20), true)
    return true
  }

  #append(bytes: Uint8Array): number {
    const sector = this.#sector
    this.#write(bytes, sector)
    this.#sector += sectorsOf(bytes.length)
    return sector
  }

  #copy(bytes: Uint8Array): number {
    const sector = this.#copySector
    this.#write(bytes, sector)
    this.#copySector += sectorsOf(bytes.length)
    return sector
  }

  #write(bytes: Uint8Array, sector: number): void {
    const padded = new Uint8Array(sectorsOf(bytes.length) * sectorBytes)
    padded.set(bytes)
    this.#data.write(padded, sector)
  }
}
