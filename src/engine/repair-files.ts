// Which files a repair makes, and how the repaired database takes the place of the damaged one.
//
//   data.ldb.repairing     the new data file while it is being made; it has no meaning
//   data.ldb.repaired-3    the new data file of the third repair, complete and synced
//   data.ldb.damaged-3     the data.ldb that the third repair has found; likewise for the logs
//
// A crash may come between any two renames. As long as there is a data.ldb, it counts, with its logs, and the next
// repair removes what this one has left. The repair takes effect when the first damaged file is moved away, the data
// file if there is one: if there are a repaired data file and a damaged file of one number but no data.ldb, the next
// `open` or `repair` completes the exchange (`finishRepair`). Without the damaged file the repaired one was left before
// that moment, and is older than what may have been written since: it must not take the place of a data.ldb that got
// lost while its logs are there. The logs are moved only after it is durable that the damaged data file is gone;
// otherwise a crash could leave that file without its logs.
import { dataFileName, logFileNames } from '../store/format.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** The names of repaired data files that have not taken their place. */
export const repairedPattern = /^data\.ldb\.repaired-(\d+)$/

/** The name under which repair `number` keeps a damaged file. */
export function damagedName(name: string, number: number): string {
  return `${name}.damaged-${number}`
}

/**
 * Completes a repair that was interrupted while it exchanged the files. To be called with the lock held, where there is
 * no `data.ldb`. Returns whether there is one now.
 */
export async function finishRepair(vfs: Vfs): Promise<boolean> {
  const number = await unfinished(vfs)
  if (number === 0) return false
  await moveIn(vfs, number)
  return true
}

/**
 * The name of the data file of a repair that was interrupted while it exchanged the files, if there is one. Means
 * something only where there is no `data.ldb`.
 */
export async function unfinishedRepair(vfs: Vfs): Promise<string | undefined> {
  const number = await unfinished(vfs)
  return number === 0 ? undefined : repairedName(number)
}

/** The number of a repair that has taken effect and not ended; 0: none. */
async function unfinished(vfs: Vfs): Promise<number> {
  const names = await vfs.list()
  const number = largest(names, repairedPattern)
  const hasLogs = logFileNames.some(name => names.includes(name))
  return !hasLogs || names.some(name => name.endsWith(damagedName('', number))) ? number : 0
}

/** Moves the repaired data file and the damaged logs, after the damaged data file has been moved away. */
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
