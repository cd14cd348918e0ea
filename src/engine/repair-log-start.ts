// Where the log goes on behind what was found in the data file when no meta says so.
//
// Frames that can be read name the frame before them, and a chain goes from one file to the other once only. So a chain
// may begin where the frame before is not there, at the start of a file, and with the first commit that the data file
// does not have. The chain that leads furthest counts.
import { CONTINUES, INCARNATION } from '../../assembly/log.ts'
import { IDENTITY, LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES } from '../wal/frame.ts'
import type { ChainStart, FoundFrame, LogReader } from '../wal/log-reader.ts'
import type { Core } from './core.ts'
import { scan, walk } from './repair-log-steps.ts'
import type { Losses } from './repair-losses.ts'
import type { Stages } from './repair-stages.ts'

/** Places where a log without a meta may begin; more are not tried. */
const mostStarts = 1_000

/** Where a log without a meta begins. */
export interface FoundStart {
  readonly start: ChainStart
  /** Only what comes after this commit is to be applied. */
  readonly sureLsn: number
}

/**
 * The start of the chain that leads furthest, with commit `lsn` the last in the data file; undefined: the log holds
 * nothing whole, which is reported.
 */
export async function findStart(
  core: Core,
  reader: LogReader,
  lsn: number,
  losses: Losses,
  stages: Stages
): Promise<FoundStart | undefined> {
  const place = { file: logFileNames[0], offset: 0 }
  if (!(await findIdentity(core, stages))) {
    losses.other('Lost: everything that stood in the log only.', 'The log holds no frame that is whole', place)
    return undefined
  }
  let best: { readonly start: ChainStart; readonly sureLsn: number; readonly lsn: number } | undefined
  for (const found of await startsIn(reader, lsn, stages)) {
    const end = await walk(reader, found.start, stages, () => undefined)
    if (best !== undefined && (end.lsn < best.lsn || (end.lsn === best.lsn && found.sureLsn >= best.sureLsn))) continue
    best = { ...found, lsn: end.lsn }
  }
  if (best === undefined || best.lsn <= lsn) {
    const start: ChainStart = { position: { file: 0, offset: 0 }, previous: 0, incarnation: [0, 0], lsn }
    return { start, sureLsn: lsn }
  }
  if (best.sureLsn > lsn) {
    const reason = 'The log does not reach back to what was found in the data file'
    losses.other(`Perhaps lost: what commits ${lsn + 1} to ${best.sureLsn} changed.`, reason, place)
  }
  return best
}

/** Where chains may begin. Nothing up to commit `lsn` needs to be applied. */
async function startsIn(reader: LogReader, lsn: number, stages: Stages): Promise<readonly FoundStart[]> {
  /** Whether a frame's commit goes on in the next one, by the frame's checksum. */
  const continues = new Map<number, boolean>()
  await scan(reader, stages, 0, ({ header }) => {
    continues.set(header.checksum, (header.flags & CONTINUES) !== 0)
  })
  const starts: FoundStart[] = []
  await scan(reader, stages, 0, ({ header, position }) => {
    const before = continues.get(header.previous)
    const isNext = header.lsn <= lsn + 1 && lsn < header.lastLsn
    const isStart = before === undefined || (!before && (position.offset === 0 || isNext))
    if (!isStart || starts.length >= mostStarts) return
    const start = { position, previous: header.previous, incarnation: header.incarnation, lsn: header.lsn - 1 }
    const isPart = before === undefined && mayBePart({ header, position })
    starts.push({ start, sureLsn: Math.max(lsn, isPart ? header.lastLsn : start.lsn) })
  })
  return starts
}

/** Whether the frame may hold the end of a commit whose beginning is not there: half a commit must not be applied. */
function mayBePart({ header, position }: FoundFrame): boolean {
  return position.offset !== 0 && (header.flags & INCARNATION) === 0 && header.lastLsn === header.lsn
}

/** Takes the identity of database and timeline from the first frame that is whole. */
async function findIdentity(core: Core, stages: Stages): Promise<boolean> {
  const { memory, kernel, log } = core
  const base = memory.word(LOG)
  const capacity = memory.word(LOG_CAPACITY)
  for (const file of [0, 1]) {
    for (let offset = 0; offset < log.file(file).size(); offset += capacity / 2) {
      await stages.step(0)
      const length = log.file(file).readAt(memory.bytes.subarray(base, base + capacity), offset)
      for (let at = base; at + FRAME_HEADER_BYTES <= base + length; at += 8) {
        const identity = memory.word(at + 8)
        if (identity === 0 || memory.word(at) < FRAME_HEADER_BYTES) continue
        memory.setWord(IDENTITY, identity)
        if (kernel.exports.frameBytes(at, base + length - at) !== 0) return true
      }
    }
  }
  return false
}
