// Applies the log of a damaged database to the new one, as far as its chain of frames goes.
//
// The result is a state that the database once had: behind the first commit that cannot be read nothing is applied,
// even if frames are readable there. Without the commits between, they would mix a later state with an earlier one:
// half of a transfer without the other half. The report says how many such commits there are, and the log is kept.
import {
  CATALOG_TREE,
  CLEAR,
  CREATE,
  DELETE,
  DROP,
  MAIN_TREE,
  NOTE,
  OPERATION_HEADER_BYTES,
  PUT,
  PUT_LARGE
} from '../../assembly/operations.ts'
import { IDENTITY, LOG, LOG_CAPACITY, MAX_KEY_BYTES } from '../../assembly/state.ts'
import { isLightningError } from '../errors.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES, type FrameHeader } from '../wal/frame.ts'
import { type ChainEnd, type ChainStart, type ChainStep, type FoundFrame, LogReader } from '../wal/log-reader.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import { readWritten } from './large-values.ts'
import { foreignLog, strangeLog } from './log-origin.ts'
import type { Losses, LossPlace } from './repair-losses.ts'
import type { DamagedDatabase } from './repair-source.ts'
import type { Stages } from './repair-stages.ts'
import type { RepairTarget } from './repair-target.ts'

/** Places where a log without a meta may begin; more are not tried. */
const mostStarts = 1_000

/** Applies the chain of the log to the new database, and reports what is missing behind its end. */
export async function salvageLog(
  damaged: DamagedDatabase,
  target: RepairTarget,
  losses: Losses,
  stages: Stages
): Promise<void> {
  const { core, hasMeta } = damaged
  const bytes = core.log.file(0).size() + core.log.file(1).size()
  if (bytes === 0) {
    // Only a clean close empties the logs.
    if (core.meta.closed || (damaged.missingLogs.length === 0 && !hasMeta)) return
    const message = `Perhaps lost: commits after number ${core.meta.lsn}, with the log.`
    const file = logFileNames[core.meta.logFile] ?? logFileNames[0]
    losses.other(message, 'The log is missing or empty', { file, isMissing: damaged.missingLogs.includes(file) })
    return
  }
  const reader = new LogReader(core.kernel, core.memory, core.log)
  const start = hasMeta ? chainStart(core) : await findStart(core, reader, damaged.lsn, losses, stages)
  if (start === undefined) return
  const end = await walk(reader, start, stages, () => undefined)
  let done = 0
  const apply = ({ at, header }: ChainStep): void => {
    // Without a meta the chain may begin with commits that are in the pages already. These are skipped, or applied
    // again with all commits that follow them, which gives the same result.
    if (header.lastLsn > damaged.lsn) applyFrame(core, target, losses, at + FRAME_HEADER_BYTES, header)
    done += header.bytes / bytes
  }
  if (end.frames > 0) await walk(reader, start, stages, apply, () => done, end.frames)
  target.flush()
  await tellOfMissing(damaged, reader, end, losses, stages)
}

/** Walks the chain with turns for other work; `share` tells how much of the log is done. */
async function walk(
  reader: LogReader,
  start: ChainStart,
  stages: Stages,
  visit: (step: ChainStep) => void,
  share = () => 0,
  mostFrames = Number.POSITIVE_INFINITY
): Promise<ChainEnd> {
  const steps = reader.steps(start, mostFrames)
  while (true) {
    const step = steps.next()
    if (step.done === true) return step.value
    visit(step.value)
    await stages.step(share())
  }
}

/** Every whole frame, wherever in the log it is; other work is done in between. */
async function scan(
  reader: LogReader,
  stages: Stages,
  share: number,
  visit: (found: FoundFrame) => void
): Promise<void> {
  for (const found of reader.scanSteps()) {
    for (const frame of found) visit(frame)
    await stages.step(share)
  }
}

function applyFrame(core: Core, target: RepairTarget, losses: Losses, from: number, header: FrameHeader): void {
  const bytes = header.operationBytes
  // A copy: reading large values uses the memory that the frame stands in front of.
  const operations = core.memory.bytes.slice(from, from + bytes)
  const view = new DataView(operations.buffer)
  let at = 0
  while (at + OPERATION_HEADER_BYTES <= bytes) {
    const tree = view.getUint32(at + 4, true)
    const keyStart = at + OPERATION_HEADER_BYTES
    const valueStart = keyStart + view.getUint16(at + 2, true)
    const end = valueStart + view.getUint32(at + 8, true)
    const key = operations.slice(keyStart, valueStart)
    const value = operations.slice(valueStart, end)
    const type = view.getUint8(at)
    const flags = view.getUint8(at + 1)
    at = end
    if (end > bytes || !canBe(type, tree, key.length, value.length)) {
      losses.other(`Lost: a part of commit ${header.lsn}.`, 'The log holds an operation that cannot be')
      continue
    }
    if (type === PUT) target.put(tree, key, value)
    else if (type === DELETE) target.del(tree, key)
    else if (type === CLEAR) target.clear(tree, key, (flags & 1) === 0 ? undefined : value)
    else if (type === PUT_LARGE) putLarge(core, target, losses, tree, key, value)
    else if (type === CREATE) target.name(tree, key)
    else if (type === DROP) target.drop(tree, key)
  }
}

