// Disk space is reserved before a commit changes anything (docs/durability.md, rule 4), so that a full disk is a plain
// refusal and never a half-done step.
//
// Dirty pages must be written some day, with the tables that name them, and old images may go only when the checkpoint
// after that is durable. So a commit is admitted only if the data file has a free piece for every dirty frame, for
// every page that the commit may dirty, and for the tables. A piece is as large as a page that does not compress. Free
// pieces are in holes, and behind the last block in use: there up to the quota, and on a disk that is short of space
// only as far as the file has been written, since nothing but writing reserves space.
//
// A disk that has much more free space than can be dirty at any time is trusted: nothing is written ahead, and it is
// asked again ten times a second while there are writes. A disk counts as short when it has less, does not tell, or was
// found full although it had reported space.
//
// Commits that let the data grow leave a reserve, of pieces and of log, for commits that only delete. When the reserve
// runs low too, a checkpoint gives back what only the previous one needed: blocks, and the log before its start.
//
// The quota binds what grows, and nothing else. Where a commit that only deletes does not get on with that, though gaps
// were gathered, because it changes many pages or the file was longer than the quota when it was opened, it takes blocks
// behind the quota, no more than its copies of pages and the tables need. Compaction gives them back, and until then
// nothing may grow. So the quota is asked before a commit, and never when a page that was admitted is written.
import { FRAMES_DIRTY, LOG_BYTES, TABLE_LIMIT } from '../../assembly/state.ts'
import { LightningError } from '../errors.ts'
import { isDiskFull } from '../store/failures.ts'
import { blockBytes, chunkIds, directoryEntryBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Core } from './core.ts'
import { gather } from './gathering.ts'

/** What a commit may take. */
export interface Demand {
  /** Bytes of the log. */
  readonly logBytes: number
  /** Pages that it may dirty. */
  readonly pages: number
  /** Blocks of large values, written before it begins. */
  readonly blocks: number
  /** Whether it may make the data larger. If not, it may use the reserve. */
  readonly grows: boolean
  /** Whether it deletes ranges, and nothing else. Then it may use the last of the reserve. */
  readonly clears: boolean
}

/** A disk is trusted that has so much more free space than this handle can have unwritten. */
const marginBytes = 1 << 30
const lookEveryMs = 100
/** Pieces that only commits which delete may use: enough for one, since the next checkpoint brings them back. */
const reservePieces = 24
/**
 * Pieces of these, on a full disk, that only commits which delete ranges may use. Where even gathering gaps does not
 * help those that delete single keys, `clear` still makes room.
 */
const clearPieces = 8
/**
 * Pieces behind the quota that commits which delete may use before the next checkpoint, once the file is too long. Each
 * checkpoint begins a block of its own, so many small ones would undo the packing of compressed pages.
 */
const exemptPieces = 128
/** Bytes of each log file that only commits which delete may use. */
const reserveLogBytes = 128 * 1_024
/**
 * What a log file keeps on a full disk: room for a commit that grows, and the reserve. With less, none could be made.
 */
const keptLogBytes = 2 * reserveLogBytes
/** Bytes of a frame that the committer asks for beside its operations. */
const frameBytes = 64
/** Images that may be written before the ones that they replace become free. */
const imagesInFlight = 64
/** Rounds in which gaps are gathered before one commit. */
const mostRounds = 8
const endless = Number.POSITIVE_INFINITY
/** Blocks written ahead beyond what is needed, so that not every commit has to write some. */
const stepBlocks = 256

/**
 * The least quota that puts need. An empty database needs 48 pieces for the first put: for the pages on its way, for
 * tables, and the reserve. The rest is room for data.
 */
export function leastQuota(pageBytes: number): number {
  return 64 * Math.max(pageBytes, 2 * blockBytes)
}

export class Space {
  readonly #core: Core
  readonly #checkpoint: Checkpoint
  /** Blocks of a piece: a page, or a chunk of the page table if that is larger. */
  readonly #pieceBlocks: number
  #nextLookMs = 0
  #isShort = false
  /** Something was missing since the disk became short. From then on the log takes small steps, and leaves it to data. */
  #isTight = false
  /** The disk was full although it had reported space, as with quotas of users. */
  #wasSurprised = false
  /** Pieces in holes when they were last counted, and `DataFile.takenPieces` at that time. */
  #holes = { pieces: 0, taken: 0 }
  /** What the system said when space was last asked of it in vain; undefined: it gave what it was asked for. */
  #refusal: unknown
  /** The last refusal that was counted out beforehand, when nothing had met a full disk. */
  #counted: unknown

