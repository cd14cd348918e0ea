// Restoring a backup: a copy with a history of its own, so that logs and backups of the old one never mix with it.
import type { Vfs } from '../vfs/vfs.ts'
import { backUp } from './backup.ts'
import type { CareOptions } from './long-operations.ts'
import { closeFiles } from './closing.ts'
import { openCore } from './opening.ts'
import { readingOptions } from './reading-options.ts'

/** Makes a database at `destination` from the backup at `backup`. Throws `LIGHTNING_EXISTS` when there is one. */
export async function restore(backup: Vfs, destination: Vfs, options: CareOptions = {}): Promise<void> {
  const core = await openCore(backup, readingOptions)
  try {
    await backUp(core, destination, { signal: options.signal, onProgress: options.onProgress, newTimeline: true })
  } finally {
    core.isClosed = true
    await closeFiles(core)
  }
}
