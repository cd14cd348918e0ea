// Which blocks of the data file are in use. This is not stored: a block is in use when the page table names it, which
// is found out at every opening.
//
// There is a byte for each block; bit i stands for the block's i-th sector. A run of images takes whole free blocks and
// packs its images at sectors. A block is free again when all its bits are.
import { assert } from '../errors.ts'
import { metaBlocks, sectorBytes, sectorsPerBlock } from './format.ts'

/** A piece of the data file: `sectors` sectors from number `sector` on. */
export interface Extent {
  readonly sector: number
  readonly sectors: number
}

/** Sectors that `bytes` bytes take. */
export function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / sectorBytes)
}

const everySector = 0xff
const growthBlocks = 1_024
/** Below this share of free blocks, runs go to the end of the file instead of into small holes. */
const holesWorthFilling = 1 / 5

export class BlockMap {
  #masks = new Uint8Array(growthBlocks)
  /** Blocks up to the end of the last one in use. */
  #end = metaBlocks
  #used = metaBlocks
  #cursor = metaBlocks
  /** Counts changes, so that whoever looks at the blocks piece by piece notices one in between. */
  changes = 0
  /** Set while the file is being made smaller: then every hole is worth filling. */
  isShrinking = false

  constructor() {
    this.#masks.fill(everySector, 0, metaBlocks)
  }

  /** Number of blocks from the start of the file to the last one in use. */
  get endBlock(): number {
    return this.#end
  }

  /** Number of blocks in use, those of the meta slots included. */
  get usedBlocks(): number {
    return this.#used
  }

  get freeBlocks(): number {
    return this.#end - this.#used
  }

  /** Marks an extent as used. Returns whether all of it was free before. */
  mark(extent: Extent): boolean {
    this.changes++
    let wasFree = true
    const { first, last } = blocksOf(extent)
    this.#reach(last + 1)
    for (let block = first; block <= last; block++) {
      const bits = bitsWithin(extent, block)
      const mask = this.#masks[block] ?? 0
      if ((mask & bits) !== 0) wasFree = false
      if (mask === 0) this.#used++
      this.#masks[block] = mask | bits
    }
    return wasFree
  }

  /** Whether all of an extent is in use. */
  isMarked(extent: Extent): boolean {
    const { first, last } = blocksOf(extent)
    for (let block = first; block <= last; block++) {
      const bits = bitsWithin(extent, block)
      if (((this.#masks[block] ?? 0) & bits) !== bits) return false
    }
    return true
  }

  /** Marks an extent as free. */
  release(extent: Extent): void {
    this.changes++
    const { first, last } = blocksOf(extent)
    for (let block = first; block <= last; block++) {
      const bits = bitsWithin(extent, block)
      const mask = this.#masks[block] ?? 0
      assert((mask & bits) === bits && block >= metaBlocks, `block ${block} is given back but was not in use`)
      this.#masks[block] = mask & ~bits
      if ((mask & ~bits) === 0) this.#used--
    }
    if (last + 1 === this.#end) this.#shrink()
  }

  /**
   * Finds `blocks` free blocks in a row, or fewer but at least `least`. They are not taken; that is done by `mark`.
   * Holes come first while they are worth it, then the end of the file, up to `limitBlocks`. Undefined: there is no
   * room.
   */
  find(blocks: number, least: number, limitBlocks: number): { block: number; blocks: number } | undefined {
    const worth = this.isShrinking || this.freeBlocks > this.#end * holesWorthFilling
    if (worth || this.freeBlocks > 64) {
      const hole = this.#findHole(blocks, worth ? least : Math.max(least, Math.min(blocks, 16)))
      if (hole !== undefined) return hole
    }
    const room = Math.min(blocks, limitBlocks - this.#end)
    if (room >= least) return { block: this.#end, blocks: room }
    return this.#findHole(blocks, least)
  }

  /** Bit i: whether the block's i-th sector is in use. */
  mask(block: number): number {
    return this.#masks[block] ?? 0
  }

  /** The free stretches before the last block in use. */
  *holes(): Iterable<{ readonly block: number; readonly blocks: number }> {
    let at = metaBlocks
    while (at < this.#end) {
      const start = this.#masks.indexOf(0, at)
      if (start < 0 || start >= this.#end) return
      let end = start + 1
      while (end < this.#end && this.#masks[end] === 0) end++
      yield { block: start, blocks: end - start }
      at = end + 1
    }
  }

  /** How many pieces of `blocks` blocks in a row the holes have. Taking as many blocks or fewer uses up one at most. */
  freePieces(blocks: number): number {
    let pieces = 0
    for (const hole of this.holes()) pieces += Math.floor(hole.blocks / blocks)
    return pieces
  }

  /** From now on holes are looked for from the start of the file again. */
  rewind(): void {
    this.#cursor = metaBlocks
  }

  /** As `find`, in the next hole that begins before block `end`. Holes passed over are found again after `rewind`. */
  findBelow(blocks: number, least: number, end: number): { block: number; blocks: number } | undefined {
    return this.#scan(this.#cursor, Math.min(end, this.#end), blocks, least)
  }

  /**
   * Finds the lowest hole of `blocks` blocks at or behind block `from`. The order of other searches is not affected.
   */
  findLow(blocks: number, from: number): number | undefined {
    const cursor = this.#cursor
    const found = this.#scan(from, this.#end, blocks, blocks)?.block
    this.#cursor = cursor
    return found
  }

  #findHole(blocks: number, least: number): { block: number; blocks: number } | undefined {
    const from = this.#cursor
    return (
      this.#scan(from, this.#end, blocks, least) ??
      this.#scan(metaBlocks, Math.min(from + least, this.#end), blocks, least)
    )
  }

  #scan(from: number, to: number, blocks: number, least: number): { block: number; blocks: number } | undefined {
    let at = from
    while (at < to) {
      let start = this.#masks.indexOf(0, at)
      if (start < 0 || start >= to) return undefined
      // Back to where the hole begins, so that it is not cut into two that are too short.
      while (start > metaBlocks && this.#masks[start - 1] === 0) start--
      let end = start + 1
      while (end < this.#end && end - start < blocks && this.#masks[end] === 0) end++
      if (end - start >= least) {
        this.#cursor = end
        return { block: start, blocks: end - start }
      }
      at = end + 1
    }
    return undefined
  }

  #reach(end: number): void {
    if (end > this.#masks.length) {
      const larger = new Uint8Array(Math.max(end, Math.ceil(this.#masks.length * 1.5)))
      larger.set(this.#masks)
      this.#masks = larger
    }
    if (end > this.#end) this.#end = end
  }

  #shrink(): void {
    while (this.#end > metaBlocks && this.#masks[this.#end - 1] === 0) this.#end--
    if (this.#cursor > this.#end) this.#cursor = metaBlocks
  }
}

/** The first and the last block that an extent touches. */
export function blocksOf(extent: Extent): { readonly first: number; readonly last: number } {
  return {
    first: Math.floor(extent.sector / sectorsPerBlock),
    last: Math.floor((extent.sector + extent.sectors - 1) / sectorsPerBlock)
  }
}

/** The bits of a block that stand for sectors of an extent that touches it. */
export function bitsWithin(extent: Extent, block: number): number {
  const from = Math.max(0, extent.sector - block * sectorsPerBlock)
  const to = Math.min(sectorsPerBlock, extent.sector + extent.sectors - block * sectorsPerBlock)
  return ((1 << to) - 1) & ~((1 << from) - 1)
}
