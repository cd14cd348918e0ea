// Log frames. A commit is one frame, or several when it is large: all but its last carry CONTINUES and the same LSN.
// Frames are built in the LOG area, where the caller writes the operations behind the header's place.
//
//   frame   0       4          8          12        16            24    32      40        48          52       56
//           | bytes | checksum | identity | previous| incarnation | lsn | durable | time  | operation | flags  | operations, padded to 8
//           |       |          |          | checksum|             |     | lsn     |       | bytes     |        |
//
// checksum: XXH32 of everything behind it, seeded with identity + bytes. identity: of database and timeline.
import { load32, load32u, store32, store8 } from './platform'
import { apply, beginApply } from './operations'
import {
  DURABLE_HIGH,
  DURABLE_LOW,
  FRAME_FLAGS,
  IDENTITY,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LOG,
  LOG_BYTES,
  LSN_HIGH,
  LSN_LOW,
  OK,
  OPERATIONS_END,
  PREVIOUS_CHECKSUM,
  TIME_HIGH,
  TIME_LOW
} from './state'
import { xxh32 } from './xxh32'

export const FRAME_HEADER_BYTES: u32 = 56
/** The commit goes on in the next frame. */
export const CONTINUES: u32 = 1
/** The first frame of an incarnation: no commit, so the next one has the same LSN. */
export const INCARNATION: u32 = 2

/** Where the operations of the next frame belong. */
export function frameOperations(): u32 {
  return load32(LOG) + load32(LOG_BYTES) + FRAME_HEADER_BYTES
}

/**
 * Applies the operations that stand behind the next frame's header and closes the frame. After a status other than OK
 * the caller provides what is wanted and calls `resumeCommit`.
 */
export function commit(operationBytes: u32, flags: u32): i32 {
  const from = frameOperations()
  store32(FRAME_FLAGS, flags)
  beginApply(from, from + operationBytes)
  return resumeCommit()
}

export function resumeCommit(): i32 {
  const status = apply()
  if (status < 0) return status
  seal()
  return OK
}

/** One put whose key and value the caller has written behind the operation's header. */
export function commitPut(tree: u32, keyBytes: u32, valueBytes: u32): i32 {
  const at = frameOperations()
  store32(at, (1 | (keyBytes << 16)) >>> 0)
  store32(at + 4, tree)
  store32(at + 8, valueBytes)
  return commit(12 + keyBytes + valueBytes, 0)
}

/** One deletion whose key the caller has written behind the operation's header. */
export function commitDelete(tree: u32, keyBytes: u32): i32 {
  const at = frameOperations()
  store32(at, (2 | (keyBytes << 16)) >>> 0)
  store32(at + 4, tree)
  store32(at + 8, 0)
  return commit(12 + keyBytes, 0)
}

/** Closes the frame: header, checksum, padding; the next LSN follows unless the commit goes on. */
function seal(): void {
  const frame = load32(LOG) + load32(LOG_BYTES)
  const operations = frame + FRAME_HEADER_BYTES
  const operationBytes = load32(OPERATIONS_END) - operations
  const bytes: u32 = ((FRAME_HEADER_BYTES + operationBytes + 7) & ~7) >>> 0
  let padding = operations + operationBytes
  while (padding < frame + bytes) {
    store8(padding, 0)
    padding++
  }
  store32(frame, bytes)
  store32(frame + 8, load32(IDENTITY))
  store32(frame + 12, load32(PREVIOUS_CHECKSUM))
  store32(frame + 16, load32(INCARNATION_LOW))
  store32(frame + 20, load32(INCARNATION_HIGH))
  store32(frame + 24, load32(LSN_LOW))
  store32(frame + 28, load32(LSN_HIGH))
  store32(frame + 32, load32(DURABLE_LOW))
  store32(frame + 36, load32(DURABLE_HIGH))
  store32(frame + 40, load32(TIME_LOW))
  store32(frame + 44, load32(TIME_HIGH))
  store32(frame + 48, operationBytes)
  store32(frame + 52, load32(FRAME_FLAGS))
  const checksum = xxh32(frame + 8, bytes - 8, (load32(IDENTITY) + bytes) >>> 0)
  store32(frame + 4, checksum)
  store32(PREVIOUS_CHECKSUM, checksum)
  store32(LOG_BYTES, load32(LOG_BYTES) + bytes)
  if ((load32(FRAME_FLAGS) & (CONTINUES | INCARNATION)) == 0) {
    const low: u32 = (load32(LSN_LOW) + 1) >>> 0
    store32(LSN_LOW, low)
    if (low == 0) store32(LSN_HIGH, load32(LSN_HIGH) + 1)
  }
}

/** Length of the valid frame at `at`, 0 when there is none within `room` bytes. */
export function frameBytes(at: u32, room: u32): u32 {
  if (room < FRAME_HEADER_BYTES) return 0
  const bytes = load32u(at)
  if (bytes < FRAME_HEADER_BYTES || bytes > room || (bytes & 7) != 0) return 0
  if (load32u(at + 8) != load32(IDENTITY)) return 0
  const operationBytes = load32u(at + 48)
  if (operationBytes > bytes - FRAME_HEADER_BYTES || bytes - FRAME_HEADER_BYTES - operationBytes > 7) return 0
  if (xxh32(at + 8, bytes - 8, (load32(IDENTITY) + bytes) >>> 0) != load32u(at + 4)) return 0
  return bytes
}

/** Address of the first valid frame at or behind `at` (frames begin at multiples of 8), 0 when there is none. */
export function findFrame(at: u32, end: u32): u32 {
  const identity = load32(IDENTITY)
  while (at + FRAME_HEADER_BYTES <= end) {
    if (load32u(at + 8) == identity && frameBytes(at, end - at) != 0) return at
    at += 8
  }
  return 0
}
