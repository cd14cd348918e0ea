import { opfsLocation } from '../vfs/opfs-path.ts'

/** As in `full-name.ts`, without Node's. */
export async function fullName(path: string): Promise<string> {
  return opfsLocation(path)
}
