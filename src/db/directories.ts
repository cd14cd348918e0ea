import { isNodeLike } from '../vfs/environment.ts'
import { opfsVfs } from '../vfs/opfs.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** The files of the directory `path`, as this environment has them. */
export async function directoryAt(path: string): Promise<Vfs> {
  // Not a static import: elsewhere there is no node:fs.
  return isNodeLike() ? (await import('../vfs/node.ts')).nodeVfs(path) : opfsVfs(path)
}
