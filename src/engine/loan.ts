import { isThenable } from '../encoding/arguments.ts'
import { invalidArgument } from '../encoding/failure.ts'

/** Bytes of a value that are lent to callbacks of `read`. While such a callback runs, nothing may be written. */
export class Loan {
  /** How many callbacks are running, each inside the one before. */
  depth = 0

  /** Throws `LIGHTNING_INVALID_ARGUMENT` while a callback runs. */
  check(): void {
    if (this.depth > 0) {
      throw invalidArgument('Nothing may be written inside the callback of read(). Do it afterwards.')
    }
  }

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
    throw invalidArgument('read: the callback returned a promise. Use get().')
  }
}
