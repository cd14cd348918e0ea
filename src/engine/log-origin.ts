// Whether the log belongs to the data file. When files were put together by hand, it need not.
//
// A log file is empty or begins with a frame. If it begins with a sound frame of another database or another timeline,
// it was put there, whatever the other file holds. If every log file that is not empty begins with a sound frame, and
// none of these can follow the data file's last commit, then the log is not damaged but a different one.
import { IDENTITY, LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES, readFrameHeader } from '../wal/frame.ts'
import type { Core } from './core.ts'

/** A sound log of this database that begins later than the data file ends. */
export interface LaterLog {
  /** The file that shows it. */
  readonly file: string
  /** Its first commit. */
  readonly lsn: number
}

/** Finds a log file that belongs to another database or timeline. Uses the kernel's log area. */
export function foreignLog(core: Core): string | undefined {
  const own = core.memory.word(IDENTITY)
  for (const [i, file] of logFileNames.entries()) {
    const header = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES))
    const length = core.log.file(i).readAt(new Uint8Array(header.buffer), 0)
    // In all ordinary cases this is all that has to be looked at.
    if (length < FRAME_HEADER_BYTES || header.getUint32(8, true) === own) continue
    const first = firstFrame(core, i)
    if (first !== 'none' && first !== 'damaged') return file
  }
  return undefined
}

/**
 * Finds out that the data file, whose last commit is `lsn`, is older than the log; undefined: it may not be. To be called
 * only when no frame follows that commit, and the log is not foreign. Uses the kernel's log area.
 */
export function laterLog(core: Core, lsn: number): LaterLog | undefined {
  let later: LaterLog | undefined
  for (const [i, file] of logFileNames.entries()) {
    const first = firstFrame(core, i)
    if (first === 'none') continue
    if (first === 'damaged' || first.lsn <= lsn + 1) return undefined
    if (later === undefined || first.lsn < later.lsn) later = { file, lsn: first.lsn }
  }
  return later
}

/** The frame that a log file begins with, whatever database it is of. */
function firstFrame(core: Core, file: number): { readonly lsn: number } | 'none' | 'damaged' {
  const { memory, kernel, log } = core
  const base = memory.word(LOG)
  const length = log.file(file).readAt(memory.bytes.subarray(base, base + memory.word(LOG_CAPACITY)), 0)
  const header = memory.bytes.subarray(base, base + Math.min(length, FRAME_HEADER_BYTES))
  if (header.every(byte => byte === 0)) return 'none'
  if (header.length < FRAME_HEADER_BYTES) return 'damaged'
  const own = memory.word(IDENTITY)
  const identity = memory.word(base + 8)
  memory.setWord(IDENTITY, identity)
  const isWhole = kernel.exports.frameBytes(base, length) !== 0
  memory.setWord(IDENTITY, own)
  return isWhole ? { lsn: readFrameHeader(memory, base).lsn } : 'damaged'
}
