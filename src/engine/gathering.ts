// Gathers scattered gaps of the data file into free pieces, for commits that delete on a full disk.
//
// Images of compressed pages are packed into blocks, and a block is free only when all images in it are. So pages that
// are written anew leave gaps that nothing else may fill. Here the images of sparse windows are moved together into free
// stretches. When the next checkpoint is durable, the windows are free stretches.
//
// A stretch is worth the pieces that it has, which is what commits ask for, and the images of average length that fit
// into it. The second makes long stretches worth more than many short ones. Were only pieces counted, the free space
// would soon be stretches of a piece with room for one image each, and emptying a window would take as much as it gives.
//
// Where the images go is found out beforehand, and only as many windows are emptied as bring the most, none if that is
// nothing. So every round adds to the worth of all stretches, and rounds come to an end.
import { TABLE_LIMIT } from '../../assembly/state.ts'
import { ENTRY_LARGE } from '../../assembly/table.ts'
import { bitsWithin, blocksOf, sectorsOf } from '../store/block-map.ts'
import { metaBlocks, sectorsPerBlock } from '../store/format.ts'
import type { Core } from './core.ts'
import { moveImages, type PageImage } from './image-moves.ts'

/** Pieces of the longest windows. */
const longestWindow = 16
/** Of so many windows the emptier half is kept, so that a large file does not fill the memory with them. */
const mostWindows = 8_192
/** Sectors of images that are moved in one go, and are in memory meanwhile: half a MiB. */
const sectorsAtOnce = 1_024

/** A stretch at whose ends no image lies across. */
interface Part {
  readonly block: number
  readonly blocks: number
  /** Sectors of the images in it. */
  readonly sectors: number
}

interface Window extends Part {
  /** What moving its images takes, at the least, for what it is worth when it is empty. */
  readonly cost: number
}

/** A free stretch, which is filled from its start. */
interface Hole {
  readonly block: number
  readonly blocks: number
  /** Sectors at its start that are to be filled. */
  filled: number
}

/** What stands where. */
interface Survey {
  /** Free stretches, the longest first. */
  readonly holes: Hole[]
  /** The cheapest first. */
  readonly windows: Window[]
  /** What a free stretch of so many blocks is worth. */
  worth(blocks: number): number
}

/** What gathering may do, in pieces and their blocks. */
export interface Room {
  readonly pieceBlocks: number
  /** Blocks behind the last one in use that may be taken. */
  readonly tailBlocks: number
  /** Pieces that may be taken until the next checkpoint. */
  readonly mostTaken: number
  /** By how many pieces fewer there may be after it. */
  readonly mostLost: number
}

interface Move {
  readonly image: PageImage
  readonly sector: number
}

/**
 * Moves images so that the free stretches are worth more after the next checkpoint; false: there is nothing to gain. No
 * checkpoint may be running.
 */
export function gather(core: Core, room: Room): boolean {
  const found = survey(core, room)
  const moves = bestMoves(found, contents(core, found.windows, room), room)
  if (moves.length === 0) return false
  moves.sort((a, b) => a.sector - b.sector)
  for (const portion of portionsOf(moves)) {
    for (const { image, sector } of portion) core.data.take(sector, image.bytes)
    moveImages(
      core,
      portion.map(({ image }) => image),
      portion.map(({ sector }) => sector)
    )
  }
  return true
}

/** The moves in portions whose images fit into memory together. */
function* portionsOf(moves: readonly Move[]): Iterable<readonly Move[]> {
  let from = 0
  let sectors = 0
  for (const [i, { image }] of moves.entries()) {
    sectors += image.sectors
    if (sectors < sectorsAtOnce && i + 1 < moves.length) continue
    yield moves.slice(from, i + 1)
    from = i + 1
    sectors = 0
  }
}

/** The images of pages, large values excepted: as a rule those share no block with others. */
function* images({ memory, kernel }: Core): Iterable<PageImage> {
  const limit = memory.word(TABLE_LIMIT)
  for (let id = 1; id < limit; id++) {
    const entry = kernel.exports.entryAt(id, 0) >>> 0
    const sector = memory.word(entry)
    const word = memory.word(entry + 4)
    if (sector === 0 || ((word >>> 24) & ENTRY_LARGE) !== 0) continue
    yield { id, sector, bytes: word & 0xffffff, sectors: sectorsOf(word & 0xffffff) }
  }
}

