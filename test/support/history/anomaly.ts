// What can be wrong with a history, and which of it a level forbids.
import type { Isolation } from '../../../src/index.ts'

/** By the dependencies in a cycle: see `cycles.ts`. */
export type CycleKind = 'G0' | 'G1c' | 'G-single' | 'G-nonadjacent' | 'G2'

export type AnomalyKind =
  /** What was rolled back, or never written, was read. */
  | 'G1a'
  /** What its writer went on to append to was read. */
  | 'G1b'
  /** Two reads of a list contradict each other. */
  | 'incompatible-order'
  /** A committed append is not there in the end. */
  | 'lost-append'
  /** A transaction did not see its own appends. */
  | 'internal'
  | CycleKind
  /** The cycle needs that one transaction had ended before another one began. */
  | `${CycleKind}-realtime`

export interface Anomaly {
  readonly kind: AnomalyKind
  /** Says what was seen; transactions are named by their index. */
  readonly detail: string
}

const always: readonly AnomalyKind[] = [
  'G1a',
  'G1b',
  'incompatible-order',
  'lost-append',
  'internal',
  'G0',
  'G0-realtime',
  'G1c',
  'G1c-realtime'
]
const skewed: readonly AnomalyKind[] = ['G-single', 'G-single-realtime', 'G-nonadjacent', 'G-nonadjacent-realtime']

/** What must not be found at a level. */
export const forbidden: Readonly<Record<Isolation, ReadonlySet<AnomalyKind>>> = {
  'read-committed': new Set(always),
  snapshot: new Set([...always, ...skewed]),
  serializable: new Set([...always, ...skewed, 'G2', 'G2-realtime'])
}
