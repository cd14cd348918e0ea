// Ports of node:worker_threads.

import type { MessagePort, Worker } from 'node:worker_threads'
import type { Port } from './port-channel.ts'

/** The port of a thread to the one that started it; what comes before somebody listens is kept. */
export function nodePort(port: MessagePort): Port {
  const early: unknown[] = []
  let deliver = (message: unknown): void => void early.push(message)
  // At once: Deno drops messages that nobody listens to.
  port.on('message', message => deliver(message))
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen(onMessage, onClose) {
      deliver = onMessage
      port.on('messageerror', () => onClose('it posted something that cannot be read.'))
      port.on('close', () => onClose('its port was closed.'))
      // Not now: whoever makes the channel sets its handlers first.
      queueMicrotask(() => {
        for (const message of early.splice(0)) onMessage(message)
      })
    },
    close() {
      // Deno's has none: its thread must be ended.
      if (typeof port.close === 'function') port.close()
      else process.exit(0)
    },
    hold: isHeld => (isHeld ? port.ref() : port.unref())
  }
}

/** A worker as the thread that started it sees it. */
export function workerPort(worker: Worker): Port {
  let failure: unknown
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onClose) {
      worker.on('message', onMessage)
      worker.on('messageerror', () => onClose('it posted something that cannot be read.'))
      worker.on('error', error => {
        failure = error
      })
      worker.on('exit', code => onClose(`its thread ended with ${code}${failure === undefined ? '' : `: ${failure}`}.`))
    },
    // The thread ends by itself when its last client has left.
    close: () => worker.unref(),
    hold: isHeld => (isHeld ? worker.ref() : worker.unref())
  }
}