function survey(core: Core, { pieceBlocks, tailBlocks }: Room): Survey {
  const { blocks } = core.data
  const end = blocks.endBlock
  /** By block: sectors of the images that begin there, and whether the last of these reaches into the next block. */
  const sectors = new Uint16Array(end)
  const reaches = new Uint8Array(end)
  const movable = new Uint8Array(end)
  let count = 0
  let total = 0
  for (const image of images(core)) {
    count++
    total += image.sectors
    const { first, last } = blocksOf(image)
    sectors[first] = (sectors[first] ?? 0) + image.sectors
    reaches.fill(1, first, last)
    for (let block = first; block <= last; block++) movable[block] = (movable[block] ?? 0) | bitsWithin(image, block)
  }
  const average = Math.ceil(total / count) || 1
  const worth = (length: number) => Math.floor(length / pieceBlocks) + Math.floor((length * sectorsPerBlock) / average)
  const costs = (length: number) => length / (pieceBlocks * sectorsPerBlock) + length / average
  const holes: Hole[] = []
  const windows: Window[] = []
  /** Where a window may begin or end: between images, and not within a free piece. */
  let parts: Part[] = []
  const endWindows = () => {
    addWindows(windows, parts, pieceBlocks, window => costs(window.sectors) / worth(window.blocks))
    if (windows.length > mostWindows) cut(windows)
    parts = []
  }
  for (let block = metaBlocks; block < end; ) {
    const from = block
    let content = 0
    let isMovable = true
    if (blocks.mask(block) === 0) while (blocks.mask(block) === 0) block++
    else {
      do {
        content += sectors[block] ?? 0
        isMovable &&= blocks.mask(block) === movable[block]
        block++
      } while (reaches[block - 1] === 1)
    }
    const isPiece = isMovable && content === 0 && block - from >= pieceBlocks
    if (isMovable && !isPiece) parts.push({ block: from, blocks: block - from, sectors: content })
    else endWindows()
    if (isPiece) holes.push({ block: from, blocks: block - from, filled: 0 })
  }
  endWindows()
  if (tailBlocks >= pieceBlocks) holes.push({ block: end, blocks: tailBlocks, filled: 0 })
  windows.sort(byCost)
  holes.sort((a, b) => b.blocks - a.blocks)
  return { holes, windows, worth }
}

/** Adds the windows that can be made of neighbouring parts. */
function addWindows(
  windows: Window[],
  parts: readonly Part[],
  pieceBlocks: number,
  costOf: (window: Part) => number
): void {
  for (let first = 0; first < parts.length; ) {
    let best: Window | undefined
    let next = first + 1
    let blocks = 0
    let sectors = 0
    const block = parts[first]?.block ?? 0
    // What is full is not worth beginning with.
    const isFull = parts[first]?.sectors === (parts[first]?.blocks ?? 0) * sectorsPerBlock
    for (let i = first; !isFull && i < parts.length && blocks < longestWindow * pieceBlocks; i++) {
      blocks += parts[i]?.blocks ?? 0
      sectors += parts[i]?.sectors ?? 0
      const cost = costOf({ block, blocks, sectors })
      if (blocks < pieceBlocks || cost >= (best?.cost ?? 1)) continue
      best = { block, blocks, sectors, cost }
      next = i + 1
    }
    if (best !== undefined) windows.push(best)
    first = next
  }
}

function byCost(a: Window, b: Window): number {
  return a.cost - b.cost
}

function cut(windows: Window[]): void {
  windows.sort(byCost).length = mostWindows >>> 1
}

/** The images in each of the cheapest windows, as far as they could be taken. */
function contents(core: Core, windows: readonly Window[], { pieceBlocks, mostTaken }: Room): PageImage[][] {
  /** By block: the number of its window, counted from 1. */
  const numbers = new Uint16Array(core.data.blocks.endBlock)
  const found: PageImage[][] = []
  let left = mostTaken * pieceBlocks * sectorsPerBlock
  for (const { block, blocks, sectors } of windows) {
    left -= sectors
    if (left < 0) break
    found.push([])
    numbers.fill(found.length, block, block + blocks)
  }
  if (found.length === 0) return found
  for (const image of images(core)) {
    const number = numbers[blocksOf(image).first] ?? 0
    found[number - 1]?.push(image)
  }
  return found
}

/** Where to move the images of the first windows: of so many windows that it is worth the most. */
function bestMoves({ holes, windows, worth }: Survey, content: readonly PageImage[][], room: Room): Move[] {
  const { pieceBlocks, mostTaken, mostLost } = room
  const piecesOf = (blocks: number) => Math.floor(blocks / pieceBlocks)
  const moves: Move[] = []
  let taken = 0
  let freed = 0
  let gain = 0
  let most = 0
  let count = 0
  const place = (sectors: number): number | undefined => {
    for (const hole of holes) {
      const { filled } = hole
      const before = hole.blocks - Math.ceil(filled / sectorsPerBlock)
      const after = hole.blocks - Math.ceil((filled + sectors) / sectorsPerBlock)
      if (after < 0) continue
      taken += piecesOf(before) - piecesOf(after)
      gain -= worth(before) - worth(after)
      hole.filled += sectors
      return hole.block * sectorsPerBlock + filled
    }
    return undefined
  }
  for (const [i, window] of content.entries()) {
    for (const image of window) {
      const sector = place(image.sectors)
      if (sector === undefined || taken > mostTaken) return moves.slice(0, count)
      moves.push({ image, sector })
    }
    const blocks = windows[i]?.blocks ?? 0
    freed += piecesOf(blocks)
    gain += worth(blocks)
    if (gain <= most || taken - freed > mostLost) continue
    most = gain
    count = moves.length
  }
  return moves.slice(0, count)
}
