import { LightningError } from '../errors.ts'

/**
 * Loads a part of the library that not everybody needs; `load` imports it. To be called before anything is changed, and
 * never in order to undo or recover: a page may have lost its server long ago.
 *
 * @throws LightningError `LIGHTNING_UNAVAILABLE` when the script cannot be loaded.
 */
export async function onDemand<T>(method: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new LightningError(
      'LIGHTNING_UNAVAILABLE',
      `The script that ${method} needs cannot be loaded; nothing was changed. Try again when its server can be reached.`,
      { cause }
    )
  }
}

/**
 * The same for what may be left undone: a server that does not answer is waited for no longer than `mostMs` milliseconds.
 *
 * @throws LightningError `LIGHTNING_UNAVAILABLE` when the script cannot be loaded in that time.
 */
export async function onDemandWithin<T>(mostMs: number, method: string, load: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took more than ${mostMs} ms`)), mostMs)
  })
  try {
    return await onDemand(method, () => Promise.race([load(), late]))
  } finally {
    clearTimeout(timer)
  }
}
