import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredFiles, Target } from './database.ts'
import { temporaryDirectory } from './directory.ts'

const files: StoredFiles = {
  async list(location) {
    try {
      return (await readdir(location)).sort()
    } catch {
      return []
    }
  },
  read: (location, name) => readFile(join(location, name)),
  write: (location, name, content) => writeFile(join(location, name), content)
}

/** Databases in directories. */
export const inDirectory: Target = {
  keeps: true,
  files,
  newLocation: async () => join(await temporaryDirectory(), 'db')
}
