// What the long operations share: progress, cancellation, and turns for other work in between (`pace.ts`).
import { abortError } from '../encoding/failure.ts'
import type { LightningError } from '../errors.ts'

/** How far a long operation has come, in units of its own (pages as a rule). */
export interface Progress {
  /** Units done so far. */
  readonly done: number
  /** Units in all; may change on the way. */
  readonly total: number
}

export interface CareOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Rejects with `LIGHTNING_ABORTED` as soon as the signal fires; the work itself goes on. */
export async function abortable(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work
  let stop: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(abortedBy(signal))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    stop = () => signal.removeEventListener('abort', abort)
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    stop()
    work.catch(() => undefined)
  }
}

/** The error of an operation whose signal has fired. */
export function abortedBy(signal: AbortSignal): LightningError {
  return abortError(signal, 'The operation was aborted by its signal.')
}

/** Looked up once: tests that replace timers later do not keep writes from being settled. */
const soon: (resolve: () => void) => unknown = typeof setImmediate === 'function' ? setImmediate : turnOfMessages

/** Resolves when the event loop has had a turn. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => {
    soon(resolve)
  })
}

/** Browsers hold timers back for four milliseconds, but not messages. */
function turnOfMessages(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    resolve()
  }
  port2.postMessage(undefined)
}
