// Log frames. A frame is one commit; or several, when each is a single operation; or a part of one that is too large for
// a frame: all but its last carry CONTINUES and the same LSN. Frames are built in the LOG area, where the caller writes
// the operations behind the header's place.
//
//   frame   0       4          8          12        16            24    32      40        48          52      54        56
//           | bytes | checksum | identity | previous| incarnation | lsn | durable | time  | operation | flags | further | operations, padded to 8
//           |       |          |          | checksum|             |     | lsn     |       | bytes     |       | commits |
//
// checksum: XXH32 of everything behind it, seeded with identity + bytes. identity: of database and timeline. lsn: of the
// first commit; further commits: with any, every operation of the frame is a commit of its own.
//
// A frame of single operations stays open, so that header and checksum are paid once for many of them: the next one joins
// it, and whatever else wants the log (a larger commit, the file) closes it first.
//
//   LOG area   | closed frames | header's place, operations | ...
//              |               |<------ OPEN_BYTES ------->|
//              |<------------------ LOG_BYTES ------------>|
import { load32, load32u, store32, store32u, store8 } from './platform'
import { apply, beginApply, nextLsn, OPERATION_HEADER_BYTES } from './operations'
import {
  DURABLE_HIGH,
  DURABLE_LOW,
  FRAME_FLAGS,
  FRAME_IS_JOINED,
  IDENTITY,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LOG,
  LOG_BYTES,
  LSN_HIGH,
  LSN_LOW,
  OK,
  OPEN_BYTES,
  OPEN_COMMITS,
  OPEN_LSN_HIGH,
  OPEN_LSN_LOW,
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

/** A frame of single commits is closed when it is so long, which bounds what a torn write can lose. */
const FULL_BYTES: u32 = 65536
/** What a frame's word for further commits can count. */
const MOST_FURTHER: u32 = 65535

/** Where the operations of the next frame belong; closes the frame that is open. */
export function frameOperations(): u32 {
  closeFrame()
  return load32(LOG) + load32(LOG_BYTES) + FRAME_HEADER_BYTES
}

/** Where a single operation that is a commit of its own belongs. */
export function nextOperation(): u32 {
  const at = load32(LOG) + load32(LOG_BYTES)
  return load32(OPEN_BYTES) == 0 ? at + FRAME_HEADER_BYTES : at
}

/**
 * Applies the operations that stand behind the next frame's header and closes the frame. After a status other than OK
 * the caller provides what is wanted and calls `resumeCommit`.
 */
export function commit(operationBytes: u32, flags: u32): i32 {
  const from = frameOperations()
  store32(FRAME_FLAGS, flags)
  store32(FRAME_IS_JOINED, 0)
  beginApply(from, from + operationBytes)
  return resumeCommit()
}

export function resumeCommit(): i32 {
  const status = apply()
  if (status < 0) return status
  if (load32(FRAME_IS_JOINED) != 0) join()
  else close()
  return OK
}

/** One put whose key and value the caller has written behind the operation's header at `nextOperation`. */
export function commitPut(tree: u32, keyBytes: u32, valueBytes: u32): i32 {
  return commitOne((1 | (keyBytes << 16)) >>> 0, tree, keyBytes, valueBytes)
}

/** One deletion whose key the caller has written behind the operation's header at `nextOperation`. */
export function commitDelete(tree: u32, keyBytes: u32): i32 {
  return commitOne((2 | (keyBytes << 16)) >>> 0, tree, keyBytes, 0)
}

function commitOne(word: u32, tree: u32, keyBytes: u32, valueBytes: u32): i32 {
  const at = nextOperation()
  store32u(at, word)
  store32u(at + 4, tree)
  store32u(at + 8, valueBytes)
  store32(FRAME_IS_JOINED, 1)
  beginApply(at, at + OPERATION_HEADER_BYTES + keyBytes + valueBytes)
  return resumeCommit()
}

/** The operation that was applied becomes part of the open frame. */
function join(): void {
  noteFirst()
  openFrame()
  lengthen(load32(OPERATIONS_END) - (load32(LOG) + load32(LOG_BYTES)), 1)
  nextLsn()
}

/** Staged operations that were applied become part of the open frame. Their LSNs are used up already. */
export function joinStaged(bytes: u32, commits: u32): void {
  openFrame()
  lengthen(bytes, commits)
}

/** The next commit will be the first of its frame, unless one is open. */
export function noteFirst(): void {
  if (load32(OPEN_BYTES) != 0) return
  store32(OPEN_LSN_LOW, load32(LSN_LOW))
  store32(OPEN_LSN_HIGH, load32(LSN_HIGH))
}

function openFrame(): void {
  if (load32(OPEN_BYTES) != 0) return
  store32(OPEN_BYTES, FRAME_HEADER_BYTES)
  store32(OPEN_COMMITS, 0)
  store32(LOG_BYTES, load32(LOG_BYTES) + FRAME_HEADER_BYTES)
}

/** The open frame has so many more bytes and commits. */
function lengthen(bytes: u32, commits: u32): void {
  store32(LOG_BYTES, load32(LOG_BYTES) + bytes)
  store32(OPEN_BYTES, load32(OPEN_BYTES) + bytes)
  store32(OPEN_COMMITS, load32(OPEN_COMMITS) + commits)
  if (load32(OPEN_BYTES) >= FULL_BYTES || load32(OPEN_COMMITS) > MOST_FURTHER) closeFrame()
}

/** Closes the frame that is open, if one is: what stands in the log area is then complete. */
export function closeFrame(): void {
  const bytes = load32(OPEN_BYTES)
  if (bytes == 0) return
  store32(LOG_BYTES, load32(LOG_BYTES) - bytes)
  store32(OPEN_BYTES, 0)
  seal(
    bytes - FRAME_HEADER_BYTES,
    ((load32(OPEN_COMMITS) - 1) << 16) >>> 0,
    load32(OPEN_LSN_LOW),
    load32(OPEN_LSN_HIGH)
  )
}

/** Forgets everything in the log area. */
export function clearLog(): void {
  store32(LOG_BYTES, 0)
  store32(OPEN_BYTES, 0)
}

/** Closes a frame that is one commit or a part of one; the next LSN follows unless the commit goes on. */
function close(): void {
  const operations = load32(LOG) + load32(LOG_BYTES) + FRAME_HEADER_BYTES
  const flags = load32(FRAME_FLAGS)
  seal(load32(OPERATIONS_END) - operations, flags, load32(LSN_LOW), load32(LSN_HIGH))
  if ((flags & (CONTINUES | INCARNATION)) == 0) nextLsn()
}

/** Completes the frame behind the closed ones: header, padding, checksum. */
function seal(operationBytes: u32, flags: u32, lsnLow: u32, lsnHigh: u32): void {
  const frame = load32(LOG) + load32(LOG_BYTES)
  const bytes: u32 = ((FRAME_HEADER_BYTES + operationBytes + 7) & ~7) >>> 0
  let padding = frame + FRAME_HEADER_BYTES + operationBytes
  while (padding < frame + bytes) {
    store8(padding, 0)
    padding++
  }
  store32(frame, bytes)
  store32(frame + 8, load32(IDENTITY))
  store32(frame + 12, load32(PREVIOUS_CHECKSUM))
  store32(frame + 16, load32(INCARNATION_LOW))
  store32(frame + 20, load32(INCARNATION_HIGH))
  store32(frame + 24, lsnLow)
  store32(frame + 28, lsnHigh)
  store32(frame + 32, load32(DURABLE_LOW))
  store32(frame + 36, load32(DURABLE_HIGH))
  store32(frame + 40, load32(TIME_LOW))
  store32(frame + 44, load32(TIME_HIGH))
  store32(frame + 48, operationBytes)
  store32(frame + 52, flags)
  const checksum = xxh32(frame + 8, bytes - 8, (load32(IDENTITY) + bytes) >>> 0)
  store32(frame + 4, checksum)
  store32(PREVIOUS_CHECKSUM, checksum)
  store32(LOG_BYTES, load32(LOG_BYTES) + bytes)
}

/** Length of the valid frame at `at`, 0 when there is none within `room` bytes. */
export function frameBytes(at: u32, room: u32): u32 {
  if (room < FRAME_HEADER_BYTES) return 0
  const bytes = load32u(at)
  if (bytes < FRAME_HEADER_BYTES || bytes > room || (bytes & 7) != 0) return 0
  if (load32u(at + 8) != load32(IDENTITY)) return 0
  const operationBytes = load32u(at + 48)
  if (operationBytes > bytes - FRAME_HEADER_BYTES || bytes - FRAME_HEADER_BYTES - operationBytes > 7) return 0
  if (PLANTED_BUG != 8 && xxh32(at + 8, bytes - 8, (load32(IDENTITY) + bytes) >>> 0) != load32u(at + 4)) return 0
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
