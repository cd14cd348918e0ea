// A log whose syncs in the pool end when the test says so.
import type { Vfs, VfsFile } from '../../src/vfs/vfs.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { type Deferred, deferred } from '../support/deferred.ts'

export interface HeldLog {
  readonly vfs: Vfs
  /** What the pool was asked to do; resolving one ends it. */
  readonly syncs: Deferred<void>[]
  /** Syncs that have ended are added: 'log synced'. */
  readonly told: string[]
}

export function heldLog(): HeldLog {
  const log: HeldLog = { vfs: memoryVfs(), syncs: [], told: [] }
  const open = log.vfs.open.bind(log.vfs)
  log.vfs.open = async (name, options) => {
    const file = await open(name, options)
    return name.startsWith('wal') ? held(file, log) : file
  }
  return log
}

function held(file: VfsFile, { syncs, told }: HeldLog): VfsFile {
  return {
    name: file.name,
    readAt: (into, offset) => file.readAt(into, offset),
    writeAt: (bytes, offset) => file.writeAt(bytes, offset),
    sync: () => {
      file.sync()
      told.push('log synced')
    },
    syncAsync: async () => {
      const sync = deferred()
      syncs.push(sync)
      await sync.promise
      await file.syncAsync()
      told.push('log synced')
    },
    truncate: bytes => file.truncate(bytes),
    size: () => file.size(),
    close: () => file.close()
  }
}
