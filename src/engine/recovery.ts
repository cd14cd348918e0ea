// Making memory what the durable bytes say: at open, and whenever a half-done step is undone.
//
// The newest valid meta names the tables; the log's chain behind it is walked twice: first to find its last complete
// commit and the extents of large values that its frames name (no eviction during the replay may take those), then to
// apply it. What remains of the log behind the chain is either a torn end or, when some frame says that more was
// durable, corruption.
import { CONTINUES } from '../../assembly/log.ts'
import { CREATE, MAIN_TREE, PUT_LARGE } from '../../assembly/operations.ts'
import {
  DURABLE_LOW,
  EPOCH_LOW,
  IDENTITY,
  IMAGE,
  INCARNATION_HIGH,
  INCARNATION_LOW,
  LSN_LOW,
  OK,
  PREVIOUS_CHECKSUM,
  TIME_LOW
} from '../../assembly/state.ts'
import { ENTRY_LARGE, FORMAT_LZ4, FORMAT_RAW } from '../../assembly/table.ts'
import { isLightningError, LightningError } from '../errors.ts'
import { assertStatus } from '../kernel/status.ts'
import { type Extent, sectorsOf } from '../store/block-map.ts'
import { chunkBytes, chunkIds, directoryEntryBytes, entryBytes } from '../store/format.ts'
import { largestNumber, largestTree } from '../store/meta.ts'
import { FRAME_HEADER_BYTES, type FrameHeader } from '../wal/frame.ts'
import { type ChainEnd, type ChainStart, LogReader } from '../wal/log-reader.ts'
import type { Core } from './core.ts'
import { segmentBytes } from './large-values.ts'
import { foreignLog, type StrangeLog, strangeLog } from './log-origin.ts'

const operationHeaderBytes = 12
/** Of `cacheBytes`; the rest is for the page table (32 bytes a page of the database) and the work areas. */
const frameShare = 7 / 8
const leastFrames = 64

/** What the log's chain was found to be. */
export interface Recovered {
  readonly end: ChainEnd
  /** The first frame that was not known to be durable is rewritten from here. */
  readonly start: ChainStart
}

/** Prepares the kernel for this database; everything it held before is gone. */
export function resetKernel(core: Core): void {
  const { pageBytes } = core.meta
  const frames = Math.max(leastFrames, Math.floor((core.options.cacheBytes * frameShare) / pageBytes))
  assertStatus(core.kernel.exports.setUp(pageBytes, frames), 'the cache')
  // After a failed sync it is not known which of two metas is on disk, so what either names stays taken.
  if (core.failure === undefined) core.data.forgetBlocks()
  core.pending.forget()
  core.run.clear()
  core.directory.resize(0)
}

/** Identity of database and timeline, as frames carry it. */
export function identityOf(core: Core): number {
  return core.checksum(core.meta.databaseId, core.checksum(core.meta.timeline, 1))
}

/**
 * Loads the tables that the meta names; copies are not looked at, only kept from being overwritten. Throws `LIGHTNING_CORRUPT`
 * naming what is damaged.
 */
export function loadTables(core: Core): void {
  const { meta, memory, data, directory } = core
  const { exports } = core.kernel
  const claim = claiming(core)
  assertStatus(exports.setTableLimit(Math.max(1, meta.tableLimit)), 'the page table')
  if (meta.chunkCount > 0) {
    const bytes = new Uint8Array(meta.directoryBytes)
    data.read(bytes, meta.directorySector)
    if (core.checksum(bytes, 0) !== meta.directoryChecksum || bytes.length !== meta.chunkCount * directoryEntryBytes) {
      throw damaged(core, 'The directory of the page table', meta.directorySector)
    }
    claim('The directory of the page table', meta.directorySector, bytes.length)
    directory.decode(bytes)
    if (meta.directoryCopySector === 0) directory.forgetCopies()
    else claim('The copy of the directory', meta.directoryCopySector, bytes.length)
  }
  const image = memory.word(IMAGE)
  for (let chunk = 0; chunk < directory.length; chunk++) {
    const sector = directory.sector(chunk)
    if (sector === 0 && directory.copySector(chunk) === 0) continue
    if (sector === 0 || directory.bytes(chunk) !== chunkBytes)
      throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    claim(`Chunk ${chunk} of the page table`, sector, chunkBytes)
    const copySector = directory.copySector(chunk)
    if (PLANTED_BUG !== 33 && copySector !== 0)
      claim(`The copy of chunk ${chunk} of the page table`, copySector, chunkBytes)
    data.read(memory.bytes.subarray(image, image + chunkBytes), sector)
    if (PLANTED_BUG !== 15 && exports.xxh32(image, chunkBytes, chunk) >>> 0 !== directory.checksum(chunk)) {
      throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    }
    if (!exports.loadChunk(chunk, image)) throw damaged(core, `Chunk ${chunk} of the page table`, sector)
    for (let i = 0; i < chunkIds; i++) {
      const entry = image + i * entryBytes
      const named = memory.word(entry)
      if (named === 0) continue
      claim('Page', named, memory.word(entry + 4) & 0xffffff, chunk * chunkIds + i)
    }
  }
  exports.listFreeIds()
  memory.setLong(EPOCH_LOW, meta.epoch + 1)
  memory.setLong(LSN_LOW, meta.lsn + 1)
  memory.setLong(DURABLE_LOW, meta.lsn)
  memory.setLong(TIME_LOW, meta.timeMs)
  memory.setWord(IDENTITY, identityOf(core))
  memory.setWord(PREVIOUS_CHECKSUM, meta.logPrevious)
  memory.setWord(INCARNATION_LOW, meta.incarnation[0])
  memory.setWord(INCARNATION_HIGH, meta.incarnation[1])
  exports.clearLog()
  core.nextTree = meta.nextTree
}

