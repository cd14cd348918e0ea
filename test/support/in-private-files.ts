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
    onTestFinished(() => removeWhenFree(name))
    return `${name}/db`
  }
}

/** A worker that a test has ended may have its files open for some moments more. */
async function removeWhenFree(name: string): Promise<void> {
  const root = await navigator.storage.getDirectory()
  for (let attempt = 1; ; attempt++) {
    try {
      return await root.removeEntry(name, { recursive: true })
    } catch (error) {
      if (!(error instanceof DOMException)) throw error
      if (error.name === 'NotFoundError') return
      if (error.name !== 'NoModificationAllowedError' || attempt === 100) throw error
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function directoryAt(location: string): Promise<FileSystemDirectoryHandle> {
  let directory = await navigator.storage.getDirectory()
  for (const name of location.split('/')) directory = await directory.getDirectoryHandle(name)
  return directory
}
