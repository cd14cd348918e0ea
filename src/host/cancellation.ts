// The caller's AbortSignal across a channel: the owner is told to end the request, and answers it.

import { abortError } from '../encoding/failure.ts'
import { isLightningError } from '../errors.ts'
import type { Link, Sink } from './link.ts'
import { operation } from './wire.ts'

/**
 * A sink for a request that the signal can end. The error carries the caller's own reason, which the owner never sees.
 * While the request still waits for an owner, it ends at once, and is cancelled if it is sent after all.
 */
export function cancellable(signal: AbortSignal | undefined, sink: Sink): Sink {
  if (signal === undefined) return sink
  let cancel: (() => void) | undefined
  let hasEnded = false
  const end = (settle: () => void): void => {
    if (hasEnded) return
    hasEnded = true
    signal.removeEventListener('abort', abort)
    settle()
  }
  const abort = (): void => {
    if (cancel !== undefined) cancel()
    else end(() => sink.reject(abortError(signal, 'The call was aborted by its signal.'), true))
  }
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  return {
    onLost: sink.onLost,
    sent(link: Link, id: number) {
      sink.sent?.(link, id)
      cancel = () => link.tell(operation.cancel, id)
      // Behind the request itself.
      if (signal.aborted) queueMicrotask(cancel)
    },
    progress: (finished, total) => {
      if (!hasEnded) sink.progress?.(finished, total)
    },
    resolve: value => end(() => sink.resolve(value)),
    reject: (error, isOpen) =>
      end(() => {
        const isAborted = signal.aborted && isLightningError(error, 'LIGHTNING_ABORTED')
        sink.reject(isAborted ? abortError(signal, error.message) : error, isOpen)
      })
  }
}
