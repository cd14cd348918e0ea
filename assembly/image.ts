// Page images: a page's bytes as they stand on disk, compressed or not. The memory part of the header is zero in an
// image and the gap between slots and heap too, so an image depends on content alone.
import { copy, fill, load32, store32 } from './platform'
import { build, clearGap, clearList, copyPage, listEntries } from './build'
import { isSound, PROBLEM_IMAGE, refuse } from './check'
import {
  ENTRY_HAS_LARGE,
  ENTRY_LARGE,
  ENTRY_NAMED,
  entryOf,
  FORMAT_LZ4,
  FORMAT_MASK,
  FORMAT_RAW,
  mark,
  setFrame
} from './table'
import { lz4Compress, lz4Decompress } from './lz4'
import {
  countOf,
  flagsOf,
  garbageOf,
  HEADER_BYTES,
  idOf,
  linkOf,
  PAGE_HAS_LARGE,
  setLastHead,
  setLink,
  slotOf,
  setUse,
  touch,
  USE_CURRENT,
  USE_VERSION,
  useOf
} from './page'
import { giveFrame, makeClean, renewStamp, reserveFrames, takeFrame } from './frames'
import { erasePrints } from './prints'
import {
  CORRUPT,
  HASH_TABLE,
  IMAGE_CHECKSUM,
  IMAGE_FORMAT,
  OK,
  PAGE_BYTES,
  SNAPSHOTS_OPEN,
  WANTED_PAGE,
  WORK
} from './state'
import { releaseEntry, reserveRecords } from './versions'
import { xxh32 } from './xxh32'

const MEMORY_PART: u32 = 32

/**
 * Writes the frame's image to `to` (a page's size is free there); returns its length. IMAGE_FORMAT and IMAGE_CHECKSUM
 * (seeded with the page id, so an image in another page's place is found) say the rest.
 */
export function packImage(frame: u32, to: u32, compress: u32): u32 {
  const pageBytes = load32(PAGE_BYTES)
  const work = load32(WORK)
  // Dead cells are squeezed out when they would cost much; content and so readers are not affected.
  if (garbageOf(frame) > pageBytes >>> 4) {
    copyPage(work, frame)
    clearList()
    listEntries(work, 0, countOf(work))
    build(frame, 0, countOf(work))
    renewStamp(frame)
  }
  erasePrints(frame)
  clearGap(frame)
  copy(work, frame + MEMORY_PART, HEADER_BYTES - MEMORY_PART)
  fill(frame + MEMORY_PART, 0, HEADER_BYTES - MEMORY_PART)
  let bytes: u32 = 0
  if (compress != 0) bytes = lz4Compress(frame, pageBytes, to, pageBytes - (pageBytes >>> 4), load32(HASH_TABLE))
  let format = FORMAT_LZ4
  if (bytes == 0) {
    copy(to, frame, pageBytes)
    bytes = pageBytes
    format = FORMAT_RAW
  }
  copy(frame + MEMORY_PART, work, HEADER_BYTES - MEMORY_PART)
  if ((flagsOf(frame) & PAGE_HAS_LARGE) != 0) format = format | ENTRY_HAS_LARGE
  store32(IMAGE_FORMAT, format)
  store32(IMAGE_CHECKSUM, xxh32(to, bytes, idOf(frame)))
  return bytes
}

/** Address of the entry that describes the frame's image. */
function entryOfFrame(frame: u32): u32 {
  return useOf(frame) == USE_VERSION ? linkOf(frame) + 24 : entryOf(idOf(frame))
}

/** Notes where the frame's image was written; the one before is released. One record must be free (`reserveRecords`). */
export function setImage(frame: u32, sector: u32, bytes: u32, format: u32, checksum: u32): i32 {
  const records = reserveRecords(1)
  if (records < 0) return records
  const entry = entryOfFrame(frame)
  const kept: u32 = (load32(entry + 4) >>> 24) & 0x40
  releaseEntry(idOf(frame), entry)
  store32(entry, sector)
  store32(entry + 4, (bytes | ((format | kept) << 24)) >>> 0)
  store32(entry + 8, checksum)
  store32(entry + 12, load32(frame + 52))
  store32(entry + 16, load32(frame + 56))
  if (useOf(frame) == USE_CURRENT) {
    makeClean(frame)
    mark(idOf(frame))
  } else if (load32(SNAPSHOTS_OPEN) == 1) {
    // Nobody but the checkpoint that writes it needs it. Memory that was used before is cheaper than fresh memory.
    store32(linkOf(frame) + 16, 0)
    giveFrame(frame)
  } else makeClean(frame)
  return OK
}

/** Notes that the newest version's image was copied to another place; the one before is released. */
export function moveImage(id: u32, sector: u32): i32 {
  const records = reserveRecords(1)
  if (records < 0) return records
  const entry = entryOf(id)
  const stored = load32(entry + 4)
  const checksum = load32(entry + 8)
  const lsnLow = load32(entry + 12)
  const lsnHigh = load32(entry + 16)
  const next = load32(entry + 20)
  releaseEntry(id, entry)
  store32(entry, sector)
  store32(entry + 4, (stored & ~(ENTRY_NAMED << 24)) >>> 0)
  store32(entry + 8, checksum)
  store32(entry + 12, lsnLow)
  store32(entry + 16, lsnHigh)
  store32(entry + 20, next)
  mark(id)
  return OK
}

/**
 * Brings a page in from its image at `from`, as the newest version (`record` 0) or as an older one. CORRUPT when the
 * image does not fit its entry or the page is not sound; NEED_FRAMES when no frame is free.
 */
export function unpackImage(id: u32, record: u32, from: u32): i32 {
  const reserved = reserveFrames(1)
  if (reserved < 0) return reserved
  const entry: u32 = record == 0 ? entryOf(id) : record + 24
  const bytes: u32 = load32(entry + 4) & 0xffffff
  const format: u32 = load32(entry + 4) >>> 24
  const pageBytes = load32(PAGE_BYTES)
  store32(WANTED_PAGE, id)
  if (
    (format & ENTRY_LARGE) != 0 ||
    bytes > pageBytes ||
    (PLANTED_BUG != 4 && xxh32(from, bytes, id) != load32(entry + 8))
  ) {
    refuse(PROBLEM_IMAGE)
    return CORRUPT
  }
  const frame = takeFrame()
  let good: bool
  if ((format & FORMAT_MASK) == FORMAT_LZ4) good = lz4Decompress(from, bytes, frame, pageBytes) == (pageBytes as i32)
  else {
    good = (format & FORMAT_MASK) == FORMAT_RAW && bytes == pageBytes
    if (good) copy(frame, from, bytes)
  }
  fill(frame + MEMORY_PART, 0, HEADER_BYTES - MEMORY_PART)
  if (!good) refuse(PROBLEM_IMAGE)
  else good = isSound(frame, id)
  if (!good) {
    giveFrame(frame)
    return CORRUPT
  }
  store32(frame + 52, load32(entry + 12))
  store32(frame + 56, load32(entry + 16))
  renewStamp(frame)
  // Marked as used: otherwise it could be evicted for frames that the call waiting for it asks for next.
  touch(frame)
  if (record == 0) {
    setUse(frame, USE_CURRENT)
    if (countOf(frame) != 0) setLastHead(frame, load32(slotOf(frame, countOf(frame) - 1)))
    setFrame(id, frame)
  } else {
    setUse(frame, USE_VERSION)
    setLink(frame, record)
    store32(record + 16, frame)
  }
  return OK
}
