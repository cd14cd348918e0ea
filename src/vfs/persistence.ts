import { LightningError } from '../errors.ts'
import { isNodeLike } from './environment.ts'

/**
 * Whether what this site keeps is safe from being removed by the browser when the disk gets full. Works in pages and
 * workers; where databases are ordinary directories, as in Node, Deno and Bun, it is always so.
 */
export async function persisted(): Promise<boolean> {
  return isNodeLike() || ((await findStorage()?.persisted()) ?? false)
}

/**
 * Asks the browser to keep what this site stores until the user removes it, and tells whether it will. Some ask the
 * user, others decide by how much the site is used. Rejects with `LIGHTNING_UNAVAILABLE` in workers: only pages may
 * ask.
 */
export async function requestPersistence(): Promise<boolean> {
  if (await persisted()) return true
  const storage = findStorage()
  if (storage === undefined) return false
  if (typeof storage.persist === 'function') return await storage.persist()
  const message = 'requestPersistence: a worker cannot ask for it. Call it in the page.'
  throw new LightningError('LIGHTNING_UNAVAILABLE', message)
}

/** Pages that are not served securely have none. */
function findStorage(): StorageManager | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.storage
}