/**
 * Gives a function that marks what the tables name as taken, and throws `LIGHTNING_CORRUPT` when that is not within the
 * file or taken already: it would be given back twice, and what is written there would be overwritten.
 */
function claiming(core: Core): (what: string, sector: number, bytes: number, page?: number) => void {
  const { data, failure } = core
  // Asked for once: a large database has millions of pages.
  const fileBytes = data.file.size()
  return (what, sector, bytes, page) => {
    // After a failed sync nothing that was taken has been forgotten.
    const isSound =
      data.holds(sector, bytes, fileBytes) &&
      (data.blocks.mark({ sector, sectors: sectorsOf(bytes) }) || failure !== undefined)
    if (!isSound) throw damaged(core, page === undefined ? what : `${what} ${page}`, sector)
  }
}

/** Where the chain behind the meta begins. Behind a clean close nothing follows, and the log begins anew. */
export function chainStart(core: Core): ChainStart {
  const { meta } = core
  return {
    position: { file: meta.logFile, offset: meta.closed ? 0 : meta.logOffset },
    previous: meta.logPrevious,
    incarnation: meta.incarnation,
    lsn: meta.lsn
  }
}

/** Loads tables and replays the chain, up to `lastLsn` if given. Returns the chain's end. */
export function replay(core: Core, lastLsn = Number.POSITIVE_INFINITY): ChainEnd {
  resetKernel(core)
  loadTables(core)
  const { memory, kernel, pager, log } = core
  const reader = new LogReader(kernel, memory, log)
  const start = chainStart(core)
  const end = reader.walk(start, foreseeing(core), Number.POSITIVE_INFINITY, lastLsn)
  const { beginApply, beginApplyEach, apply } = kernel.exports
  if (end.frames > 0) {
    reader.walk(
      start,
      (at, header) => {
        memory.setLong(LSN_LOW, header.lsn)
        memory.setLong(TIME_LOW, header.timeMs)
        const from = at + FRAME_HEADER_BYTES
        if (header.lastLsn > header.lsn) beginApplyEach(from, from + header.operationBytes)
        else beginApply(from, from + header.operationBytes)
        let status = apply()
        while (status !== OK) {
          core.provide(status)
          status = apply()
        }
        pager.drainReleased()
        limitDirty(core)
      },
      end.frames
    )
  }
  memory.setLong(LSN_LOW, end.lsn + 1)
  memory.setWord(PREVIOUS_CHECKSUM, end.previous)
  memory.setWord(INCARNATION_LOW, end.incarnation[0])
  memory.setWord(INCARNATION_HIGH, end.incarnation[1])
  kernel.exports.clearLog()
  kernel.exports.forgetTrees()
  core.log.resume(end.position, start.position, end.otherEnd)
  return end
}

/** On a full disk the replay goes on as long as there are frames: what it needs was there when the log was written. */
function limitDirty(core: Core): void {
  try {
    core.pager.limitDirty()
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_DISK_FULL')) throw error
  }
}

/**
 * Throws `LIGHTNING_CORRUPT` when the log ends before the place where the meta says that it goes on: a checkpoint syncs the
 * log up to there before it writes its meta.
 */
export function checkLogReachesStart(core: Core): void {
  const { file, offset } = chainStart(core).position
  const log = core.log.file(file)
  const size = log.size()
  if (offset <= size) return
  throw new LightningError(
    'LIGHTNING_CORRUPT',
    `${log.name} ends at byte ${size}, and the log goes on at byte ${offset}: its end is missing. Put the file back, ` +
      'restore a backup, or run repair.',
    { file: log.name, offset: size }
  )
}

/**
 * Throws `LIGHTNING_CORRUPT` when some frame says that commits behind the chain's end were durable, or when the log is that
 * of another database, which would be overwritten.
 */
export function checkNothingDurableIsMissing(core: Core, end: ChainEnd): number {
  let durable = 0
  new LogReader(core.kernel, core.memory, core.log).scan(header => {
    if (header.durableLsn > durable) durable = header.durableLsn
  })
  const foreign = foreignLog(core)
  if (foreign !== undefined) {
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `${foreign.file} belongs to another database, or to another restored copy of this one. Put this one's log back; or, ` +
        `if ${core.data.file.name} is a backup that was put here, move both log files away; else run repair, which goes ` +
        'on without them and tells what may be lost.',
      { file: foreign.file, offset: 0 }
    )
  }
  if (PLANTED_BUG !== 28 && durable > end.lsn) {
    const strange = end.frames === 0 ? strangeLog(core, end.lsn) : undefined
    if (strange !== undefined) throw olderThanLog(core, strange, durable)
    const file = core.log.file(end.position.file).name
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `The log is damaged at byte ${end.position.offset} of ${file}: commits ${end.lsn + 1} to ${durable} were durable ` +
        'and cannot be read. Restore a backup, or run repair, which gives the state before them.',
      { file, offset: end.position.offset }
    )
  }
  return durable
}

