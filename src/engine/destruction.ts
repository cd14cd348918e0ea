// Removing a database, file by file, so that a crash in the middle leaves the whole database or none.
//
//   data.ldb.destroyed     the former data.ldb. If this file is there and data.ldb is not, there is no database
//
// Renaming the data file is the moment at which the database is gone. The new name is made durable before any other
// file is removed, and this file is removed last. What a crash leaves is removed by the next `destroy`, or by the next
// opening that creates a database there.
import { dataFileName } from '../store/format.ts'
import { isDatabaseFile, type Vfs } from '../vfs/vfs.ts'
import { unfinishedRepair } from './repair-files.ts'

const destroyedName = `${dataFileName}.destroyed`

/** Removes the database in `vfs`, with the directory if nothing else is in it. Call it with the lock held. */
export async function destroyFiles(vfs: Vfs): Promise<void> {
  const isThere = await vfs.exists(dataFileName)
  if (isThere || !(await isDestroyed(vfs))) {
    // A log without a data file is a damaged database, and stays one until the last file is removed.
    const data = isThere ? dataFileName : await unfinishedRepair(vfs)
    if (data !== undefined) await vfs.rename(data, destroyedName)
    await vfs.syncDirectory()
  }
  await removeOthers(vfs)
  await vfs.removeAll()
}

/**
 * Whether a database is being destroyed here, or its destruction was interrupted. Means something only where there is
 * no `data.ldb`.
 */
export async function isDestroyed(vfs: Vfs): Promise<boolean> {
  return await vfs.exists(destroyedName)
}

/**
 * Removes what an interrupted destruction has left, if there was one. To be called with the lock held, where there is
 * no `data.ldb`.
 */
export async function finishDestruction(vfs: Vfs): Promise<void> {
  if (!(await isDestroyed(vfs))) return
  await removeOthers(vfs)
  await vfs.remove(destroyedName)
  // If a crash brought the file back, a new database here would count as destroyed as soon as its data file were
  // missing.
  await vfs.syncDirectory()
}

async function removeOthers(vfs: Vfs): Promise<void> {
  for (const name of await vfs.list()) {
    if (isDatabaseFile(name) && name !== destroyedName) await vfs.remove(name)
  }
  await vfs.syncDirectory()
}
