// A log frame's header as TypeScript reads it; assembly/log.ts draws it and builds it.
import { FRAME_HEADER_BYTES } from '../../assembly/log.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'

/** A valid frame's header. */
export interface FrameHeader {
  readonly bytes: number
  readonly checksum: number
  readonly previous: number
  readonly incarnation: readonly [number, number]
  readonly lsn: number
  readonly durableLsn: number
  readonly timeMs: number
  readonly operationBytes: number
  readonly flags: number
  /** LSN of the frame's last commit; with several, each operation is one. */
  readonly lastLsn: number
}

/** Reads the header of the frame at `at` (a multiple of 8) in the kernel's memory, which `frameBytes` found valid. */
export function readFrameHeader(memory: KernelMemory, at: number): FrameHeader {
  const lsn = memory.long(at + 24)
  const word = memory.word(at + 52)
  return {
    bytes: memory.word(at),
    checksum: memory.word(at + 4),
    previous: memory.word(at + 12),
    incarnation: [memory.word(at + 16), memory.word(at + 20)],
    lsn,
    durableLsn: memory.long(at + 32),
    timeMs: memory.long(at + 40),
    operationBytes: memory.word(at + 48),
    flags: word & 0xffff,
    lastLsn: lsn + (word >>> 16)
  }
}

export { FRAME_HEADER_BYTES }
