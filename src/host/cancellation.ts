// Signals of the caller across a channel: the owner is told to end the request, and answers.

import { isLightningError, LightningError } from '../errors.ts'
import type { Link, Sink } from './link.ts'
import { operation } from './wire.ts'

/**
 * A sink whose request the signal ends. The error has the caller's own reason, which the owner never sees. As long as the
 * request waits for an owner nobody need answer: then it ends at once, and is taken back when it is sent after all.
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
    else end(() => sink.reject(aborted(signal, 'The call was aborted by its signal.'), true))
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
        sink.reject(isAborted ? aborted(signal, error.message) : error, isOpen)
      })
  }
}

function aborted(signal: AbortSignal, message: string): LightningError {
  return new LightningError('LIGHTNING_ABORTED', message, { cause: signal.reason })
}
