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
import { MAX_KEY_BYTES } from '../../assembly/state.ts'
import { isLightningError } from '../errors.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES, type FrameHeader } from '../wal/frame.ts'
import { type ChainEnd, type ChainStep, LogReader } from '../wal/log-reader.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import { readWritten } from './large-values.ts'
import { foreignLog, laterLog } from './log-origin.ts'
import { findStart } from './repair-log-start.ts'
import { scan, walk } from './repair-log-steps.ts'
import type { Losses, LossPlace } from './repair-losses.ts'
import type { DamagedDatabase } from './repair-source.ts'
import type { Stages } from './repair-stages.ts'
import type { RepairTarget } from './repair-target.ts'

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
  const found = hasMeta
    ? { start: chainStart(core), sureLsn: damaged.lsn }
    : await findStart(core, reader, damaged.lsn, losses, stages)
  if (found === undefined) return
  const { start, sureLsn } = found
  const end = await walk(reader, start, stages, () => undefined)
  let done = 0
  const apply = ({ at, header }: ChainStep): void => {
    // Without a meta the chain may begin with commits that are in the pages already. These are skipped, or applied
    // again with all commits that follow them, which gives the same result.
    if (header.lastLsn > sureLsn) applyFrame(core, target, losses, at + FRAME_HEADER_BYTES, header)
    done += header.bytes / bytes
  }
  if (end.frames > 0) await walk(reader, start, stages, apply, () => done, end.frames)
  target.flush()
  await tellOfMissing(damaged, reader, end, losses, stages)
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
  const later = end.frames === 0 && foreignLog(core) === undefined ? laterLog(core, end.lsn) : undefined
  const reason =
    later === undefined
      ? 'The log is damaged'
      : `The data file is older than the log, which begins with commit ${later.lsn}`
  losses.other(`Lost: ${commits}${behind}.`, reason, later === undefined ? place : { file: later.file, offset: 0 })
}

/** Why there may have been more commits than the log shows; undefined: there cannot. */
function doubtAbout(
  { core, missingLogs }: DamagedDatabase,
  end: ChainEnd
): (LossPlace & { readonly reason: string }) | undefined {
  const [missing] = missingLogs
  if (missing !== undefined)
    return { reason: 'A part of the log is missing', file: missing, offset: undefined, isMissing: true }
  const foreign = foreignLog(core)
  if (foreign !== undefined) return { reason: 'The log is that of another database', file: foreign, offset: 0 }
  if (end.frames > 0) return undefined
  const later = laterLog(core, end.lsn)
  if (later !== undefined) {
    const reason = `The log begins with commit ${later.lsn}, and what came before is not there`
    return { reason, file: later.file, offset: 0 }
  }
  const { file, offset } = end.position
  const size = core.log.file(file).size()
  return offset > size ? { reason: `The log goes on at byte ${offset}, and the file has only ${size}` } : undefined
}
