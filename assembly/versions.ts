// Older versions of pages, for snapshots.
//
// The epoch is a counter that goes up when a snapshot is taken after a write. A snapshot carries the epoch it was taken
// in and sees what was written in that epoch or before; everything written later is of a later epoch. Every frame
// carries the epoch of its last change, so a writer knows whether some snapshot still needs what stands there:
//
//   epoch 7: page 5 changed            frame A (7) is the newest version of page 5
//   a snapshot is taken                snapshot 7; the epoch becomes 8
//   page 5 changes                     7 <= 7: A is kept. Frame B (8) is the newest, and a record
//                                      {page 5, superseded 8, born 7, frame A} joins page 5's chain and snapshot 7's list
//   page 5 changes again               8 > 7: B is changed in place
//   the snapshot closes                the record goes to an older snapshot that needs it, or A is freed
//
// A chain runs from newer to older. Record r holds for epochs [r.born .. r.superseded); where born is not known (the
// page came from disk) it is 0, which only keeps a version longer than needed. A record owns the entry of its version,
// so the image on disk lives as long as the record. An id that was free has a record too, with an empty entry: a
// checkpoint must not find a page that was made after it.
//
//   record    0      4    8             16      20     24            48       56
//             | next | id | superseded  | frame | list | entry 24 B  | born   | unused |
//   snapshot  0       4       8       16        20
//             | older | newer | epoch | records | references |
import { load32, store32 } from './platform'
import { take } from './arena'
import { copyPage } from './build'
import { giveFrame, makeDirty, renewStamp, takeFrame } from './frames'
import { isDirty, setLink, setUse, USE_CURRENT, USE_VERSION, setDirty } from './page'
import {
  CHECKPOINT_SNAPSHOT,
  COUNT_COPIES,
  EPOCH_HIGH,
  EPOCH_LOW,
  FRAMES_DIRTY,
  FREE_RECORD_COUNT,
  FREE_RECORDS,
  FREE_SNAPSHOTS,
  LSN_HIGH,
  LSN_LOW,
  OK,
  OUT_OF_MEMORY,
  PAGES_USED,
  RECORDS_USED,
  RELEASED,
  RELEASED_COUNT,
  SNAPSHOT_NEWEST,
  SNAPSHOT_OLDEST,
  SNAPSHOTS_OPEN,
  WROTE_IN_EPOCH
} from './state'
import {
  addFormat,
  chainOf,
  clearEntry,
  ENTRY_USED,
  entryOf,
  frameOf,
  mark,
  moveEntry,
  pushFreeId,
  setChain,
  setFrame,
  takeId
} from './table'

const RECORD_BYTES: u32 = 64
const SNAPSHOT_BYTES: u32 = 64
const GROUP: u32 = 64

/** Is epoch a later than epoch b? */
function later(aLow: u32, aHigh: u32, bLow: u32, bHigh: u32): bool {
  if (PLANTED_BUG == 6) return aHigh != bHigh ? aHigh > bHigh : aLow >= bLow
  return aHigh != bHigh ? aHigh > bHigh : aLow > bLow
}

/** Makes sure that `wanted` records can be taken. */
export function reserveRecords(wanted: u32): i32 {
  while (load32(FREE_RECORD_COUNT) < wanted) {
    const at = take(GROUP * RECORD_BYTES)
    if (at == 0) return OUT_OF_MEMORY
    store32(RECORDS_USED, load32(RECORDS_USED) + GROUP)
    let i: u32 = 0
    while (i < GROUP) {
      giveRecord(at + i * RECORD_BYTES)
      i++
    }
  }
  return OK
}

function giveRecord(record: u32): void {
  store32(record, load32(FREE_RECORDS))
  store32(FREE_RECORDS, record)
  store32(FREE_RECORD_COUNT, load32(FREE_RECORD_COUNT) + 1)
  store32(RECORDS_USED, load32(RECORDS_USED) - 1)
}

function takeRecord(id: u32): u32 {
  const record = load32(FREE_RECORDS)
  store32(FREE_RECORDS, load32(record))
  store32(FREE_RECORD_COUNT, load32(FREE_RECORD_COUNT) - 1)
  store32(RECORDS_USED, load32(RECORDS_USED) + 1)
  store32(record, 0)
  store32(record + 4, id)
  store32(record + 16, 0)
  clearEntry(record + 24)
  return record
}

/**
 * Does some snapshot see the page's newest version, last changed in this epoch (0: not known)? If the epoch is not
 * known, the first record of the page's chain tells: the newest version was made in the epoch in which the version of
 * that record was superseded, or later. Without this, a page that was evicted and read again would be copied at every
 * change while one snapshot stays open.
 */
function isSeen(id: u32, epochLow: u32, epochHigh: u32): bool {
  const newest = load32(SNAPSHOT_NEWEST)
  if (newest == 0 || later(epochLow, epochHigh, load32(newest + 8), load32(newest + 12))) return false
  const record = chainOf(id)
  return record == 0 || !later(load32(record + 8), load32(record + 12), load32(newest + 8), load32(newest + 12))
}

