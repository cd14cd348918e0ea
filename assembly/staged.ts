// Staged puts: encoded by the caller, checked, but neither applied nor part of the log yet. They are applied together, so
// that the waits for their leaves overlap (ahead.ts). Each is a commit of its own all the same, and each is staged only
// if its leaf is in memory: whatever else could keep it from being applied is found before anybody is promised anything.
//
//   LOG area   | closed and open frames | operation | operation | ...
//              |                        |<----- STAGED_BYTES ---->|
//
// They stand where they are going to be part of the open frame. Whoever reads or writes has the staged puts applied first.
import { load32, store32, store32u } from './platform'
import { findAhead, forgetAhead, touchAhead } from './ahead'
import { joinStaged, nextOperation, noteFirst } from './log'
import { apply, beginApplyEach, beginApplyFound, OPERATION_HEADER_BYTES, PUT, rootIfKnown } from './operations'
import { OK, STAGED_BYTES, STAGED_COUNT, STAGED_STAMP, STAMP } from './state'

/** When so many bytes are staged, no more are. */
export const FULL_STAGE_BYTES: u32 = 16384
/** Longer values are not staged. */
export const MOST_STAGED_VALUE_BYTES: u32 = 2048

/**
 * Stages the put whose key and value the caller has written behind the operation's header, behind what is staged.
 * Returns how many puts are staged then, or 0: it was not staged, for its leaf is not in memory.
 */
export function stagePut(tree: u32, keyBytes: u32, valueBytes: u32): u32 {
  const staged = load32(STAGED_BYTES)
  const at = nextOperation() + staged
  if (staged == 0) {
    forgetAhead(0)
    store32(STAGED_COUNT, 0)
    store32(STAGED_STAMP, load32(STAMP))
  }
  if (!findAhead(at, tree, rootIfKnown(tree), at + OPERATION_HEADER_BYTES, keyBytes)) return 0
  store32u(at, (PUT | (keyBytes << 16)) >>> 0)
  store32u(at + 4, tree)
  store32u(at + 8, valueBytes)
  store32(STAGED_BYTES, staged + OPERATION_HEADER_BYTES + keyBytes + valueBytes)
  store32(STAGED_COUNT, load32(STAGED_COUNT) + 1)
  return load32(STAGED_COUNT)
}

/** Begins to apply what is staged; `commitStaged` does the work. */
export function beginStaged(): void {
  const from = nextOperation()
  const to = from + load32(STAGED_BYTES)
  noteFirst()
  // If any frame has got another page since, what was found may be wrong.
  if (PLANTED_BUG != 37 && load32(STAMP) != load32(STAGED_STAMP)) {
    beginApplyEach(from, to)
    return
  }
  touchAhead(OPERATION_HEADER_BYTES)
  beginApplyFound(from, to)
}

/**
 * Applies what is staged, one commit after the other, and makes it part of the open frame. After a status other than OK the caller
 * provides what is wanted and calls again.
 */
export function commitStaged(): i32 {
  const status = apply()
  if (status < 0) return status
  joinStaged(load32(STAGED_BYTES), load32(STAGED_COUNT))
  forgetStaged()
  return OK
}

/** Nothing is staged any more. */
export function forgetStaged(): void {
  store32(STAGED_BYTES, 0)
}
