// Reading the log's chain: frame after frame, each checked against the one before, through the kernel's log area.
//
// A frame belongs to the chain when it is whole, of this database and timeline, continues the checksum chain and has
// the LSN that comes next. At the end of one file the chain may go on at the start of the other.
import { CONTINUES, INCARNATION } from '../../assembly/log.ts'
import { LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import type { Kernel } from '../kernel/load.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import { FRAME_HEADER_BYTES, type FrameHeader, readFrameHeader } from './frame.ts'
import type { LogFiles, LogPosition } from './log-files.ts'

/** Frames are at most so long, so that a scan with windows of twice the size meets every frame whole. */
export const mostFrameBytes = 1 << 19

/** Where a chain begins, and what must continue there. */
export interface ChainStart {
  readonly position: LogPosition
  readonly previous: number
  readonly incarnation: readonly [number, number]
  /** Last LSN before the start. */
  readonly lsn: number
}

/** The end of what a chain says: the last complete commit, and what follows it must continue. */
export interface ChainEnd extends ChainStart {
  /** Frames up to here, incomplete commits left out. */
  readonly frames: number
  /** End of the other file's part of the chain, when the chain switched files. */
  readonly otherEnd: number
  readonly timeMs: number
  /** Where the first frame after LSN `durableLsn` begins, if there is one. */
  readonly hasFrames: boolean
}

/** A frame of the chain. */
export interface ChainStep {
  /** Its address in the kernel's memory, until the next step. */
  readonly at: number
  readonly header: FrameHeader
}

/** A frame that is whole, wherever it stands. */
export interface FoundFrame {
  readonly header: FrameHeader
  readonly position: LogPosition
}

export class LogReader {
  readonly #kernel: Kernel
  readonly #memory: KernelMemory
  readonly #log: LogFiles
  #windowFile = -1
  #windowStart = 0
  #windowEnd = 0

  constructor(kernel: Kernel, memory: KernelMemory, log: LogFiles) {
    this.#kernel = kernel
    this.#memory = memory
    this.#log = log
  }

  /**
   * Walks the chain. `visit` gets each frame's address in kernel memory and its header and must leave the log area as
   * it is; after `mostFrames` frames, or behind `lastLsn` (the end of some frame), the walk ends. Incomplete commits at the end are visited but
   * not part of what is returned.
   */
  walk(
    start: ChainStart,
    visit: (at: number, header: FrameHeader) => void,
    mostFrames = Number.POSITIVE_INFINITY,
    lastLsn = Number.POSITIVE_INFINITY
  ): ChainEnd {
    const steps = this.steps(start, mostFrames, lastLsn)
    while (true) {
      const step = steps.next()
      if (step.done === true) return step.value
      visit(step.value.at, step.value.header)
    }
  }

  /** `walk`, step by step: between two steps other work may be done that leaves the log area as it is. */
  *steps(
    start: ChainStart,
    mostFrames = Number.POSITIVE_INFINITY,
    lastLsn = Number.POSITIVE_INFINITY
  ): Generator<ChainStep, ChainEnd, undefined> {
    let { file, offset } = start.position
    let { previous, incarnation, lsn } = start
    let seen = 0
    let otherEnd = 0
    let hasSwitched = false
    let end: ChainEnd = { ...start, frames: 0, otherEnd: 0, timeMs: 0, hasFrames: false }
    this.forget()
    while (seen < mostFrames) {
      let at = this.#frameAt(file, offset)
      let header = at === 0 ? undefined : this.#accept(at, previous, incarnation, lsn)
      if (header === undefined && !hasSwitched) {
        const other = file === 0 ? 1 : 0
        at = this.#frameAt(other, 0)
        header = at === 0 ? undefined : this.#accept(at, previous, incarnation, lsn)
        if (header !== undefined) {
          hasSwitched = true
          otherEnd = offset
          file = other
          offset = 0
        }
      }
      if (header === undefined || header.lastLsn > lastLsn) break
      yield { at, header }
      seen++
      offset += header.bytes
      previous = header.checksum
      incarnation = header.incarnation
      if ((header.flags & INCARNATION) === 0 && (header.flags & CONTINUES) === 0) lsn = header.lastLsn
      if ((header.flags & CONTINUES) === 0) {
        end = {
          position: { file, offset },
          previous,
          incarnation,
          lsn,
          frames: seen,
          otherEnd,
          timeMs: header.timeMs,
          hasFrames: true
        }
      }
    }
    return end
  }

  /** Calls `visit` for every valid frame of this database and timeline in either file, wherever it stands. */
  scan(visit: (header: FrameHeader, position: LogPosition) => void): void {
    for (const found of this.scanSteps()) for (const { header, position } of found) visit(header, position)
  }

  /** `scan`, window by window: between two steps other work may be done that leaves the log area as it is. */
  *scanSteps(): Generator<readonly FoundFrame[], void, undefined> {
    const { findFrame } = this.#kernel.exports
    for (const file of [0, 1]) {
      const size = this.#log.file(file).size()
      for (let offset = 0; offset < size; offset += mostFrameBytes) {
        this.#load(file, offset)
        const base = this.#memory.word(LOG)
        const stop = base + (this.#windowEnd - this.#windowStart)
        const found: FoundFrame[] = []
        let at = findFrame(base, stop) >>> 0
        while (at !== 0) {
          const header = readFrameHeader(this.#memory, at)
          found.push({ header, position: { file, offset: offset + at - base } })
          at = findFrame(at + header.bytes, stop) >>> 0
        }
        yield found
      }
    }
    this.forget()
  }

  /** Forgets the window: the log area is used for something else. */
  forget(): void {
    this.#windowFile = -1
  }

  /** Address of the valid frame at a place in the log, 0 when there is none. */
  #frameAt(file: number, offset: number): number {
    const { frameBytes } = this.#kernel.exports
    const base = this.#memory.word(LOG)
    if (this.#windowFile === file && offset >= this.#windowStart && offset + FRAME_HEADER_BYTES <= this.#windowEnd) {
      const at = base + offset - this.#windowStart
      if (frameBytes(at, this.#windowEnd - offset) !== 0) return at
    }
    this.#load(file, offset)
    return frameBytes(base, this.#windowEnd - offset) === 0 ? 0 : base
  }

  #load(file: number, offset: number): void {
    const base = this.#memory.word(LOG)
    const capacity = this.#memory.word(LOG_CAPACITY)
    const length = this.#log.file(file).readAt(this.#memory.bytes.subarray(base, base + capacity), offset)
    this.#windowFile = file
    this.#windowStart = offset
    this.#windowEnd = offset + length
  }

  #accept(at: number, previous: number, incarnation: readonly [number, number], lsn: number): FrameHeader | undefined {
    const header = readFrameHeader(this.#memory, at)
    if (header.previous !== previous || header.lsn !== lsn + 1) return undefined
    const isSame = header.incarnation[0] === incarnation[0] && header.incarnation[1] === incarnation[1]
    if (isSame || (header.flags & INCARNATION) !== 0) return header
    return undefined
  }
}
