// A meta slot says where everything of one checkpoint is. As a rule the two slots hold the same meta. They differ while
// a checkpoint ends; then the valid one with the higher number wins.
//
//   0       8         12         16         20           24            40          48       56    64      72
//   | magic | version | required | optional | page bytes | database id | timeline  | number | lsn | epoch | time |
//   |       |         | features | features |            | 16 bytes    | id, 8 B   |        |     |       | (ms) |
//   80         84                88           96            104         108      112         116         120
//   | log file | log's previous  | log offset | incarnation | table     | chunks | directory | directory | directory |
//   |          | checksum        |            |             | limit     |        | sector    | bytes     | checksum  |
//   124         128     132         136     508
//   | next tree | flags | copy of   | zeros | checksum |
//   |           |       | directory |       |
import { DIRECTORY_LENGTH, SEGMENT_IDS } from '../../assembly/table.ts'
import { LightningError } from '../errors.ts'
import {
  blockBytes,
  chunkIds,
  directoryEntryBytes,
  formatVersion,
  knownFeatures,
  metaBytes,
  sectorBytes
} from './format.ts'

/** "LightnDB", read as bytes. */
const magic = [0x4c, 0x69, 0x67, 0x68, 0x74, 0x6e, 0x44, 0x42] as const
const closedFlag = 1

/** What a meta slot holds; docs/file-format.md explains every field. */
export interface Meta {
  readonly pageBytes: number
  /** 16 random bytes of the database. */
  readonly databaseId: Uint8Array
  /** 8 random bytes; new when a history begins (creation, restore, repair). */
  readonly timeline: Uint8Array
  /** One more with every checkpoint. */
  readonly number: number
  /** Last commit that is in the pages. */
  readonly lsn: number
  readonly epoch: number
  readonly timeMs: number
  readonly logFile: number
  readonly logOffset: number
  /** Checksum of the frame before the log's start. */
  readonly logPrevious: number
  /** Incarnation of the frame before the log's start, 8 bytes as two words. */
  readonly incarnation: readonly [number, number]
  readonly tableLimit: number
  readonly chunkCount: number
  readonly directorySector: number
  readonly directoryBytes: number
  readonly directoryChecksum: number
  /** Sector of the directory's copy. 0: there is none, and none of any chunk, whatever the directory says. */
  readonly directoryCopySector: number
  readonly nextTree: number
  /** Set by a clean close: the log holds nothing beyond `lsn`. */
  readonly closed: boolean
}

/** What a checksum function looks like: bytes and seed in, 32 bits out. */
export type Checksum = (bytes: Uint8Array, seed: number) => number

export function encodeMeta(meta: Meta, checksum: Checksum): Uint8Array {
  const bytes = new Uint8Array(metaBytes)
  const view = new DataView(bytes.buffer)
  bytes.set(magic, 0)
  view.setUint32(8, formatVersion, true)
  view.setUint32(20, meta.pageBytes, true)
  bytes.set(meta.databaseId, 24)
  bytes.set(meta.timeline, 40)
  setLong(view, 48, meta.number)
  setLong(view, 56, meta.lsn)
  setLong(view, 64, meta.epoch)
  setLong(view, 72, meta.timeMs)
  view.setUint32(80, meta.logFile, true)
  view.setUint32(84, meta.logPrevious, true)
  setLong(view, 88, meta.logOffset)
  view.setUint32(96, meta.incarnation[0], true)
  view.setUint32(100, meta.incarnation[1], true)
  view.setUint32(104, meta.tableLimit, true)
  view.setUint32(108, meta.chunkCount, true)
  view.setUint32(112, meta.directorySector, true)
  view.setUint32(116, meta.directoryBytes, true)
  view.setUint32(120, meta.directoryChecksum, true)
  view.setUint32(124, meta.nextTree, true)
  view.setUint32(128, meta.closed ? closedFlag : 0, true)
  view.setUint32(132, meta.directoryCopySector, true)
  view.setUint32(metaBytes - 4, checksum(bytes.subarray(0, metaBytes - 4), 0), true)
  return bytes
}

