import type { ChainStart } from '../wal/log-reader.ts'
import type { Core } from './core.ts'

/**
 * Where the log goes on after the commits that the meta's checkpoint holds. After a clean close nothing follows, and
 * the log begins anew at the start of its file.
 */
export function chainStart(core: Core): ChainStart {
  const { meta } = core
  return {
    position: { file: meta.logFile, offset: meta.closed ? 0 : meta.logOffset },
    previous: meta.logPrevious,
    incarnation: meta.incarnation,
    lsn: meta.lsn
  }
}
