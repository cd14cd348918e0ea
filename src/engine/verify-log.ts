// Verification of the log: every frame that an opening after a crash would need is read back from the disk.
import { CONTINUES, INCARNATION } from '../../assembly/log.ts'
import { IDENTITY } from '../../assembly/state.ts'
import { FRAME_HEADER_BYTES } from '../wal/frame.ts'
import { mostFrameBytes } from '../wal/log-reader.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import type { VerifyProblem } from './verify.ts'

/** A frame's header as verification needs it. */
interface Frame {
  readonly bytes: number
  readonly checksum: number
  readonly previous: number
  readonly incarnation: readonly [number, number]
  readonly lsn: number
  readonly lastLsn: number
  readonly flags: number
}

/**
 * Follows the chain to the last durable commit. `turn` lets other work run: a checkpoint that ends meanwhile makes the
 * rest needless.
 */
export async function checkLog(core: Core, turn: () => Promise<void>): Promise<readonly VerifyProblem[]> {
  const { meta, generation, durableLsn } = core
  let { position, previous, incarnation, lsn } = chainStart(core)
  while (lsn < durableLsn) {
    const continues = (frame: Frame | undefined): frame is Frame =>
      frame !== undefined &&
      frame.previous === previous &&
      frame.lsn === lsn + 1 &&
      ((frame.flags & INCARNATION) !== 0 || frame.incarnation.every((word, i) => word === incarnation[i]))
    let at = position
    let frame = frameAt(core, at.file, at.offset)
    if (!continues(frame)) {
      at = { file: 1 - position.file, offset: 0 }
      frame = frameAt(core, at.file, 0)
    }
    if (!continues(frame)) {
      const { name } = core.log.file(position.file)
      const message =
        `The log is damaged at byte ${position.offset} of ${name}: commits ${lsn + 1} to ${durableLsn} would be missing ` +
        'after a crash. Call checkpoint, which makes the log needless.'
      return [{ message, file: name, offset: position.offset }]
    }
    position = { file: at.file, offset: at.offset + frame.bytes }
    previous = frame.checksum
    incarnation = frame.incarnation
    if ((frame.flags & (INCARNATION | CONTINUES)) === 0) lsn = frame.lastLsn
    await turn()
    if (core.meta !== meta || core.generation !== generation) return []
  }
  return []
}

/** The whole frame at a place in the log, if there is one; the kernel's log area is in use by commits. */
function frameAt(core: Core, file: number, offset: number): Frame | undefined {
  const log = core.log.file(file)
  const header = new Uint8Array(FRAME_HEADER_BYTES)
  if (log.readAt(header, offset) < header.length) return undefined
  const view = new DataView(header.buffer)
  const bytes = view.getUint32(0, true)
  const identity = core.memory.word(IDENTITY)
  if (bytes < header.length || bytes > mostFrameBytes || view.getUint32(8, true) !== identity) return undefined
  const rest = new Uint8Array(bytes - 8)
  if (log.readAt(rest, offset + 8) < rest.length) return undefined
  const checksum = view.getUint32(4, true)
  if (core.checksum(rest, (identity + bytes) >>> 0) !== checksum) return undefined
  const lsn = view.getUint32(28, true) * 0x1_0000_0000 + view.getUint32(24, true)
  return {
    bytes,
    checksum,
    previous: view.getUint32(12, true),
    incarnation: [view.getUint32(16, true), view.getUint32(20, true)],
    lsn,
    lastLsn: lsn + view.getUint16(54, true),
    flags: view.getUint16(52, true)
  }
}
