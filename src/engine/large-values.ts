// Large values on disk: segments of 256 KiB, each compressed by itself, in extents of the data file. The log and the
// tree only say where these are (`assembly/large.ts`), so even the largest value takes little of the log and of the
// cache.
import { ENTRY_LARGE, FORMAT_LZ4, FORMAT_MASK, FORMAT_RAW } from '../../assembly/table.ts'
import { HASH_TABLE, IMAGE, TABLE_LIMIT } from '../../assembly/state.ts'
import { invalidArgument } from '../encoding/failure.ts'
import { LightningError } from '../errors.ts'
import { corrupt } from '../store/failures.ts'
import { sectorsOf } from '../store/block-map.ts'
import { sectorBytes } from '../store/format.ts'
import type { Core } from './core.ts'

/** Bytes of a value in one segment; its source and its image both fit into the kernel's image area. */
export const segmentBytes = 256 * 1_024
const imageOffset = 512 * 1_024
/** The largest value. A client must be able to send and receive it in one message. */
export const mostValueBytes = 0x4000_0000

/** Throws `LIGHTNING_INVALID_ARGUMENT` unless a value may have so many bytes. */
export function checkValueBytes(bytes: number): void {
  if (bytes <= mostValueBytes) return
  throw invalidArgument(`A value may have ${mostValueBytes} bytes, this one has ${bytes}. Store it in pieces.`)
}

/** Bytes of the description of a large value of `valueBytes` bytes, which the operation PUT_LARGE carries. */
export function descriptionBytes(valueBytes: number): number {
  return 4 + 12 * Math.ceil(valueBytes / segmentBytes)
}

/** Writes the segments of a large value and returns their description. The caller syncs. */
export function writeSegments(core: Core, value: Uint8Array): Uint8Array {
  const description = new Uint8Array(descriptionBytes(value.length))
  const view = new DataView(description.buffer)
  view.setUint32(0, value.length, true)
  let at = 4
  try {
    for (let from = 0; from < value.length; from += segmentBytes) {
      writeSegment(core, value.subarray(from, from + segmentBytes), view, at)
      at += 12
    }
  } catch (error) {
    // The segment that could not be written has an extent already.
    releaseSegments(core, description)
    throw error
  }
  core.largeWritten++
  return description
}

/** Frees the extents that a description names. Only for one whose operation has not been applied. */
export function releaseSegments(core: Core, description: Uint8Array): void {
  const view = new DataView(description.buffer, description.byteOffset, description.byteLength)
  for (let at = 4; at + 12 <= description.length; at += 12) {
    const sector = view.getUint32(at, true)
    if (sector !== 0) core.data.release({ sector, sectors: sectorsOf(view.getUint32(at + 4, true) & 0xffffff) })
  }
}

function writeSegment(core: Core, raw: Uint8Array, view: DataView, at: number): void {
  const { memory, kernel, data, options } = core
  const image = memory.word(IMAGE)
  memory.bytes.set(raw, image)
  const packed =
    options.compression === 'lz4'
      ? kernel.exports.lz4Compress(
          image,
          raw.length,
          image + imageOffset,
          raw.length - (raw.length >>> 4),
          memory.word(HASH_TABLE)
        )
      : 0
  const from = packed === 0 ? image : image + imageOffset
  const bytes = packed === 0 ? raw.length : packed
  const format = (packed === 0 ? FORMAT_RAW : FORMAT_LZ4) | ENTRY_LARGE
  const extent = data.takeWithinQuota(bytes)
  view.setUint32(at, extent.sector, true)
  view.setUint32(at + 4, ((format << 24) | bytes) >>> 0, true)
  view.setUint32(at + 8, kernel.exports.xxh32(from, bytes, 0) >>> 0, true)
  data.write(memory.bytes.subarray(from, from + bytes), extent.sector)
}

/** Reads the value whose first segment is page `first`, as the snapshot (0: now) sees it. */
export function readLarge(core: Core, first: number, totalBytes: number, snapshot: number): Uint8Array {
  checkChain(core, first, totalBytes, snapshot)
  let value: Uint8Array
  try {
    value = new Uint8Array(totalBytes)
  } catch (cause) {
    throw new LightningError(
      'LIGHTNING_OUT_OF_MEMORY',
      `There is no memory for a value of ${totalBytes} bytes. Close other programs.`,
      { cause }
    )
  }
  let id = first
  for (let at = 0; at < totalBytes; at += segmentBytes) {
    const length = Math.min(segmentBytes, totalBytes - at)
    id = readSegment(core, id, snapshot, value.subarray(at, at + length))
  }
  if (id !== 0) throw damagedValue(core, id, 0)
  return value
}

