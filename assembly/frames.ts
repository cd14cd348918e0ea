// Frames: page-sized pieces of memory, made on demand up to the limit that `cacheBytes` sets. A frame is free, the newest
// version of its page, or an older version that a record names. Memory is taken for a group of frames at once, and a few
// of them are made at a time, since making one touches its memory.
import { fill, load32, load8, store32, store8 } from './platform'
import { forgetAbsence, growAbsence, hasAnswered } from './absence'
import { take } from './arena'
import { isDirty, linkOf, idOf, setDirty, setLink, setUse, USE_CURRENT, USE_FREE, useOf } from './page'
import {
  CLOCK_HAND,
  COUNT_EVICTIONS,
  FINGER,
  FRAME_COUNT,
  FRAME_DIRECTORY,
  FRAME_GAP,
  FRAME_LIMIT,
  FRAMES_DIRTY,
  FRAMES_FREE,
  FREE_FRAME_LIST,
  NEED_FRAMES,
  OK,
  OUT_OF_MEMORY,
  PAGE_BYTES,
  SHORTCUT_BYTES,
  SHORTCUT_COUNT,
  SHORTCUTS,
  STAMP,
  WANTED_FRAMES
} from './state'
import { setFrame } from './table'

const GROUP_FRAMES: u32 = 64
const MADE_TOGETHER: u32 = 8
/** With fewer frames than this no operation can work. */
const LEAST_FRAMES: u32 = 48

export function setUpFrames(limit: u32): bool {
  const directory = take(((limit + GROUP_FRAMES - 1) >>> 6) << 2)
  if (directory == 0) return false
  store32(FRAME_DIRECTORY, directory)
  store32(FRAME_LIMIT, limit)
  return true
}

/** From the beginning of one frame to that of the next. */
function strideOfFrames(): u32 {
  return load32(PAGE_BYTES) + FRAME_GAP
}

export function frameAt(index: u32): u32 {
  return load32(load32(FRAME_DIRECTORY) + ((index >>> 6) << 2)) + (index & 63) * strideOfFrames()
}

function growFrames(): bool {
  const count = load32(FRAME_COUNT)
  const room = load32(FRAME_LIMIT) - count
  if ((count & 63) == 0 && !takeGroup(count, room)) return false
  const made: u32 = room < MADE_TOGETHER ? room : MADE_TOGETHER
  let i = count + made
  while (i > count) {
    i--
    giveFrame(frameAt(i))
  }
  store32(FRAME_COUNT, count + made)
  growAbsence(count + made)
  return true
}

/** Takes memory for the frames from `count` on, of which `room` may still be made. */
function takeGroup(count: u32, room: u32): bool {
  const group: u32 = room < GROUP_FRAMES ? room : GROUP_FRAMES
  const at = take(group * strideOfFrames())
  if (at == 0) return false
  store32(load32(FRAME_DIRECTORY) + ((count >>> 6) << 2), at)
  return true
}

/** Makes sure that `wanted` frames are free. */
export function reserveFrames(wanted: u32): i32 {
  while (load32(FRAMES_FREE) < wanted) {
    if (load32(FRAME_COUNT) >= load32(FRAME_LIMIT)) {
      store32(WANTED_FRAMES, wanted)
      return NEED_FRAMES
    }
    if (!growFrames()) {
      // The system gives no more memory: the cache stays as large as it is.
      if (load32(FRAME_COUNT) < LEAST_FRAMES) return OUT_OF_MEMORY
      store32(FRAME_LIMIT, load32(FRAME_COUNT))
    }
  }
  return OK
}

/**
 * The same for a call that also needs `kept` pages in memory. If the cache is too small for both, all of them are asked
 * for, so that the call fails. Otherwise those pages would be evicted for the frames, and would take the frames when
 * they are read again, for ever.
 */
export function reserveFramesBeside(kept: u32, wanted: u32): i32 {
  const status = reserveFrames(wanted)
  if (status == NEED_FRAMES && wanted + kept > load32(FRAME_LIMIT)) store32(WANTED_FRAMES, wanted + kept)
  return status
}

