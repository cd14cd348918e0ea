// Work on files on behalf of a page, whose main thread has no access to them: a worker is started, runs one task and
// ends. `worker-task-runner.ts` is the worker's side.

import { isNodeLike } from '../vfs/environment.ts'
import type { Progress } from '../engine/engine.ts'
import { isObject } from '../encoding/arguments.ts'
import { LightningError } from '../errors.ts'
import { onDemand } from '../kernel/on-demand.ts'
import { malformed } from './messages.ts'
import { errorOf } from './wire-error.ts'

/** The tasks that such a worker knows. */
export type WorkerTask = 'restore' | 'repair'

/** How a task can be aborted, and who is told of its progress. */
export interface WorkerTaskOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Whether this thread can open files. In browsers only dedicated workers can; elsewhere every thread can. */
export function canOpenFiles(): boolean {
  return isNodeLike() || 'DedicatedWorkerGlobalScope' in globalThis
}

/** Runs a task in a worker; resolves with its result. Rejects with the task's error, or with what `onProgress` throws. */
export async function runInWorker(
  task: WorkerTask,
  parameters: readonly unknown[],
  { signal, onProgress }: WorkerTaskOptions
): Promise<unknown> {
  const { newWorker } = await onDemand(task, () => import('./tab-owners.ts'))
  const worker = await newWorker(undefined, task, false)
  const abort = () => worker.postMessage({ abort: true })
  signal?.addEventListener('abort', abort, { once: true })
  /** What the callback throws aborts the task; once the worker has answered, the caller gets what was thrown. */
  const tell = ({ done, total }: { readonly [name: string]: unknown }): void => {
    try {
      onProgress?.({ done: Number(done), total: Number(total) })
    } catch (error) {
      thrown = { error }
      abort()
    }
  }
  let thrown: { readonly error: unknown } | undefined
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = event =>
        reject(new LightningError('LIGHTNING_UNAVAILABLE', `A worker failed: ${event.message}.`))
      worker.onmessage = ({ data }) => {
        try {
          if (!isObject(data)) throw malformed('the answer of a worker is malformed')
          if ('error' in data) reject(thrown === undefined ? ownReason(errorOf(data.error), signal) : thrown.error)
          else if ('value' in data) resolve(data.value)
          else if (thrown === undefined) tell(data)
        } catch (error) {
          reject(error)
        }
      }
      worker.postMessage({ task, parameters })
      // The signal may have fired while the worker was being started; it does not fire again.
      if (signal?.aborted === true) abort()
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    worker.terminate()
  }
}

function ownReason(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted !== true || !(error instanceof LightningError) || error.code !== 'LIGHTNING_ABORTED') return error
  return new LightningError('LIGHTNING_ABORTED', error.message, { cause: signal.reason })
}
