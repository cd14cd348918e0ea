// Reading the log. Its frames form a chain: each carries the checksum of the one before. Files are read piece by piece
// into the kernel's log area, where the kernel checks the frames.
//
// A frame continues the chain when it is whole, belongs to this database and timeline, carries the checksum of the
// frame before it and has the next LSN. At the end of one file the chain may go on at the start of the other.
import { CONTINUES, INCARNATION } from '../../assembly/log.ts'
import { LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import type { Kernel } from '../kernel/load.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import { FRAME_HEADER_BYTES, type FrameHeader, readFrameHeader } from './frame.ts'
import type { LogFiles, LogPosition } from './log-files.ts'

/** The longest frame. A scan reads twice as much at a time, in steps of this, and so meets every frame whole. */
export const mostFrameBytes = 1 << 19

/** Where a chain begins, and what its first frame must continue. */
export interface ChainStart {
  readonly position: LogPosition
  readonly previous: number
  readonly incarnation: readonly [number, number]
  /** Last LSN before the start. */
  readonly lsn: number
}

/** Where a chain ends: behind its last complete commit; and what the next frame must continue. */
export interface ChainEnd extends ChainStart {
  /** Number of frames up to here; those of an incomplete commit at the end do not count. */
  readonly frames: number
  /** Where the chain's part in the other file ends, if the chain has switched files; else 0. */
  readonly otherEnd: number
  readonly timeMs: number
  /** Whether there is any frame up to here. */
  readonly hasFrames: boolean
}

/** A frame of the chain. */
export interface ChainStep {
  /** Its address in the kernel's memory, until the next step. */
  readonly at: number
  readonly header: FrameHeader
}

/** A whole frame, wherever in the log it is. */
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
   * Follows the chain from `start`, for at most `mostFrames` frames and not beyond commit `lastLsn`, which must be the
   * last of some frame. `visit` gets each frame's address in the kernel's memory and its header, and must leave the log
   * area as it is. An incomplete commit at the end is visited, too, but does not count in what is returned.
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

  /** `walk` step by step. Between steps other work may be done that leaves the log area as it is. */
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

  /** `scan` piece by piece. Between steps other work may be done that leaves the log area as it is. */
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

  /** To be called before the log area is used for something else. */
  forget(): void {
    this.#windowFile = -1
  }

  /** Address of the valid frame at a place in the log; 0: there is none. */
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