/** Takes a free frame; `reserveFrames` was called before. */
export function takeFrame(): u32 {
  const frame = load32(FREE_FRAME_LIST)
  store32(FREE_FRAME_LIST, linkOf(frame))
  store32(FRAMES_FREE, load32(FRAMES_FREE) - 1)
  return frame
}

export function giveFrame(frame: u32): void {
  // A write comes first: reading memory that was never touched makes the system map it twice.
  setUse(frame, USE_FREE)
  if (isDirty(frame)) store32(FRAMES_DIRTY, load32(FRAMES_DIRTY) - 1)
  setDirty(frame, 0)
  renewStamp(frame)
  setLink(frame, load32(FREE_FRAME_LIST))
  store32(FREE_FRAME_LIST, frame)
  store32(FRAMES_FREE, load32(FRAMES_FREE) + 1)
}

/** Gives the frame a stamp no frame has had since the shortcuts were last cleared; even: it is not being changed. */
export function renewStamp(frame: u32): void {
  const stamp: u32 = (load32(STAMP) + 2) >>> 0
  store32(STAMP, stamp)
  // Every two thousand million changes the stamps start again from zero: older shortcuts could then look valid.
  if (stamp == 0) {
    fill(load32(SHORTCUTS), 0, SHORTCUT_COUNT * SHORTCUT_BYTES)
    store32(FINGER, 0)
  }
  store32(frame + 48, stamp)
  forgetAbsence(frame)
}

export function makeDirty(frame: u32): void {
  if (isDirty(frame)) return
  setDirty(frame, 1)
  store32(FRAMES_DIRTY, load32(FRAMES_DIRTY) + 1)
}

export function makeClean(frame: u32): void {
  if (!isDirty(frame)) return
  setDirty(frame, 0)
  store32(FRAMES_DIRTY, load32(FRAMES_DIRTY) - 1)
}

/** Has the page been looked at since this was asked last, or has its filter spared a look? */
function wasUsed(frame: u32): bool {
  const answered = hasAnswered(frame)
  if (load8(frame + 34) == 0) return answered
  store8(frame + 34, 0)
  return true
}

/**
 * Frees clean frames, least recently used first (second chance), until `wanted` are free; returns how many are.
 * Dirty frames are left alone, since they must be written first. While there are any, one lap must do: a second one
 * would evict the pages that were just read for the waiting call, which would want them again, for ever.
 */
export function evict(wanted: u32): u32 {
  const count = load32(FRAME_COUNT)
  let hand = load32(CLOCK_HAND)
  let steps: u32 = load32(FRAMES_DIRTY) == 0 ? count << 1 : count
  while (steps > 0 && load32(FRAMES_FREE) < wanted) {
    steps--
    if (hand >= count) hand = 0
    const frame = frameAt(hand)
    hand++
    if (useOf(frame) == USE_FREE || isDirty(frame) || wasUsed(frame)) continue
    if (useOf(frame) == USE_CURRENT) setFrame(idOf(frame), 0)
    else store32(linkOf(frame) + 16, 0)
    giveFrame(frame)
    store32(COUNT_EVICTIONS, (load32(COUNT_EVICTIONS) + 1) >>> 0)
  }
  store32(CLOCK_HAND, hand)
  return load32(FRAMES_FREE)
}

/** The next dirty frame at or behind the clock's hand that was not used lately, or 0; for writing before eviction. */
export function nextDirty(): u32 {
  const count = load32(FRAME_COUNT)
  let hand = load32(CLOCK_HAND)
  let steps: u32 = count << 1
  while (steps > 0) {
    steps--
    if (hand >= count) hand = 0
    const frame = frameAt(hand)
    hand++
    if (useOf(frame) == USE_FREE || !isDirty(frame) || wasUsed(frame)) continue
    store32(CLOCK_HAND, hand)
    return frame
  }
  store32(CLOCK_HAND, hand)
  return 0
}
