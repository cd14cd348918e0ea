import { chmodSync, chownSync, statSync } from 'node:fs'
import { systemCodeOf } from './system-error.ts'

/**
 * Gives the file `to` the owner, the group and the permissions of `from`, as far as the system lets this user; its owner
 * may always read and write it. Whom it cannot name as the group gets nothing by the rights of the group.
 */
export function copyRights(from: string, to: string): void {
  // Windows has none of these; a file gets what its directory says.
  if (process.platform === 'win32') return
  attempt(() => {
    const { uid, gid, mode } = statSync(from)
    const own = statSync(to)
    const isOfGroup =
      (own.uid === uid && own.gid === gid) ||
      attempt(() => chownSync(to, uid, gid)) ||
      own.gid === gid ||
      attempt(() => chownSync(to, own.uid, gid))
    chmodSync(to, (mode & (isOfGroup ? 0o777 : 0o707)) | 0o600)
  })
}

/** Whether the system let it happen. */
function attempt(work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return false
  }
}