/** Makes a record of the version that was the newest: first in the page's chain, and on the newest snapshot's list. */
function supersede(id: u32, bornLow: u32, bornHigh: u32): u32 {
  const record = takeRecord(id)
  const snapshot = load32(SNAPSHOT_NEWEST)
  store32(record, chainOf(id))
  setChain(id, record)
  store32(record + 8, load32(EPOCH_LOW))
  store32(record + 12, load32(EPOCH_HIGH))
  store32(record + 48, bornLow)
  store32(record + 52, bornHigh)
  store32(record + 20, load32(snapshot + 16))
  store32(snapshot + 16, record)
  return record
}

function stampChange(frame: u32): void {
  store32(frame + 40, load32(EPOCH_LOW))
  store32(frame + 44, load32(EPOCH_HIGH))
  store32(frame + 52, load32(LSN_LOW))
  store32(frame + 56, load32(LSN_HIGH))
  store32(WROTE_IN_EPOCH, 1)
}

/** Is a checkpoint's the only snapshot? Of a version whose image is written it needs no more than the image. */
function isForImagesOnly(): bool {
  return load32(CHECKPOINT_SNAPSHOT) != 0 && load32(SNAPSHOTS_OPEN) == 1
}

/** Would a change of the page now cost a copy that is spared when its image is written first? */
export function isImageWanted(frame: u32): bool {
  return isForImagesOnly() && isDirty(frame) && isSeen(load32(frame), load32(frame + 40), load32(frame + 44))
}

/**
 * The frame in which the resident page may be changed now: its own, or a copy when a snapshot needs what stands there.
 * One frame and one record must have been reserved.
 */
export function writable(id: u32): u32 {
  let frame = frameOf(id)
  mark(id)
  if (isSeen(id, load32(frame + 40), load32(frame + 44))) {
    const record = supersede(id, load32(frame + 40), load32(frame + 44))
    const entry = entryOf(id)
    moveEntry(record + 24, entry)
    addFormat(entry, ENTRY_USED)
    if (!isForImagesOnly() || (PLANTED_BUG != 40 && isDirty(frame))) {
      const old = frame
      frame = takeFrame()
      copyPage(frame, old)
      setUse(old, USE_VERSION)
      setLink(old, record)
      renewStamp(old)
      store32(record + 16, old)
      setUse(frame, USE_CURRENT)
      setDirty(frame, 0)
      setFrame(id, frame)
      store32(COUNT_COPIES, (load32(COUNT_COPIES) + 1) >>> 0)
    }
  }
  makeDirty(frame)
  stampChange(frame)
  renewStamp(frame)
  return frame
}

/**
 * Lets the resident page be changed where it stands without anything in it moving, so that shortcuts stay good; false
 * when a snapshot needs what stands there.
 */
export function openInPlace(frame: u32): bool {
  const id = load32(frame)
  if (isSeen(id, load32(frame + 40), load32(frame + 44))) return false
  mark(id)
  makeDirty(frame)
  stampChange(frame)
  return true
}

/** Takes a free id for a page that is made now. One record must have been reserved. */
export function makeId(): u32 {
  const id = takeId()
  if (isSeen(id, 0, 0)) supersede(id, 0, 0)
  store32(WROTE_IN_EPOCH, 1)
  return id
}

/** Makes a page: an id with a dirty frame whose content is the caller's to write. One frame, one record. */
export function makePage(): u32 {
  const id = makeId()
  const frame = takeFrame()
  setUse(frame, USE_CURRENT)
  setDirty(frame, 1)
  store32(FRAMES_DIRTY, load32(FRAMES_DIRTY) + 1)
  stampChange(frame)
  renewStamp(frame)
  setFrame(id, frame)
  return id
}

/** Frees a page or a large value's segment; snapshots that see it keep it. One record must have been reserved. */
export function freePage(id: u32): void {
  const frame = frameOf(id)
  const entry = entryOf(id)
  const bornLow: u32 = frame == 0 ? 0 : load32(frame + 40)
  const bornHigh: u32 = frame == 0 ? 0 : load32(frame + 44)
  mark(id)
  if (isSeen(id, bornLow, bornHigh)) {
    const record = supersede(id, bornLow, bornHigh)
    moveEntry(record + 24, entry)
    if (frame != 0) {
      setUse(frame, USE_VERSION)
      setLink(frame, record)
      renewStamp(frame)
      store32(record + 16, frame)
    }
  } else {
    releaseEntry(id, entry)
    if (frame != 0) giveFrame(frame)
  }
  setFrame(id, 0)
  clearEntry(entry)
  pushFreeId(id)
  if (PLANTED_BUG != 20) store32(PAGES_USED, load32(PAGES_USED) - 1)
  store32(WROTE_IN_EPOCH, 1)
}

