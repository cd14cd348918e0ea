// Reports which keys commits change. Transactions are validated against that.
import { CLEAR, DELETE, DROP, OPERATION_HEADER_BYTES, PUT, PUT_LARGE } from '../../assembly/operations.ts'

/**
 * Is told of every change just before it is applied. (If the commit is then refused after all, it was told for nothing,
 * which does no harm.) Bytes are valid only during the call. `tree` is the keyspace's id, which is never reused for
 * another keyspace; `lsn` is the first sequence number that the commit takes.
 */
export interface CommitObserver {
  /** A key is stored or deleted: the bytes from `start` to `end`. */
  key(tree: number, lsn: number, bytes: Uint8Array, start: number, end: number): void
  /** The keys in [lower, upper) are deleted; `upper` undefined: all from `lower` on. */
  range(tree: number, lsn: number, lower: Uint8Array, upper: Uint8Array | undefined): void
  /** The keyspace at `path` is dropped. */
  dropped(path: Uint8Array, lsn: number): void
}

/** Reports the staged operations of one part of a commit. */
export function reportOperations(part: Uint8Array, lsn: number, observer: CommitObserver): void {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength)
  let at = 0
  while (at < part.length) {
    const type = part[at]
    const hasUpper = part[at + 1] === 1
    const key = at + OPERATION_HEADER_BYTES
    const keyEnd = key + view.getUint16(at + 2, true)
    const tree = view.getUint32(at + 4, true)
    const end = keyEnd + view.getUint32(at + 8, true)
    if (type === PUT || type === PUT_LARGE || type === DELETE) observer.key(tree, lsn, part, key, keyEnd)
    else if (type === CLEAR) {
      observer.range(tree, lsn, part.subarray(key, keyEnd), hasUpper ? part.subarray(keyEnd, end) : undefined)
    } else if (type === DROP) observer.dropped(part.subarray(key, keyEnd), lsn)
    at = end
  }
}
