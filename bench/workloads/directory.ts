import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export async function emptyDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true })
}

/** Bytes that the files of a directory take on the disk: blocks really there, holes not counted. */
export async function diskBytes(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true })
  let bytes = 0
  for (const name of names) {
    const status = await stat(join(path, name))
    if (status.isFile()) bytes += status.blocks * 512
  }
  return bytes
}
