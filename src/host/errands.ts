// The worker's side of `away.ts`: does what a page has asked for.

import { repair } from '../db/repair.ts'
import { restore } from '../db/restore.ts'
import { errorField } from './wire-error.ts'

/** Where answers go, and from where the errand may be ended. */
export interface Sender {
  onmessage: ((event: MessageEvent<unknown>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
}

/** Does what the page asks and answers once. */
export async function runErrand(errand: unknown, parameters: readonly unknown[], sender: Sender): Promise<void> {
  const controller = new AbortController()
  sender.onmessage = () => controller.abort()
  try {
    sender.postMessage({ value: await work(errand, parameters, controller.signal, sender) }, [])
  } catch (error) {
    sender.postMessage({ error: errorField(error) }, [])
  }
}

async function work(
  errand: unknown,
  [one, two]: readonly unknown[],
  signal: AbortSignal,
  sender: Sender
): Promise<unknown> {
  if (errand === 'restore') return await restore(String(one), String(two), { signal })
  const cacheBytes = typeof two === 'number' ? two : undefined
  return await repair(String(one), {
    signal,
    cacheBytes,
    onProgress: ({ done, total }) => sender.postMessage({ done, total }, [])
  })
}
