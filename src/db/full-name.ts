import { isNodeLike } from '../vfs/environment.ts'
import { opfsLocation } from '../vfs/opfs-path.ts'

/** The `location` of the files in the directory `path`, as this environment has them. */
export async function fullName(path: string): Promise<string> {
  return isNodeLike() ? (await import('../vfs/node.ts')).nodeVfs(path).location : opfsLocation(path)
}