function olderThanLog(core: Core, { file, lsn }: StrangeLog, durable: number): LightningError {
  const { name } = core.data.file
  return new LightningError(
    'LIGHTNING_CORRUPT',
    `${name} ends with commit ${core.meta.lsn}, and ${file} begins with commit ${lsn}: the data file is older than its log, ` +
      `which goes to commit ${durable}. Put the data file back that was there; or run repair, which gives the older ` +
      'state and keeps the log.',
    { file: name }
  )
}

/**
 * Rewrites and syncs the frames that recovery relied on without knowing them durable: the system may have kept unsynced
 * bytes readable (docs/durability.md, rule 15).
 */
export function makeDurable(core: Core, end: ChainEnd): void {
  if (PLANTED_BUG === 29) return
  const { log } = core
  const start = chainStart(core).position
  if (end.otherEnd > 0 || end.position.file !== start.file) {
    log.rewrite({ file: start.file, offset: start.offset }, end.otherEnd)
    log.rewrite({ file: end.position.file, offset: 0 }, end.position.offset)
  } else log.rewrite(start, end.position.offset)
  log.sync()
}

/** Puts the chosen meta into both slots, durably: from then on nothing that only another one names is needed. */
export function writeMetas(core: Core): void {
  const { data, meta } = core
  for (const slot of [0, 1]) {
    data.writeMeta(slot, meta, core.checksum)
    data.sync()
  }
}

/**
 * Gives a function that looks at every frame before the first is applied: it marks the extents that large values lie in,
 * keeps the ids of trees that are made from being given again, and throws `LIGHTNING_CORRUPT` where what the log says cannot
 * be. Of a commit whose last frame is missing nothing is marked: it never happened, and nothing would give that back.
 */
function foreseeing(core: Core): (at: number, header: FrameHeader) => void {
  let extents: Extent[] = []
  return (at, header) => {
    if (header.timeMs >= largestNumber) throw impossible(core, `commit ${header.lsn} of a time that cannot be`)
    foresee(core, at + FRAME_HEADER_BYTES, header, extents)
    if (PLANTED_BUG === 17 || (header.flags & CONTINUES) !== 0) return
    for (const extent of extents) {
      // After a failed sync nothing that was taken has been forgotten.
      const wasFree = core.data.blocks.mark(extent)
      if (!wasFree && core.failure === undefined) throw damaged(core, largeValue, extent.sector)
    }
    extents = []
  }
}

const largeValue = 'A large value that the log names'

function foresee(core: Core, from: number, header: FrameHeader, extents: Extent[]): void {
  const { memory, data } = core
  const bytes = header.operationBytes
  const view = new DataView(memory.bytes.buffer, from, bytes)
  let at = 0
  while (at + operationHeaderBytes <= bytes) {
    const keyBytes = view.getUint16(at + 2, true)
    const valueBytes = view.getUint32(at + 8, true)
    const value = at + operationHeaderBytes + keyBytes
    const tree = view.getUint32(at + 4, true)
    if (view.getUint8(at) === CREATE) {
      if (tree <= MAIN_TREE || tree >= largestTree) throw impossible(core, `a keyspace ${tree} in commit ${header.lsn}`)
      core.nextTree = Math.max(core.nextTree, tree + 1)
    }
    if (view.getUint8(at) === PUT_LARGE) {
      for (let segment = value + 4; segment + 12 <= value + valueBytes && segment + 12 <= bytes; segment += 12) {
        const sector = view.getUint32(segment, true)
        const stored = view.getUint32(segment + 4, true) & 0xffffff
        const format = view.getUint8(segment + 7)
        const isSegment = format === (FORMAT_RAW | ENTRY_LARGE) || format === (FORMAT_LZ4 | ENTRY_LARGE)
        // What is longer would be read over what stands behind the area for images.
        if (!isSegment || stored === 0 || stored > segmentBytes || !data.holds(sector, stored))
          throw damaged(core, largeValue, sector)
        extents.push({ sector, sectors: sectorsOf(stored) })
      }
    }
    at = value + valueBytes
  }
}

function impossible(core: Core, what: string): LightningError {
  const file = core.log.file(chainStart(core).position.file).name
  return new LightningError(
    'LIGHTNING_CORRUPT',
    `The log tells of ${what}, which cannot be. Restore a backup, or run repair.`,
    { file }
  )
}

function damaged(core: Core, what: string, sector: number): LightningError {
  const offset = sector * 512
  return new LightningError(
    'LIGHTNING_CORRUPT',
    `${what} is damaged (byte ${offset} of ${core.data.file.name}). Restore a backup, or run repair.`,
    { file: core.data.file.name, offset }
  )
}
