// What a repair does with files, from its beginning to the exchange. `repair-files.ts` has their names, and completes
// an exchange that was interrupted.
import { dataFileName } from '../store/format.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { damagedName, largest, moveIn, repairedName, repairedPattern } from './repair-files.ts'

/** What the new data file is called while it is made. */
export const buildName = `${dataFileName}.repairing`
const numberedPattern = /\.ldb\.(?:damaged|repaired)-(\d+)$/

/** A number that no earlier repair of this database has used. */
export async function nextRepair(vfs: Vfs): Promise<number> {
  return largest(await vfs.list(), numberedPattern) + 1
}

/** Removes unfinished files of earlier repairs. The damaged files that these kept stay. */
export async function sweepRepairs(vfs: Vfs): Promise<void> {
  for (const name of await vfs.list()) {
    if (name.startsWith(buildName) || repairedPattern.test(name)) await vfs.remove(name)
  }
}

/** Puts the finished data file in the place of the damaged database, whose files are kept under other names. */
export async function exchange(vfs: Vfs, number: number): Promise<void> {
  await vfs.rename(buildName, repairedName(number))
  await vfs.syncDirectory()
  if (await vfs.exists(dataFileName)) {
    await vfs.rename(dataFileName, damagedName(dataFileName, number))
    await vfs.syncDirectory()
  }
  await moveIn(vfs, number)
}