  constructor(core: Core, checkpoint: Checkpoint) {
    this.#core = core
    this.#checkpoint = checkpoint
    this.#pieceBlocks = Math.max(2, core.meta.pageBytes / blockBytes)
  }

  /** Whether every commit has to be admitted: there is a quota, or the disk is short of space. */
  get isLimited(): boolean {
    return this.#isShort || this.#core.options.maxBytes !== undefined
  }

  /** Blocks behind the last one in use, and bytes of each log file, that a close keeps for the next opening. */
  get kept(): { readonly blocks: number; readonly logBytes: number } {
    if (!this.#isShort) return { blocks: 0, logBytes: 0 }
    return { blocks: 2 * reservePieces * this.#pieceBlocks, logBytes: keptLogBytes }
  }

  /** Whether compaction may take a free piece without taking what commits rely on. */
  get hasSpare(): boolean {
    if (!this.isLimited) return true
    return this.#missing({ logBytes: 0, pages: 0, blocks: 0, grows: true, clears: false }, 0) <= 0
  }

  /** The disk was found full. From now on only space that has been written counts. */
  noteFull(): void {
    this.#wasSurprised = true
    this.#setShort(true)
  }

  /**
   * Runs `attempt`, which makes room for a commit. If the disk turns out to be full although it had reported space, the
   * attempt is repeated once, after everything has been given back that can be.
   */
  find(attempt: () => void, demand: () => Demand): void {
    const { generation } = this.#core
    try {
      attempt()
    } catch (error) {
      if (this.#core.failure !== undefined || !isDiskFull(error)) throw error
      if (error === this.#counted) throw error
      if (this.#wasSurprised || generation !== this.#core.generation) throw this.refuse(error)
      this.noteFull()
      this.ensure(demand)
      this.find(attempt, demand)
    }
  }

  /** Notes that a write is refused with `error`, and returns it. */
  refuse(error: unknown): unknown {
    this.#core.health.refused(error)
    return error
  }

  /** Reserves what a commit may take. Throws `LIGHTNING_DISK_FULL`; then nothing has changed. */
  ensure(of: () => Demand): void {
    this.#look()
    if (!this.isLimited) return
    const demand = of()
    this.#refusal = undefined
    if (!this.#secure(demand, this.#exempt(demand))) {
      this.#squeeze()
      if (!demand.grows) this.#gather(demand)
      this.#refusal = undefined
      if (!this.#secure(demand, demand.grows ? 0 : endless)) {
        this.#counted = this.#full()
        throw this.refuse(this.#counted)
      }
    }
    if (demand.grows) this.#core.health.admitted(this.#core.appliedLsn + 1)
  }

  /** Asks the disk for its free space, if it is time. */
  #look(): void {
    const now = performance.now()
    if (now < this.#nextLookMs || this.#wasSurprised) return
    this.#nextLookMs = now + lookEveryMs
    const { cacheBytes, walBytes } = this.#core.options
    const free = this.#core.freeBytes()
    this.#setShort(free === undefined || free < marginBytes + cacheBytes + walBytes * 2)
  }

  #setShort(isShort: boolean): void {
    this.#isShort = isShort
    this.#isTight &&= isShort
    this.#core.data.isDiskShort = isShort
  }

  /** Blocks behind the last one in use that a commit may count on whatever the quota. */
  #exempt({ grows }: Demand): number {
    return !grows && this.#core.data.isBeyondQuota ? exemptPieces * this.#pieceBlocks : 0
  }

  /** Whether everything demanded is there, or could be written ahead now. */
  #secure(demand: Demand, exempt: number): boolean {
    if (demand.grows && this.#core.data.isBeyondQuota) return false
    try {
      if (this.#isShort) this.#reserveLog(demand)
      const missing = this.#missing(demand, exempt)
      return missing <= 0 || (this.#isShort && this.#extend(demand, missing * this.#pieceBlocks, exempt))
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#refusal = error
      return false
    }
  }

  #reserveLog(demand: Demand): void {
    const { log, memory } = this.#core
    const spare = demand.grows ? reserveLogBytes : 0
    const step = this.#isTight ? reserveLogBytes : undefined
    log.reserve(memory.word(LOG_BYTES) + demand.logBytes + frameBytes + spare, step)
    log.reserveOther(spare, step)
  }

  #extend(demand: Demand, blocks: number, exempt: number): boolean {
    const { data } = this.#core
    const wanted = data.tailBlocks(exempt) + blocks
    try {
      data.reserve(wanted + stepBlocks, exempt)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      // A disk too full for a step may still have what is needed now.
      data.reserve(wanted, exempt)
    }
    return this.#missing(demand, exempt) <= 0
  }

  /** Blocks that the tables can take: chunks and directory, all of them twice. */
  #tableBlocks({ pages, blocks }: Demand): number {
    const chunks = Math.ceil((this.#core.memory.word(TABLE_LIMIT) + pages + blocks) / chunkIds) + 1
    return 2 * (chunks * 2 + Math.ceil((chunks * directoryEntryBytes) / blockBytes) + 1)
  }

  /** Pieces that have to be free. */
  #needed(demand: Demand): number {
    const dirty = this.#core.memory.word(FRAMES_DIRTY)
    return (
      dirty +
      Math.min(dirty, imagesInFlight) +
      demand.pages +
      Math.ceil((this.#tableBlocks(demand) + demand.blocks) / this.#pieceBlocks) +
      this.#left(demand)
    )
  }

  /** Pieces of the reserve that a commit leaves for others. */
  #left({ grows, clears }: Demand): number {
    if (grows) return reservePieces
    return clears || !this.#isShort ? 0 : clearPieces
  }

  /** By how many pieces the free ones fall short of what is needed; 0 or less: there are enough. */
  #missing(demand: Demand, exempt: number): number {
    const { data } = this.#core
    const missing = this.#needed(demand) - Math.floor(data.tailBlocks(exempt) / this.#pieceBlocks)
    const holes = this.#holes.pieces - (data.takenPieces - this.#holes.taken)
    if (missing <= Math.max(0, holes)) return missing - Math.max(0, holes)
    this.#holes = { pieces: data.blocks.freePieces(this.#pieceBlocks), taken: data.takenPieces }
    return missing - this.#holes.pieces
  }

  /** Gets back what only the previous checkpoint needs: blocks, and log. */
  #squeeze(): void {
    const { meta, pending, log, memory } = this.#core
    this.#isTight = true
    try {
      if (this.#checkpoint.isRunning || meta.lsn !== this.#core.appliedLsn) this.#checkpoint.runSync()
      if (pending.sectors > 0) this.#checkpoint.runSync()
    } catch (error) {
      if (!isDiskFull(error)) throw error
    }
    if (this.#isShort) log.giveBack(memory.word(LOG_BYTES) + keptLogBytes, keptLogBytes)
  }

  /**
   * Gathers scattered gaps into free pieces until the reserve is whole again, or nothing is left to gain. It begins while
   * there is much of the reserve: the more can be moved at once, the thinner the gaps may be spread.
   */
  #gather(demand: Demand): void {
    const core = this.#core
    const { data, generation } = core
    try {
      for (let round = 0; round < mostRounds; round++) {
        // What has been written behind a quota on a disk that is short of space is as good as any.
        const tail = data.tailBlocks(this.#isShort ? endless : 0)
        const pieces = Math.floor(tail / this.#pieceBlocks) + data.blocks.freePieces(this.#pieceBlocks)
        const spare = pieces - this.#needed(demand)
        if (spare >= reservePieces) return
        const room = {
          pieceBlocks: this.#pieceBlocks,
          tailBlocks: tail,
          // What a round takes comes back with its checkpoint, which must not fail for want of space.
          mostTaken: pieces - this.#needed({ ...demand, pages: 0, clears: true }),
          mostLost: Math.max(0, spare)
        }
        if (!gather(core, room)) return
        this.#checkpoint.runSync()
      }
    } catch (error) {
      if (core.failure !== undefined || core.generation !== generation) throw error
      core.options.logger?.warn('Gaps could not be gathered', error)
    }
  }

  #full(): LightningError {
    const { options, location, data, meta } = this.#core
    const { maxBytes } = options
    if (maxBytes !== undefined && this.#refusal === undefined) {
      const least = leastQuota(meta.pageBytes)
      const cure =
        maxBytes < least
          ? `That leaves room only for deleting: reopen with at least ${least}.`
          : `Delete entries${data.isBeyondQuota ? ' and call compact()' : ''}, or reopen with a larger quota.`
      return new LightningError(
        'LIGHTNING_DISK_FULL',
        `The database may take ${maxBytes} bytes (option maxBytes) and this write could need more. ${cure}`
      )
    }
    return new LightningError(
      'LIGHTNING_DISK_FULL',
      `The disk under ${location} has no space for what this write could need. Free some space, or delete entries; ` +
        'writing goes on by itself.',
      { cause: this.#refusal }
    )
  }
}
