import { opfsVfs } from '../vfs/opfs.ts'
import type { Vfs } from '../vfs/vfs.ts'

/** As in `directories.ts`, without Node's. */
export async function directoryAt(path: string): Promise<Vfs> {
  return opfsVfs(path)
}
