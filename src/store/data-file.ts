// The data file: its blocks, its meta slots, and the writing of runs into free blocks.
import { assert, LightningError } from '../errors.ts'
import { corrupt } from './failures.ts'
import type { VfsFile } from '../vfs/vfs.ts'
import { BlockMap, type Extent, sectorsOf } from './block-map.ts'
import { blockBytes, metaBlocks, metaBytes, sectorBytes, sectorsPerBlock } from './format.ts'
import { type Checksum, decodeMeta, encodeMeta, isPossible, looksLikeMeta, type Meta } from './meta.ts'

const zeros = new Uint8Array(1 << 20)

/** What limits the growth of the data file. */
export interface DataFileLimits {
  /** Quota in bytes; `Infinity`: none. */
  readonly maxBytes: number
  /** Reads back and compares everything written. */
  readonly verifyWrites: boolean
}

export class DataFile {
  readonly file: VfsFile
  readonly #limitBlocks: number
  readonly #verifyWrites: boolean
  #blocks = new BlockMap()
  /** Up to here the file has been written, so writing there again needs no new space. */
  #writtenBlocks: number
  /** Set when the disk is short of space: then blocks that have been written before are taken first. */
  isDiskShort = false
  /** Pieces taken since the database was opened. */
  takenPieces = 0

  constructor(file: VfsFile, limits: DataFileLimits) {
    this.file = file
    this.#limitBlocks = Math.floor(limits.maxBytes / blockBytes)
    this.#verifyWrites = limits.verifyWrites
    this.#writtenBlocks = Math.floor(file.size() / blockBytes)
  }

  /** Which blocks are in use. */
  get blocks(): BlockMap {
    return this.#blocks
  }

  /** Whether blocks behind the quota are in use. */
  get isBeyondQuota(): boolean {
    return this.#blocks.endBlock > this.#limitBlocks
  }