/** Hands the entry's image, if there is one, to the owner of the file, who gives its blocks back. One record. */
export function releaseEntry(id: u32, entry: u32): void {
  if (load32(entry) == 0) return
  const record = takeRecord(id)
  moveEntry(record + 24, entry)
  pushReleased(record)
}

function pushReleased(record: u32): void {
  store32(record, load32(RELEASED))
  store32(RELEASED, record)
  store32(RELEASED_COUNT, load32(RELEASED_COUNT) + 1)
}

/** Address of the entry of the next released image, or 0; it stays valid until the following call. */
export function nextReleased(): u32 {
  const record = load32(RELEASED)
  if (record == 0) return 0
  store32(RELEASED, load32(record))
  store32(RELEASED_COUNT, load32(RELEASED_COUNT) - 1)
  giveRecord(record)
  return record + 24
}

/** Takes a snapshot of what is written now; returns it, or 0 when memory could not grow. */
export function openSnapshot(): u32 {
  const newest = load32(SNAPSHOT_NEWEST)
  // Only the snapshot that began this epoch sees what stands now; when it has closed, an older one is the newest.
  if (newest != 0 && load32(WROTE_IN_EPOCH) == 0 && (load32(newest + 8) + 1) >>> 0 == load32(EPOCH_LOW)) {
    store32(newest + 20, load32(newest + 20) + 1)
    store32(SNAPSHOTS_OPEN, load32(SNAPSHOTS_OPEN) + 1)
    return newest
  }
  let snapshot = load32(FREE_SNAPSHOTS)
  if (snapshot != 0) store32(FREE_SNAPSHOTS, load32(snapshot))
  else {
    snapshot = take(SNAPSHOT_BYTES)
    if (snapshot == 0) return 0
  }
  store32(snapshot, newest)
  store32(snapshot + 4, 0)
  store32(snapshot + 8, load32(EPOCH_LOW))
  store32(snapshot + 12, load32(EPOCH_HIGH))
  store32(snapshot + 16, 0)
  store32(snapshot + 20, 1)
  if (newest != 0) store32(newest + 4, snapshot)
  else store32(SNAPSHOT_OLDEST, snapshot)
  store32(SNAPSHOT_NEWEST, snapshot)
  const low: u32 = (load32(EPOCH_LOW) + 1) >>> 0
  store32(EPOCH_LOW, low)
  if (PLANTED_BUG != 9 && low == 0) store32(EPOCH_HIGH, load32(EPOCH_HIGH) + 1)
  store32(WROTE_IN_EPOCH, 0)
  store32(SNAPSHOTS_OPEN, load32(SNAPSHOTS_OPEN) + 1)
  return snapshot
}

/** Closes one reference to a snapshot; versions nobody sees any more are freed. */
export function closeSnapshot(snapshot: u32): void {
  store32(SNAPSHOTS_OPEN, load32(SNAPSHOTS_OPEN) - 1)
  const references = load32(snapshot + 20) - 1
  store32(snapshot + 20, references)
  if (references != 0) return
  const older = load32(snapshot)
  const newer = load32(snapshot + 4)
  if (newer != 0) store32(newer, older)
  else store32(SNAPSHOT_NEWEST, older)
  if (older != 0) store32(older + 4, newer)
  else store32(SNAPSHOT_OLDEST, newer)
  let record = load32(snapshot + 16)
  while (record != 0) {
    const next = load32(record + 20)
    if (
      PLANTED_BUG != 5 &&
      older != 0 &&
      !later(load32(record + 48), load32(record + 52), load32(older + 8), load32(older + 12)) &&
      !isHiddenFrom(record, older)
    ) {
      store32(record + 20, load32(older + 16))
      store32(older + 16, record)
    } else dropVersion(record)
    record = next
  }
  store32(snapshot, load32(FREE_SNAPSHOTS))
  store32(FREE_SNAPSHOTS, snapshot)
}

/** Is there an older version in the chain that this snapshot sees instead? */
function isHiddenFrom(record: u32, snapshot: u32): bool {
  const next = load32(record)
  return next != 0 && later(load32(next + 8), load32(next + 12), load32(snapshot + 8), load32(snapshot + 12))
}

function dropVersion(record: u32): void {
  const id = load32(record + 4)
  let at = chainOf(id)
  if (at == record) setChain(id, load32(record))
  else {
    while (load32(at) != record) at = load32(at)
    store32(at, load32(record))
  }
  const frame = load32(record + 16)
  if (frame != 0) giveFrame(frame)
  if (load32(record + 24) != 0) pushReleased(record)
  else giveRecord(record)
}

/** The record that holds the page's version at the snapshot, or 0 when that is the newest version. */
export function versionAt(id: u32, snapshot: u32): u32 {
  const low = load32(snapshot + 8)
  const high = load32(snapshot + 12)
  let record = chainOf(id)
  let found: u32 = 0
  while (record != 0 && later(load32(record + 8), load32(record + 12), low, high)) {
    found = record
    record = load32(record)
  }
  return found
}
