// Creating a database: the data file is built under another name, synced and renamed, then the directory is synced; the
// logs are created by the opening (docs/durability.md, rule 19). A crash before the rename leaves no database, a crash
// after it an empty one.
import type { Kernel } from '../kernel/load.ts'
import { assertStatus } from '../kernel/status.ts'
import { DataFile } from '../store/data-file.ts'
import { dataFileName, newDataFileName } from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import type { Vfs, VfsFile, VfsLock } from '../vfs/vfs.ts'
import { LogFiles } from '../wal/log-files.ts'
import { Checkpoint } from './checkpoint.ts'
import { Committer } from './committer.ts'
import { Core } from './core.ts'
import { defaultPageBytes, type EngineOptions } from './options.ts'
import { resetKernel } from './recovery.ts'

/** The meta of a database that has never been written. */
export function firstMeta(pageBytes: number): Meta {
  return {
    pageBytes,
    databaseId: crypto.getRandomValues(new Uint8Array(16)),
    timeline: crypto.getRandomValues(new Uint8Array(8)),
    number: 0,
    lsn: 0,
    epoch: 1,
    timeMs: Date.now(),
    logFile: 0,
    logOffset: 0,
    logPrevious: 0,
    incarnation: [0, 0],
    tableLimit: 0,
    chunkCount: 0,
    directorySector: 0,
    directoryBytes: 0,
    directoryChecksum: 0,
    directoryCopySector: 0,
    nextTree: 2,
    closed: true
  }
}

/** Creates the data file. Throws what the system reports; then there is no database. */
export async function createDataFile(vfs: Vfs, lock: VfsLock, kernel: Kernel, options: EngineOptions): Promise<void> {
  const file = await vfs.open(newDataFileName, { create: true })
  try {
    file.truncate(0)
    const data = new DataFile(file, { maxBytes: Number.POSITIVE_INFINITY, verifyWrites: options.verifyWrites })
    const log = new LogFiles([emptyFile('wal-0.ldb'), emptyFile('wal-1.ldb')], false)
    const meta = firstMeta(options.pageSize ?? defaultPageBytes)
    const core = new Core({ location: vfs.location, options, kernel, data, log, lock, meta })
    resetKernel(core)
    assertStatus(kernel.exports.makeTrees(), 'a new database')
    const committer = new Committer(core, cause => {
      throw cause
    })
    new Checkpoint(core, committer).runSync(true)
  } finally {
    file.close()
  }
  await vfs.rename(newDataFileName, dataFileName)
  await vfs.syncDirectory()
}

/** An empty file that ignores writes: the log of a database that is being created, or of one on a read-only medium. */
export function emptyFile(name: string): VfsFile {
  return {
    name,
    readAt: () => 0,
    writeAt: () => undefined,
    sync: () => undefined,
    syncAsync: () => Promise.resolve(),
    truncate: () => undefined,
    size: () => 0,
    close: () => undefined
  }
}