/** The meta in a slot's bytes; undefined when they hold none that is whole. */
export function decodeMeta(bytes: Uint8Array, checksum: Checksum, file: string): Meta | undefined {
  if (bytes.length < metaBytes || !magic.every((byte, i) => bytes[i] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, metaBytes)
  if (view.getUint32(metaBytes - 4, true) !== checksum(bytes.subarray(0, metaBytes - 4), 0)) return undefined
  checkVersion(view, file)
  return {
    pageBytes: view.getUint32(20, true),
    databaseId: bytes.slice(24, 40),
    timeline: bytes.slice(40, 48),
    number: getLong(view, 48),
    lsn: getLong(view, 56),
    epoch: getLong(view, 64),
    timeMs: getLong(view, 72),
    logFile: view.getUint32(80, true),
    logPrevious: view.getUint32(84, true),
    logOffset: getLong(view, 88),
    incarnation: [view.getUint32(96, true), view.getUint32(100, true)],
    tableLimit: view.getUint32(104, true),
    chunkCount: view.getUint32(108, true),
    directorySector: view.getUint32(112, true),
    directoryBytes: view.getUint32(116, true),
    directoryChecksum: view.getUint32(120, true),
    nextTree: view.getUint32(124, true),
    closed: (view.getUint32(128, true) & closedFlag) !== 0,
    directoryCopySector: view.getUint32(132, true)
  }
}

/** Page sizes that a database may have. */
function isPageSize(bytes: number): boolean {
  return bytes >= 4_096 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0
}

/**
 * Whether a data file of `fileBytes` bytes can have this meta. A checksum proves that a meta is as it was written, not
 * that what was written makes sense; no memory may be reserved and no place read because of impossible numbers.
 */
export function isPossible(meta: Meta, fileBytes: number): boolean {
  const { number, lsn, epoch, timeMs, logOffset, tableLimit, chunkCount, directoryBytes } = meta
  const holdsDirectory = (sector: number): boolean =>
    sector * sectorBytes >= 2 * blockBytes && sector * sectorBytes + directoryBytes <= fileBytes
  return (
    isPageSize(meta.pageBytes) &&
    [number, lsn, epoch, timeMs, logOffset].every(value => value < largestNumber) &&
    meta.logFile <= 1 &&
    logOffset % 8 === 0 &&
    tableLimit <= largestTable &&
    chunkCount === Math.ceil(tableLimit / chunkIds) &&
    directoryBytes === chunkCount * directoryEntryBytes &&
    (chunkCount === 0 || holdsDirectory(meta.directorySector)) &&
    (meta.directoryCopySector === 0 || holdsDirectory(meta.directoryCopySector)) &&
    meta.nextTree >= 2 &&
    meta.nextTree < largestTree
  )
}

/** Numbers of commits and times are below this. From 2 ** 53 on, adding one to a number need not change it. */
export const largestNumber = 2 ** 52
/** Page ids are below this: the kernel's table has no place for more. */
const largestTable = DIRECTORY_LENGTH * SEGMENT_IDS
/** Tree ids are below this. They have 32 bits, and no database creates so many. */
export const largestTree = 0xffff_0000

/** Whether the bytes begin as a slot does, whole or not. */
export function looksLikeMeta(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte)
}

function checkVersion(view: DataView, file: string): void {
  const version = view.getUint32(8, true)
  const unknown = view.getUint32(12, true) & ~knownFeatures
  if (version === formatVersion && unknown === 0) return
  throw new LightningError(
    'LIGHTNING_VERSION',
    `${file} was written in format ${version}${unknown === 0 ? '' : ` with the features ${unknown.toString(16)}`}, ` +
      `this version of lightning-db reads format ${formatVersion}. Update lightning-db.`,
    { file }
  )
}

function setLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true)
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

function getLong(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
}
