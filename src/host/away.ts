// Work on files for a page, whose main thread has no access to them: a worker is started, does the work and ends.

import { isNodeLike } from '../vfs/environment.ts'
import type { Progress } from '../engine/engine.ts'
import { isObject } from '../encoding/arguments.ts'
import { LightningError } from '../errors.ts'
import { onDemand } from '../kernel/on-demand.ts'
import { malformed } from './messages.ts'
import { errorOf } from './wire-error.ts'

/** What such a worker can do. */
export type Errand = 'restore' | 'repair'

/** How an errand can be aborted, and who gets its progress. */
export interface ErrandOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Whether this thread can open files: elsewhere than in browsers every one can, there only a dedicated worker. */
export function reachesFiles(): boolean {
  return isNodeLike() || 'DedicatedWorkerGlobalScope' in globalThis
}

/** Has a worker do it; resolves with its result. Rejects with what it fails by, and with what `onProgress` throws. */
export async function runAway(
  errand: Errand,
  parameters: readonly unknown[],
  { signal, onProgress }: ErrandOptions
): Promise<unknown> {
  const { newWorker } = await onDemand(errand, () => import('./tab-owners.ts'))
  const worker = await newWorker(undefined, errand, false)
  const abort = () => worker.postMessage({ abort: true })
  signal?.addEventListener('abort', abort, { once: true })
  /** What the callback throws ends the errand, and passes unchanged when that has been answered. */
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
          if (!isObject(data)) throw malformed('the answer of a worker is none')
          if ('error' in data) reject(thrown === undefined ? ownReason(errorOf(data.error), signal) : thrown.error)
          else if ('value' in data) resolve(data.value)
          else if (thrown === undefined) tell(data)
        } catch (error) {
          reject(error)
        }
      }
      worker.postMessage({ errand, parameters })
      // What fired before there was a worker fires no more.
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