/** Whether a database can have written such an operation. A right checksum does not prove that it makes sense. */
function canBe(type: number, tree: number, keyBytes: number, valueBytes: number): boolean {
  if (type === NOTE) return true
  if (type === CREATE || type === DROP) return tree > MAIN_TREE && keyBytes > 0 && keyBytes <= MAX_KEY_BYTES
  if (tree === CATALOG_TREE) return false
  // Bounds may lie just behind a key.
  if (type === CLEAR) return keyBytes <= MAX_KEY_BYTES + 1 && valueBytes <= MAX_KEY_BYTES + 1
  return (type === PUT || type === DELETE || type === PUT_LARGE) && keyBytes > 0 && keyBytes <= MAX_KEY_BYTES
}

function putLarge(
  core: Core,
  target: RepairTarget,
  losses: Losses,
  tree: number,
  key: Uint8Array,
  description: Uint8Array
): void {
  try {
    target.put(tree, key, readWritten(core, description))
  } catch (error) {
    if (!isLightningError(error, 'LIGHTNING_CORRUPT')) throw error
    // The value before it is not the key's value any more.
    target.del(tree, key)
    const { file, offset } = error
    losses.value('A part of the value that the log names is damaged', key, target.pathOf(tree), { file, offset })
  }
}

/** Reports commits that some frame says were durable but that the chain does not reach. */
async function tellOfMissing(
  damaged: DamagedDatabase,
  reader: LogReader,
  end: ChainEnd,
  losses: Losses,
  stages: Stages
): Promise<void> {
  const { core } = damaged
  let durable = end.lsn
  let readable = 0
  await scan(reader, stages, 1, ({ header }) => {
    durable = Math.max(durable, header.durableLsn)
    if (header.lastLsn > end.lsn) readable++
  })
  const { file, offset } = end.position
  const place = { file: core.log.file(file).name, offset }
  if (durable === end.lsn) {
    const doubt = core.meta.closed ? undefined : doubtAbout(damaged, end)
    if (doubt === undefined) return
    losses.other(`Perhaps lost: commits after number ${end.lsn}.`, doubt.reason, { ...place, ...doubt })
    return
  }
  const commits = end.lsn + 1 === durable ? `commit ${durable}` : `commits ${end.lsn + 1} to ${durable}`
  const behind =
    readable === 0 ? '' : ` (${readable} of their frames can be read but are not applied without the others)`
  const strange = end.frames === 0 ? strangeLog(core, end.lsn) : undefined
  const reason =
    strange === undefined
      ? 'The log is damaged'
      : `The data file is older than the log, which begins with commit ${strange.lsn}`
  losses.other(`Lost: ${commits}${behind}.`, reason, strange === undefined ? place : { file: strange.file, offset: 0 })
}

/** Why there may have been more commits than the log shows; undefined: there cannot. */
function doubtAbout(
  { core, missingLogs }: DamagedDatabase,
  end: ChainEnd
): (LossPlace & { readonly reason: string }) | undefined {
  const [missing] = missingLogs
  if (missing !== undefined)
    return { reason: 'A part of the log is missing', file: missing, offset: undefined, isMissing: true }
  const strange = end.frames > 0 ? foreignLog(core) : strangeLog(core, end.lsn)
  if (strange !== undefined) {
    const reason =
      strange.kind === 'foreign'
        ? 'The log is that of another database'
        : `The log begins with commit ${strange.lsn}, and what came before is not there`
    return { reason, file: strange.file, offset: 0 }
  }
  if (end.frames > 0) return undefined
  const { file, offset } = end.position
  const size = core.log.file(file).size()
  return offset > size ? { reason: `The log goes on at byte ${offset}, and the file has only ${size}` } : undefined
}

/** Where the log continues behind commit `lsn` when no meta says so: the start of the chain that leads furthest. */
async function findStart(
  core: Core,
  reader: LogReader,
  lsn: number,
  losses: Losses,
  stages: Stages
): Promise<ChainStart | undefined> {
  const place = { file: logFileNames[0], offset: 0 }
  if (!(await findIdentity(core, stages))) {
    losses.other('Lost: everything that stood in the log only.', 'The log holds no frame that is whole', place)
    return undefined
  }
  const checksums = new Set<number>()
  await scan(reader, stages, 0, ({ header }) => {
    checksums.add(header.checksum)
  })
  const starts: ChainStart[] = []
  await scan(reader, stages, 0, ({ header, position }) => {
    if (checksums.has(header.previous) || starts.length >= mostStarts) return
    starts.push({ position, previous: header.previous, incarnation: header.incarnation, lsn: header.lsn - 1 })
  })
  let best: { readonly start: ChainStart; readonly lsn: number } | undefined
  for (const start of starts) {
    const end = await walk(reader, start, stages, () => undefined)
    if (best !== undefined && (end.lsn < best.lsn || (end.lsn === best.lsn && start.lsn >= best.start.lsn))) continue
    best = { start, lsn: end.lsn }
  }
  if (best === undefined || best.lsn <= lsn) return undefined
  if (best.start.lsn > lsn) {
    const reason = 'The log does not reach back to what was found in the data file'
    losses.other(`Perhaps lost: what commits ${lsn + 1} to ${best.start.lsn} changed.`, reason, place)
  }
  return best.start
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