/** Throws unless there are as many segments as the length says, so that a damaged length does not reserve memory. */
function checkChain(core: Core, first: number, totalBytes: number, snapshot: number): void {
  const { memory, kernel } = core
  let id = first
  // Checked first, since a chain that leads back into itself never ends.
  if (totalBytes > memory.word(TABLE_LIMIT) * segmentBytes) throw damagedValue(core, id, 0)
  for (let at = 0; at < totalBytes; at += segmentBytes) {
    if (id === 0 || !kernel.exports.isId(id)) throw damagedValue(core, id, 0)
    const entry = kernel.exports.entryAt(id, snapshot) >>> 0
    if (((memory.word(entry + 4) >>> 24) & ENTRY_LARGE) === 0) throw damagedValue(core, id, memory.word(entry))
    id = memory.word(entry + 20)
  }
}

/** Reads back a value that was written but is not named by anything yet. */
export function readWritten(core: Core, description: Uint8Array): Uint8Array {
  const view = new DataView(description.buffer, description.byteOffset, description.byteLength)
  const totalBytes = description.length < 4 ? 0 : view.getUint32(0, true)
  // Before memory is reserved for an impossible length.
  if (description.length !== descriptionBytes(totalBytes)) throw damagedValue(core, 0, 0)
  const value = new Uint8Array(totalBytes)
  let from = 0
  for (let at = 4; at < description.length; at += 12) {
    const into = value.subarray(from, from + segmentBytes)
    const word = view.getUint32(at + 4, true)
    const sector = view.getUint32(at, true)
    if (!readImage(core, sector, word & 0xffffff, word >>> 24, view.getUint32(at + 8, true), into)) {
      throw damagedValue(core, 0, sector)
    }
    from += into.length
  }
  return value
}

/** Fills `into` with a segment's bytes; returns the next segment's page id. */
export function readSegment(core: Core, id: number, snapshot: number, into: Uint8Array): number {
  const { memory, kernel } = core
  if (id === 0 || !kernel.exports.isId(id)) throw damagedValue(core, id, 0)
  const entry = kernel.exports.entryAt(id, snapshot) >>> 0
  const sector = memory.word(entry)
  const bytes = memory.word(entry + 4) & 0xffffff
  const format = memory.word(entry + 4) >>> 24
  const checksum = memory.word(entry + 8)
  const next = memory.word(entry + 20)
  if ((format & ENTRY_LARGE) === 0 || sector === 0) throw damagedValue(core, id, sector)
  if (!readImage(core, sector, bytes, format, checksum, into)) throw damagedValue(core, id, sector)
  return next
}

/** Fills `into` with the segment whose image is at `sector`. False: it is damaged. */
function readImage(
  core: Core,
  sector: number,
  bytes: number,
  format: number,
  checksum: number,
  into: Uint8Array
): boolean {
  const { memory, kernel, data } = core
  // A longer one would be read over what follows the kernel's image area.
  if (bytes > segmentBytes) return false
  const image = memory.word(IMAGE)
  data.read(memory.bytes.subarray(image, image + bytes), sector)
  if (kernel.exports.xxh32(image, bytes, 0) >>> 0 !== checksum) return false
  let from = image
  if ((format & FORMAT_MASK) === FORMAT_LZ4) {
    from = image + imageOffset
    if (kernel.exports.lz4Decompress(image, bytes, from, into.length) !== into.length) return false
  } else if (bytes !== into.length) return false
  into.set(memory.bytes.subarray(from, from + into.length))
  return true
}

/** The error of a value whose segment at page `page` cannot be read. */
export function damagedValue(core: Core, page: number, sector: number): LightningError {
  const offset = sector * sectorBytes
  return corrupt(`A large value is damaged at page ${page} (byte ${offset} of ${core.data.file.name}).`, {
    file: core.data.file.name,
    page,
    offset
  })
}
