// What the long operations share: progress, abortion, and turns for other work in between (`pace.ts`).

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
