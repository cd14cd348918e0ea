import { onTestFinished } from 'vitest'
import type { Target } from './database.ts'

let locations = 0

/** Databases in the origin private file system of a browser, which is empty when the tests begin. */
export const inPrivateFiles: Target = {
  keeps: true,
  async newLocation() {
    const name = `test-${++locations}`
    onTestFinished(async () => {
      const root = await navigator.storage.getDirectory()
      for await (const found of root.keys()) if (found === name) await root.removeEntry(name, { recursive: true })
    })
    return `${name}/db`
  }
}
