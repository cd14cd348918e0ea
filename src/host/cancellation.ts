// Signals of the caller across a channel: the owner is told to end the request, and answers.

import { isLightningError, LightningError } from '../errors.ts'
import type { Link, Sink } from './link.ts'
import { operation } from './wire.ts'

/** A sink whose request the signal ends. The error has the caller's own reason, which the owner never sees. */
export function cancellable(signal: AbortSignal | undefined, sink: Sink): Sink {
  if (signal === undefined) return sink
  let cancel: () => void = () => undefined
  const done = (): void => signal.removeEventListener('abort', cancel)
  return {
    onLost: sink.onLost,
    sent(link: Link, id: number) {
      sink.sent?.(link, id)
      signal.removeEventListener('abort', cancel)
      cancel = () => link.tell(operation.cancel, id)
      signal.addEventListener('abort', cancel, { once: true })
    },
    progress: (finished, total) => sink.progress?.(finished, total),
    resolve(value) {
      done()
      sink.resolve(value)
    },
    reject(error, isOpen) {
      done()
      const isAborted = signal.aborted && isLightningError(error, 'LIGHTNING_ABORTED')
      sink.reject(
        isAborted ? new LightningError('LIGHTNING_ABORTED', error.message, { cause: signal.reason }) : error,
        isOpen
      )
    }
  }
}
