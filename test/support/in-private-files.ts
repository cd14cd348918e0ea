import { onTestFinished } from 'vitest'
import type { StoredFiles, Target } from './database.ts'

let locations = 0

const files: StoredFiles = {
  async list(location) {
    const names: string[] = []
    try {
      for await (const name of (await directoryAt(location)).keys()) names.push(name)
    } catch {
      return []
    }
    return names.sort()
  },
  async read(location, name) {
    const handle = await (await directoryAt(location)).getFileHandle(name)
    return new Uint8Array(await (await handle.getFile()).arrayBuffer())
  },
  async write(location, name, content) {
    const handle = await (await directoryAt(location)).getFileHandle(name, { create: true })
    const stream = await handle.createWritable()
    await stream.write(typeof content === 'string' ? content : content.slice())
    await stream.close()
  }
}

/** Databases in the origin private file system of a browser, which is empty when the tests begin. */
export const inPrivateFiles: Target = {
  keeps: true,
  files,
  async newLocation() {
    const name = `test-${++locations}`
    onTestFinished(async () => {
      const root = await navigator.storage.getDirectory()
      for await (const found of root.keys()) if (found === name) await root.removeEntry(name, { recursive: true })
    })
    return `${name}/db`
  }
}

async function directoryAt(location: string): Promise<FileSystemDirectoryHandle> {
  let directory = await navigator.storage.getDirectory()
  for (const name of location.split('/')) directory = await directory.getDirectoryHandle(name)
  return directory
}
