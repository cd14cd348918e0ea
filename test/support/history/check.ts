// Checks a history. A level's verdict is complete: when it says nothing, there is nothing that the level forbids.
import type { Isolation } from '../../../src/index.ts'
import { type Anomaly, forbidden } from './anomaly.ts'
import { findCycles } from './cycles.ts'
import type { History } from './history.ts'
import { Versions } from './versions.ts'

/** What is wrong with a history, and some of what `level` allows. */
export function anomaliesOf(history: History, level: Isolation = 'serializable'): Anomaly[] {
  const versions = new Versions(history)
  return [...versions.anomalies, ...findCycles(history, versions, level)]
}

/** Those that the level forbids. */
export function violationsOf(history: History, level: Isolation): Anomaly[] {
  return anomaliesOf(history, level).filter(({ kind }) => forbidden[level].has(kind))
}
