// Whether anything is missing from the log. A chain that ends is the torn end of the log as a rule, which is fine;
// these checks find the proofs that more was durable (docs/durability.md, rule 2).
import { LightningError } from '../errors.ts'
import { type ChainEnd, LogReader } from '../wal/log-reader.ts'
import { chainStart } from './chain-start.ts'
import type { Core } from './core.ts'
import { foreignLog, type LaterLog, laterLog } from './log-origin.ts'

/**
 * Throws `LIGHTNING_CORRUPT` when the log file is shorter than the place at which the meta says that the log goes on. A
 * checkpoint syncs the log up to that place before it writes its meta, so the file was longer once.
 */
export function checkLogReachesStart(core: Core): void {
  const { file, offset } = chainStart(core).position
  const log = core.log.file(file)
  const size = log.size()
  if (offset <= size) return
  throw new LightningError(
    'LIGHTNING_CORRUPT',
    `${log.name} ends at byte ${size}, and the log goes on at byte ${offset}: its end is missing. Put the file back, ` +
      'restore a backup, or run repair.',
    { file: log.name, offset: size }
  )
}

/**
 * Throws `LIGHTNING_CORRUPT` when some frame says that commits behind the end of the chain were durable, or when the
 * log belongs to another database: opening would overwrite it.
 */
export function checkNothingDurableIsMissing(core: Core, end: ChainEnd): number {
  let durable = 0
  new LogReader(core.kernel, core.memory, core.log).scan(header => {
    if (header.durableLsn > durable) durable = header.durableLsn
  })
  const foreign = foreignLog(core)
  if (foreign !== undefined) {
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `${foreign} belongs to another database, or to another restored copy of this one. Put this one's log back; or, ` +
        `if ${core.data.file.name} is a backup that was put here, move both log files away; else run repair, which goes ` +
        'on without them and tells what may be lost.',
      { file: foreign, offset: 0 }
    )
  }
  if (PLANTED_BUG !== 28 && durable > end.lsn) {
    const later = end.frames === 0 ? laterLog(core, end.lsn) : undefined
    if (later !== undefined) throw olderThanLog(core, later, durable)
    const file = core.log.file(end.position.file).name
    throw new LightningError(
      'LIGHTNING_CORRUPT',
      `The log is damaged at byte ${end.position.offset} of ${file}: commits ${end.lsn + 1} to ${durable} were durable ` +
        'and cannot be read. Restore a backup, or run repair, which gives the state before them.',
      { file, offset: end.position.offset }
    )
  }
  return durable
}

function olderThanLog(core: Core, { file, lsn }: LaterLog, durable: number): LightningError {
  const { name } = core.data.file
  return new LightningError(
    'LIGHTNING_CORRUPT',
    `${name} ends with commit ${core.meta.lsn}, and ${file} begins with commit ${lsn}: the data file is older than its log, ` +
      `which goes to commit ${durable}. Put the data file back that was there; or run repair, which gives the older ` +
      'state and keeps the log.',
    { file: name }
  )
}
