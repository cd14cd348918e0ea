// The worker's side of `worker-task.ts`: runs the task that a page has asked for.

import { repair } from '../db/repair.ts'
import { restore } from '../db/restore.ts'
import { errorField } from './wire-error.ts'

/** The connection to the page: takes the answers; any message from it aborts the task. */
export interface Sender {
  onmessage: ((event: MessageEvent<unknown>) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
}

/** Runs a task and answers once, with its result or its error; a repair also reports progress before that. */
export async function runTask(task: unknown, parameters: readonly unknown[], sender: Sender): Promise<void> {
  const controller = new AbortController()
  sender.onmessage = () => controller.abort()
  try {
    sender.postMessage({ value: await work(task, parameters, controller.signal, sender) }, [])
  } catch (error) {
    sender.postMessage({ error: errorField(error) }, [])
  }
}

async function work(
  task: unknown,
  [one, two]: readonly unknown[],
  signal: AbortSignal,
  sender: Sender
): Promise<unknown> {
  if (task === 'restore') return await restore(String(one), String(two), { signal })
  const cacheBytes = typeof two === 'number' ? two : undefined
  return await repair(String(one), {
    signal,
    cacheBytes,
    onProgress: ({ done, total }) => sender.postMessage({ done, total }, [])
  })
}
