// Whether the log belongs to the data file: files that were put together by hand need not.
//
// A log file begins with a frame, or is empty. So where every file that is not empty begins with a sound frame, and none
// of them may follow the data file's last commit, the log is not damaged: it is another one.
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

/**
 * What the log is when it is not that of the data file, whose last commit is `lsn`; undefined when it may be. Call it only
 * when no frame follows that commit. Uses the kernel's log area.
 */
export function strangeLog(core: Core, lsn: number): StrangeLog | undefined {
  const own = core.memory.word(IDENTITY)
  let strange: StrangeLog | undefined
  for (const [i, file] of logFileNames.entries()) {
    const first = firstFrame(core, i)
    if (first === 'none') continue
    if (first === 'damaged') return undefined
    const isForeign = first.identity !== own
    if (!isForeign && first.lsn <= lsn + 1) return undefined
    if (strange === undefined || first.lsn < strange.lsn) {
      strange = { kind: isForeign ? 'foreign' : 'later', file, lsn: first.lsn }
    }
  }
  return strange
}

function firstFrame(
  core: Core,
  file: number
): { readonly identity: number; readonly lsn: number } | 'none' | 'damaged' {
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
  return isWhole ? { identity, lsn: readFrameHeader(memory, base).lsn } : 'damaged'
}
