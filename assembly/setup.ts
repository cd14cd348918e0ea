// Making a kernel ready: the work areas, the page table, the frames; and an empty database in it.
import { fill, load32, memoryUnits, store32 } from './platform'
import { take } from './arena'
import { format } from './build'
import { DROP_STACK_LENGTH } from './clear'
import { reserveFrames, setUpFrames } from './frames'
import { CATALOG_ROOT, CATALOG_TREE, MAIN_ROOT, MAIN_TREE, TREE_SLOTS } from './operations'
import { LEAF } from './page'
import {
  ARENA,
  ARENA_END,
  ARENA_TOP,
  DROP_STACK,
  ENTRY_LIST,
  EPOCH_LOW,
  HASH_TABLE,
  IMAGE,
  IMAGE_CAPACITY,
  LOG,
  LOG_CAPACITY,
  LSN_LOW,
  OK,
  OUT,
  OUT_CAPACITY,
  OUT_OF_MEMORY,
  PAGE_BYTES,
  SHORTCUT_BYTES,
  SHORTCUT_COUNT,
  SHORTCUTS,
  TABLE_LIMIT,
  TREES,
  WORK,
  WORK2
} from './state'
import { frameOf, growTable, setUpTable } from './table'
import { makePage, reserveRecords } from './versions'

const LOG_AREA_BYTES: u32 = 1 << 20
/** Beyond the log's capacity, for what is found to be too long only when it has been written. */
const LOG_SLACK_BYTES: u32 = 1 << 17
/** A row that is kept keeps the batch it came with, so batches are no larger than this. */
const OUT_AREA_BYTES: u32 = 1 << 16
const IMAGE_AREA_BYTES: u32 = 1 << 20

function area(cell: u32, bytes: u32): bool {
  const at = take(bytes)
  store32(cell, at)
  return at != 0
}

/** Prepares an empty memory, or one used before, for pages of `pageBytes` and at most `frames` of them in memory. */
export function setUp(pageBytes: u32, frames: u32): i32 {
  const used = load32(ARENA_TOP)
  fill(256, 0, ARENA - 256)
  store32(ARENA_TOP, ARENA)
  store32(ARENA_END, (memoryUnits() << 16) >>> 0)
  store32(PAGE_BYTES, pageBytes)
  store32(TABLE_LIMIT, 1)
  store32(EPOCH_LOW, 1)
  store32(LSN_LOW, 1)
  store32(LOG_CAPACITY, LOG_AREA_BYTES)
  store32(OUT_CAPACITY, OUT_AREA_BYTES)
  store32(IMAGE_CAPACITY, IMAGE_AREA_BYTES)
  const entries: u32 = (pageBytes >>> 2) << 3
  // Nobody reads of these what was not written before: they need not be zero, and memory not touched costs nothing.
  const hasWorkAreas: bool =
    area(WORK, pageBytes) &&
    area(WORK2, pageBytes) &&
    area(ENTRY_LIST, entries) &&
    area(OUT, OUT_AREA_BYTES) &&
    area(IMAGE, IMAGE_AREA_BYTES + (pageBytes << 1)) &&
    area(LOG, LOG_AREA_BYTES + LOG_SLACK_BYTES) &&
    area(DROP_STACK, DROP_STACK_LENGTH << 3)
  if (!hasWorkAreas) return OUT_OF_MEMORY
  const from = load32(ARENA_TOP)
  if (used > from) fill(from, 0, used - from)
  const done: bool =
    area(HASH_TABLE, 1 << 14) &&
    area(SHORTCUTS, SHORTCUT_COUNT * SHORTCUT_BYTES) &&
    area(TREES, TREE_SLOTS << 3) &&
    setUpTable() &&
    setUpFrames(frames)
  return done ? OK : OUT_OF_MEMORY
}

/** Makes the two trees every database has. */
export function makeTrees(): i32 {
  const frames = reserveFrames(2)
  if (frames < 0) return frames
  const records = reserveRecords(2)
  if (records < 0) return records
  const ids = growTable(MAIN_ROOT + 1)
  if (ids < 0) return ids
  const catalog = makePage()
  format(frameOf(catalog), CATALOG_ROOT, LEAF, 0, CATALOG_TREE)
  const main = makePage()
  format(frameOf(main), MAIN_ROOT, LEAF, 0, MAIN_TREE)
  return OK
}
