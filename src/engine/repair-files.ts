// Which files a repair makes, and how the repaired database takes the place of the damaged one.
//
//   data.ldb.repairing     the new data file while it is made; means nothing
//   data.ldb.repaired-3    the new data file, whole and synced, of the third repair here
//   data.ldb.damaged-3     what the third repair found as data.ldb; likewise for the logs
//
// A crash may come between any two renames. As long as there is a data.ldb, it counts, with its logs, and whatever a
// repair has left is swept away by the next. Where there is none but a repaired one, moving the damaged data file away
// was the moment from which on the repair goes on: `finishRepair` ends it, at the next `open` or `repair`. So the logs
// are moved only when it is durable that the damaged data file no longer counts, else it would be found without them.
import { dataFileName, logFileNames } from '../store/format.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** The names of repaired data files that have not taken their place. */
export const repairedPattern = /^data\.ldb\.repaired-(\d+)$/

/** The name under which repair `number` keeps a damaged file. */
export function damagedName(name: string, number: number): string {
  return `${name}.damaged-${number}`
}

/**
 * Ends a repair that was interrupted while it exchanged the files. Call it, with the lock held, where there is no
 * `data.ldb`; tells whether there is one now.
 */
export async function finishRepair(vfs: Vfs): Promise<boolean> {
  const number = largest(await vfs.list(), repairedPattern)
  if (number === 0) return false
  await moveIn(vfs, number)
  return true
}

/**
 * Name of the data file of a repair that was interrupted while it exchanged the files, if there is one; only meant
 * where there is no `data.ldb`.
 */
export async function unfinishedRepair(vfs: Vfs): Promise<string | undefined> {
  const number = largest(await vfs.list(), repairedPattern)
  return number === 0 ? undefined : repairedName(number)
}

/** Lets the repaired data file take its place, from the moment on in which there is no `data.ldb`. */
export async function moveIn(vfs: Vfs, number: number): Promise<void> {
  for (const name of logFileNames) {
    if (await vfs.exists(name)) await vfs.rename(name, damagedName(name, number))
  }
  await vfs.syncDirectory()
  await vfs.rename(repairedName(number), dataFileName)
  await vfs.syncDirectory()
}

/** The name of the new data file that repair `number` has made. */
export function repairedName(number: number): string {
  return `${dataFileName}.repaired-${number}`
}

/** The largest number that the pattern finds in the names; 0: none. */
export function largest(names: readonly string[], pattern: RegExp): number {
  return names.reduce((most, name) => Math.max(most, Number(pattern.exec(name)?.[1] ?? 0)), 0)
}
