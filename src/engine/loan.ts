import { isThenable } from '../encoding/arguments.ts'
import { invalidArgument } from '../encoding/failure.ts'
import type { LightningError } from '../errors.ts'

/** Bytes of a value that are lent to callbacks of `read`. While such a callback runs, nothing may be written. */
export class Loan {
  /** How many callbacks are running, each inside the one before. */
  depth = 0

  /** Runs the callback on the bytes, and gives its result. Throws `LIGHTNING_INVALID_ARGUMENT` for a promise. */
  lend(bytes: Uint8Array, callback: (bytes: Uint8Array) => unknown): unknown {
    let result: unknown
    this.depth++
    try {
      result = callback(bytes)
    } finally {
      this.depth--
    }
    if (!isThenable(result)) return result
    // The promise may fail, since the bytes are gone. The error thrown here tells why, so that failure is ignored.
    result.then(undefined, () => undefined)
    throw invalidArgument('read: the callback returned a promise, but the bytes are gone by then. Use get().')
  }
}

/** The error for a write while a callback of `read` runs. */
export function writeDuringRead(): LightningError {
  return invalidArgument('Nothing may be written inside the callback of read(). Write after it has returned.')
}