  /**
   * Blocks behind the last one in use that can certainly be written: up to the quota, or so many whatever the quota.
   */
  tailBlocks(exempt: number): number {
    const end = this.#lastBlock(exempt)
    return Math.max(0, (this.isDiskShort ? Math.min(end, this.#writtenBlocks) : end) - this.#blocks.endBlock)
  }

  /**
   * Writes zeros until `blocks` blocks behind the last one in use have been written, or the quota is reached and
   * `exempt` blocks.
   */
  reserve(blocks: number, exempt: number): void {
    const end = Math.min(this.#lastBlock(exempt), this.#blocks.endBlock + blocks)
    let from = Math.max(this.#writtenBlocks, this.#blocks.endBlock)
    try {
      while (from < end) {
        const step = Math.min(end - from, zeros.length / blockBytes)
        this.file.writeAt(zeros.subarray(0, step * blockBytes), from * blockBytes)
        from += step
      }
    } finally {
      // A full disk may still have taken some of it.
      this.#writtenBlocks = Math.floor(this.file.size() / blockBytes)
    }
  }

  /** Forgets which blocks are in use. Recovery marks them anew. */
  forgetBlocks(): void {
    this.#blocks = new BlockMap()
  }

  read(into: Uint8Array, sector: number): void {
    const offset = sector * sectorBytes
    if (this.file.readAt(into, offset) === into.length) return
    throw corrupt(`${this.file.name} ends before byte ${offset + into.length}, which its tables name.`, {
      file: this.file.name,
      offset
    })
  }

  /** Takes room for `bytes` bytes in one piece and marks it as used. Whether the quota allows it was asked before. */
  takeExtent(bytes: number): Extent {
    const blocks = Math.ceil(bytes / blockBytes)
    return this.#take(this.#find(blocks, blocks).block, bytes)
  }

  /** As `takeExtent`, but throws `LIGHTNING_DISK_FULL` when there is no such piece within the quota. */
  takeWithinQuota(bytes: number): Extent {
    const blocks = Math.ceil(bytes / blockBytes)
    const found = this.#findWithin(blocks, blocks, this.#limitBlocks)
    if (found === undefined) throw this.#full()
    return this.#take(found.block, bytes)
  }

  /** As `takeExtent`, but in the lowest hole at or behind block `from` if there is one. */
  takeLowExtent(bytes: number, from: number): Extent {
    const block = this.#blocks.findLow(Math.ceil(bytes / blockBytes), from)
    return block === undefined ? this.takeExtent(bytes) : this.#take(block, bytes)
  }

  /**
   * Takes room for images of the given lengths, packed by sectors, in as few pieces as the free blocks allow.
   * The result is the sector of each image. Whether the quota allows it was asked before.
   */
  takeRun(lengths: readonly number[]): number[] {
    return this.#takeImages(lengths, (blocks, least) => this.#find(blocks, least))
  }

  /**
   * As `takeRun`, but only in holes before block `end`: the result is shorter when those take fewer images. Segments of
   * large values are among them, each as long as many pieces.
   */
  takeRunBelow(lengths: readonly number[], end: number): number[] {
    const sectors = this.#takeImages(lengths, (blocks, least) => this.#blocks.findBelow(blocks, least, end))
    for (let i = 0; i < sectors.length; i++) {
      this.takenPieces += Math.ceil((lengths[i] ?? 0) / blockBytes) - 1
    }
    return sectors
  }

  /**
   * Takes space for images in turn until `find` finds no more; it is told how many blocks are wanted, and needed at
   * least.
   */
  #takeImages(
    lengths: readonly number[],
    find: (blocks: number, least: number) => { block: number; blocks: number } | undefined
  ): number[] {
    const sectors: number[] = []
    while (sectors.length < lengths.length) {
      let wanted = 0
      for (let i = sectors.length; i < lengths.length; i++) wanted += sectorsOf(lengths[i] ?? 0)
      const least = Math.ceil((lengths[sectors.length] ?? 0) / blockBytes)
      const found = find(Math.ceil(wanted / sectorsPerBlock), least)
      if (found === undefined) break
      let at = found.block * sectorsPerBlock
      const end = at + found.blocks * sectorsPerBlock
      while (sectors.length < lengths.length) {
        const length = sectorsOf(lengths[sectors.length] ?? 0)
        if (at + length > end) break
        this.#blocks.mark({ sector: at, sectors: length })
        sectors.push(at)
        at += length
      }
    }
    this.takenPieces += sectors.length
    return sectors
  }

  /**
   * Takes the sectors from `sector` on for an image of `bytes` bytes. They must be free, and in their blocks there must be
   * nothing older than the same move.
   */
  take(sector: number, bytes: number): void {
    assert(this.#blocks.mark({ sector, sectors: sectorsOf(bytes) }), `sector ${sector} is taken but was in use`)
    this.takenPieces++
  }

  /** Whether an image of `bytes` bytes can be there: behind the metas, and within a file of `fileBytes` bytes. */
  holds(sector: number, bytes: number, fileBytes = this.file.size()): boolean {
    return sector >= metaBlocks * sectorsPerBlock && sector * sectorBytes + bytes <= fileBytes
  }

  /** Writes `bytes` from a sector on. If that fails, the blocks stay taken, and the caller releases them. */
  write(bytes: Uint8Array, sector: number): void {
    writeTo(this.file, bytes, sector * sectorBytes, this.#verifyWrites)
    const end = Math.floor((sector + sectorsOf(bytes.length)) / sectorsPerBlock)
    if (end > this.#writtenBlocks) this.#writtenBlocks = end
  }

  release(extent: Extent): void {
    this.#blocks.release(extent)
  }

  sync(): void {
    this.file.sync()
  }

  syncAsync(): Promise<void> {
    return this.file.syncAsync()
  }

  /**
   * The newest valid meta, and whether both slots hold it. Only if they do is it known to be durable, since the second
   * slot is written after the first has been synced. They are compared byte by byte, not by number: a checkpoint that
   * failed may have used the same number. Throws `LIGHTNING_CORRUPT` when no slot is valid, `LIGHTNING_VERSION` for a
   * newer format.
   */
  readMeta(checksum: Checksum): { readonly meta: Meta; readonly isInBoth: boolean } {
    const bytes = new Uint8Array(blockBytes * 2)
    const length = this.file.readAt(bytes, 0)
    let newest: Meta | undefined
    for (const slot of [0, 1]) {
      const meta = decodeMeta(bytes.subarray(slot * blockBytes, length), checksum, this.file.name)
      if (meta !== undefined && (newest === undefined || meta.number > newest.number)) newest = meta
    }
    if (newest !== undefined && !isPossible(newest, this.file.size())) throw this.#impossible(newest)
    const isInBoth = bytes.subarray(0, metaBytes).every((byte, i) => byte === bytes[blockBytes + i])
    if (newest !== undefined) return { meta: newest, isInBoth }
    const known = looksLikeMeta(bytes) || looksLikeMeta(bytes.subarray(blockBytes))
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      known
        ? `Both meta slots of ${this.file.name} are damaged (bytes 0 and 4096). Run repair: it finds what they led to as a rule. ` +
            'Or restore a backup.'
        : `${this.file.name} is no Lightning DB data file, or its beginning is lost. Check the location; put the data file ` +
            'back, or restore a backup; if it was overwritten in part, repair brings back what it finds.',
      { file: this.file.name, offset: 0 }
    )
  }

  /** Writes one slot (0 or 1); the caller syncs. */
  writeMeta(slot: number, meta: Meta, checksum: Checksum): void {
    const bytes = new Uint8Array(blockBytes)
    bytes.set(encodeMeta(meta, checksum), 0)
    writeTo(this.file, bytes, slot * blockBytes, this.#verifyWrites)
  }

  /** Cuts the file off `keptBlocks` blocks behind the last one in use. */
  trim(keptBlocks = 0): void {
    const end = this.#blocks.endBlock + keptBlocks
    if (this.file.size() > end * blockBytes) this.file.truncate(end * blockBytes)
    this.#writtenBlocks = Math.min(this.#writtenBlocks, end)
  }

  #take(block: number, bytes: number): Extent {
    const extent = { sector: block * sectorsPerBlock, sectors: sectorsOf(bytes) }
    this.takenPieces += Math.ceil(extent.sectors / sectorsPerBlock)
    const wasFree = this.#blocks.mark(extent)
    assert(wasFree, 'a free extent is free')
    return extent
  }

  /** Block at which the file must end: at the quota, or `exempt` blocks behind the last one in use. */
  #lastBlock(exempt: number): number {
    return Math.max(this.#limitBlocks, this.#blocks.endBlock + exempt)
  }

  /** As `BlockMap.find`. Blocks behind the quota are taken only when there are no others. */
  #find(blocks: number, least: number): { block: number; blocks: number } {
    const found =
      this.#findWithin(blocks, least, this.#limitBlocks) ?? this.#findWithin(blocks, least, Number.POSITIVE_INFINITY)
    assert(found !== undefined, 'there is room behind the last block')
    return found
  }

  /** On a disk that is short of space, blocks that have never been written are the last resort. */
  #findWithin(blocks: number, least: number, limitBlocks: number): { block: number; blocks: number } | undefined {
    if (this.isDiskShort) {
      const found = this.#blocks.find(blocks, least, Math.min(limitBlocks, this.#writtenBlocks))
      if (found !== undefined) return found
    }
    return this.#blocks.find(blocks, least, limitBlocks)
  }

  /** The error of a meta that cannot be true of this file: mostly the file has been longer once. */
  #impossible(meta: Meta): LightningError {
    const { name } = this.file
    const size = this.file.size()
    const wasLonger = isPossible(meta, Number.POSITIVE_INFINITY)
    return new LightningError(
      'LIGHTNING_CORRUPT',
      wasLonger
        ? `${name} was cut off: it ends at byte ${size}, and its page table stands behind that. Put the whole file back, ` +
            'restore a backup, or run repair, which brings back what stands before.'
        : `The newest meta slot of ${name} says what cannot be. Restore a backup, or run repair.`,
      { file: name, offset: wasLonger ? size : 0 }
    )
  }

  #full(): LightningError {
    return new LightningError(
      'LIGHTNING_DISK_FULL',
      `The data file has reached its quota of ${this.#limitBlocks * blockBytes} bytes (option maxBytes). ` +
        'Delete entries, or reopen with a larger quota.',
      { file: this.file.name }
    )
  }
}

/** Writes bytes and, if `verify`, reads them back; throws `LIGHTNING_IO` when they differ. */
export function writeTo(file: VfsFile, bytes: Uint8Array, offset: number, verify: boolean): void {
  file.writeAt(bytes, offset)
  if (!verify) return
  const back = new Uint8Array(bytes.length)
  const length = file.readAt(back, offset)
  for (let i = 0; i < bytes.length; i++) {
    if (i < length && back[i] === bytes[i]) continue
    throw new LightningError(
      'LIGHTNING_IO',
      `Byte ${offset + i} of ${file.name} reads back other than it was written. Check the disk and the memory.`,
      { file: file.name, offset: offset + i }
    )
  }
}
