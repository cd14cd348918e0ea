// Memory for batches of rows, used again and again. Fresh memory is what reading ranges costs most in browsers: the
// system hands it out page by page, filled with zeros, and the collector gives it back.

/** One batch at a time. */
export interface BatchBuffer {
  readonly bytes: Uint8Array
  /** The same as words of 32 bits. */
  readonly words: Uint32Array
}

const leastBytes = 1_024
/** More cursors than this are seldom open at once; the rest get memory of their own. */
const mostKept = 4

export class BatchBuffers {
  readonly #free: BatchBuffer[] = []

  /** A buffer of at least `length` bytes, which may hold anything. */
  take(length: number): BatchBuffer {
    const free = this.#free
    const at = free.findIndex(({ bytes }) => bytes.length >= length)
    const [found] = at < 0 ? [] : free.splice(at, 1)
    return found ?? newBuffer(length)
  }

  /** Takes back a buffer that nobody reads any more. */
  give(buffer: BatchBuffer): void {
    const free = this.#free
    if (free.length < mostKept) free.push(buffer)
    else {
      const smaller = free.findIndex(({ bytes }) => bytes.length < buffer.bytes.length)
      if (smaller >= 0) free[smaller] = buffer
    }
  }
}

function newBuffer(length: number): BatchBuffer {
  let size = leastBytes
  while (size < length) size *= 2
  const buffer = new ArrayBuffer(size)
  return { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) }
}
