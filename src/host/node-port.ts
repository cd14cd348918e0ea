// Ports of node:worker_threads.

import type { MessagePort, Worker } from 'node:worker_threads'
import type { Port } from './port-channel.ts'

/** The port of a thread to the one that started it, or between any two. */
export function nodePort(port: MessagePort): Port {
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen(onMessage, onClose) {
      port.on('message', onMessage)
      port.on('messageerror', () => onClose('it posted something that cannot be read.'))
      port.on('close', () => onClose('its port was closed.'))
    },
    close: () => port.close(),
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
