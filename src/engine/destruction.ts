// Removing a database, file by file, so that a crash in the middle leaves all of it or what counts as nothing.
//
//   data.ldb.destroyed     what was data.ldb. Where it is and no data.ldb, no file of a database means anything
//
// Giving the data file that name is the moment from which on there is no database; it is durable before anything else
// goes, and it goes last. What is left then is removed by the next `destroy`, or by whoever makes a database there.
import { dataFileName } from '../store/format.ts'
import { isDatabaseFile, type Vfs } from '../vfs/vfs.ts'
import { unfinishedRepair } from './repair-files.ts'

const destroyedName = `${dataFileName}.destroyed`

/** Removes the database in `vfs`, with the directory if nothing else is in it. Call it with the lock held. */
export async function destroyFiles(vfs: Vfs): Promise<void> {
  const isThere = await vfs.exists(dataFileName)
  if (isThere || !(await isDestroyed(vfs))) {
    // A log without either is a damaged database, and stays one until the last file is gone.
    const data = isThere ? dataFileName : await unfinishedRepair(vfs)
    if (data !== undefined) await vfs.rename(data, destroyedName)
    await vfs.syncDirectory()
  }
  await removeOthers(vfs)
  await vfs.removeAll()
}

/**
 * Whether a database was here that is being destroyed, or whose destruction was interrupted; only meant where there is no
 * `data.ldb`.
 */
export async function isDestroyed(vfs: Vfs): Promise<boolean> {
  return await vfs.exists(destroyedName)
}

/**
 * Removes what an interrupted destruction has left, if there was one. Call it, with the lock held, where there is no
 * `data.ldb`.
 */
export async function finishDestruction(vfs: Vfs): Promise<void> {
  if (!(await isDestroyed(vfs))) return
  await removeOthers(vfs)
  await vfs.remove(destroyedName)
  // Were it still there when a crash comes, the next database here would count as removed wherever its data file is away.
  await vfs.syncDirectory()
}

async function removeOthers(vfs: Vfs): Promise<void> {
  for (const name of await vfs.list()) {
    if (isDatabaseFile(name) && name !== destroyedName) await vfs.remove(name)
  }
  await vfs.syncDirectory()
}
