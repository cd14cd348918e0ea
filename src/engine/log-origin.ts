// Whether the log belongs to the data file: files that were put together by hand need not.
//
// A log file begins with a frame, or is empty. So one that begins with a sound frame of another database, or of another
// timeline, was put there, whatever the other one holds. Where every file that is not empty begins with a sound frame,
// and none of them may follow the data file's last commit, the log is not damaged: it is another one.
import { IDENTITY, LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES, readFrameHeader } from '../wal/frame.ts'
import type { Core } from './core.ts'

/** A sound log that the data file's state is no part of. */
export interface StrangeLog {
  /** Of another database or timeline, or of this one at a later time: then the data file is older than its log. */
  readonly kind: 'foreign' | 'later'
  /** The file that tells. */
  readonly file: string
  /** Its first commit. */
  readonly lsn: number
}

/** A log file of another database or timeline, if one of them is. Uses the kernel's log area. */
export function foreignLog(core: Core): StrangeLog | undefined {
  const own = core.memory.word(IDENTITY)
  for (const [i, file] of logFileNames.entries()) {
    const header = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES))
    const length = core.log.file(i).readAt(new Uint8Array(header.buffer), 0)
    // As a rule there is no more to be looked at.
    if (length < FRAME_HEADER_BYTES || header.getUint32(8, true) === own) continue
    const first = firstFrame(core, i)
    if (first !== 'none' && first !== 'damaged') return { kind: 'foreign', file, lsn: first.lsn }
  }
  return undefined
}

/**
 * What the log is when it is not that of the data file, whose last commit is `lsn`; undefined when it may be. Call it
 * only when no frame follows that commit. Uses the kernel's log area.
 */
export function strangeLog(core: Core, lsn: number): StrangeLog | undefined {
  const foreign = foreignLog(core)
  if (foreign !== undefined) return foreign
  let later: StrangeLog | undefined
  for (const [i, file] of logFileNames.entries()) {
    const first = firstFrame(core, i)
    if (first === 'none') continue
    if (first === 'damaged' || first.lsn <= lsn + 1) return undefined
    if (later === undefined || first.lsn < later.lsn) later = { kind: 'later', file, lsn: first.lsn }
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
