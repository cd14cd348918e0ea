// The log of a damaged database, applied to the new one as far as its chain goes.
//
// What is restored is a state that the database was in: behind the first commit that cannot be read nothing is applied,
// though frames may be readable there. Without the commits between they would mix a later state into an earlier one,
// half of a transfer without the other half. How many such commits there are is told, and the log is kept.
import { CLEAR, CREATE, DELETE, DROP, OPERATION_HEADER_BYTES, PUT, PUT_LARGE } from '../../assembly/operations.ts'
import { IDENTITY, LOG, LOG_CAPACITY } from '../../assembly/state.ts'
import { isLightningError } from '../errors.ts'
import { logFileNames } from '../store/format.ts'
import { FRAME_HEADER_BYTES } from '../wal/frame.ts'
import { type ChainEnd, type ChainStart, LogReader } from '../wal/log-reader.ts'
import type { Core } from './core.ts'
import { readWritten } from './large-values.ts'
import { chainStart } from './recovery.ts'
import type { Losses } from './repair-losses.ts'
import type { DamagedDatabase } from './repair-source.ts'
import type { RepairTarget } from './repair-target.ts'

/** Places where a log without a meta may begin; more are not tried. */
const mostStarts = 1_000

/** Applies the log's chain to the new database and tells what is missing behind its end. */
export function salvageLog(damaged: DamagedDatabase, target: RepairTarget, losses: Losses): void {
  const { core, hasMeta, hasLogs } = damaged
  const sizes = [core.log.file(0).size(), core.log.file(1).size()]
  if (sizes.every(size => size === 0)) {
    // Logs are emptied by a clean close only.
    if (core.meta.closed || (hasLogs && !hasMeta)) return
    const message = `Perhaps lost: commits after number ${core.meta.lsn}, with the log.`
    losses.other(message, 'The log is missing or empty', { file: logFileNames[core.meta.logFile] ?? logFileNames[0] })
    return
  }
  const reader = new LogReader(core.kernel, core.memory, core.log)
  const start = hasMeta ? chainStart(core) : findStart(core, reader, damaged.lsn, losses)
  if (start === undefined) return
  const end = reader.walk(start, () => undefined)
  if (end.frames > 0) {
    reader.walk(
      start,
      (at, header) => {
        // Without a meta the chain may begin with commits that are in the pages already; those are passed over, or
        // applied once more with all that follow them, which comes to the same.
        if (header.lastLsn > damaged.lsn)
          applyFrame(core, target, losses, at + FRAME_HEADER_BYTES, header.operationBytes)
      },
      end.frames
    )
  }
  target.flush()
  tellOfMissing(core, reader, end, losses)
}

function applyFrame(core: Core, target: RepairTarget, losses: Losses, from: number, bytes: number): void {
  // A copy: reading large values uses the memory that the frame stands in front of.
  const operations = core.memory.bytes.slice(from, from + bytes)
  const view = new DataView(operations.buffer)
  let at = 0
  while (at + OPERATION_HEADER_BYTES <= bytes) {
    const tree = view.getUint32(at + 4, true)
    const keyStart = at + OPERATION_HEADER_BYTES
    const valueStart = keyStart + view.getUint16(at + 2, true)
    const end = valueStart + view.getUint32(at + 8, true)
    if (end > bytes) return
    const key = operations.slice(keyStart, valueStart)
    const value = operations.slice(valueStart, end)
    const type = view.getUint8(at)
    if (type === PUT) target.put(tree, key, value)
    else if (type === DELETE) target.del(tree, key)
    else if (type === CLEAR) target.clear(tree, key, (view.getUint8(at + 1) & 1) === 0 ? undefined : value)
    else if (type === PUT_LARGE) putLarge(core, target, losses, tree, key, value)
    else if (type === CREATE) target.name(tree, key)
    else if (type === DROP) target.drop(tree, key)
    at = end
  }
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

/** Tells of commits that some frame knows to have been durable and that the chain does not reach. */
function tellOfMissing(core: Core, reader: LogReader, end: ChainEnd, losses: Losses): void {
  let durable = end.lsn
  let readable = 0
  reader.scan(header => {
    durable = Math.max(durable, header.durableLsn)
    if (header.lastLsn > end.lsn) readable++
  })
  if (durable === end.lsn) return
  const { file, offset } = end.position
  const commits = end.lsn + 1 === durable ? `commit ${durable}` : `commits ${end.lsn + 1} to ${durable}`
  const behind =
    readable === 0 ? '' : ` (${readable} of their frames can be read but are not applied without the others)`
  const reason = 'The log is damaged'
  losses.other(`Lost: ${commits}${behind}.`, reason, { file: core.log.file(file).name, offset })
}

/** Where the log goes on behind commit `lsn` when no meta says so: the chain that leads furthest. */
function findStart(core: Core, reader: LogReader, lsn: number, losses: Losses): ChainStart | undefined {
  const place = { file: logFileNames[0], offset: 0 }
  if (!findIdentity(core)) {
    losses.other('Lost: everything that stood in the log only.', 'The log holds no frame that is whole', place)
    return undefined
  }
  const checksums = new Set<number>()
  reader.scan(header => {
    checksums.add(header.checksum)
  })
  const starts: ChainStart[] = []
  reader.scan((header, position) => {
    if (checksums.has(header.previous) || starts.length >= mostStarts) return
    starts.push({ position, previous: header.previous, incarnation: header.incarnation, lsn: header.lsn - 1 })
  })
  let best: { readonly start: ChainStart; readonly lsn: number } | undefined
  for (const start of starts) {
    const end = reader.walk(start, () => undefined)
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
function findIdentity(core: Core): boolean {
  const { memory, kernel, log } = core
  const base = memory.word(LOG)
  const area = memory.bytes.subarray(base, base + memory.word(LOG_CAPACITY))
  for (const file of [0, 1]) {
    for (let offset = 0; offset < log.file(file).size(); offset += area.length / 2) {
      const length = log.file(file).readAt(area, offset)
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
