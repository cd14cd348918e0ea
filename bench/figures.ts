// The rows of the tables: what is measured, in which unit, and what it is measured against.

export type Unit = 'op/s' | 'ms' | 'µs' | 'ns' | 'MiB' | 'ratio'

/** What a row is held against. */
export type Goal =
  /** At least so many times the best other engine (for units where less is better: at most so many times). */
  | { readonly against: 'best peer'; readonly factor: number }
  /** An absolute bound in the row's own unit. */
  | { readonly against: 'bound'; readonly value: number }

export interface Row {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  readonly goal?: Goal
}

/** One number measured in a child process. */
export interface Figure {
  readonly row: string
  readonly value: number
}

export function moreIsBetter(unit: Unit): boolean {
  return unit === 'op/s'
}

const peer = (factor: number): Goal => ({ against: 'best peer', factor })
const bound = (value: number): Goal => ({ against: 'bound', value })

/** Every row that `--peers` knows, in the order of the table. */
export const rows: readonly Row[] = [
  { id: 'get-random', title: 'random get, bytes out', unit: 'op/s', goal: peer(3) },
  { id: 'get-zipfian', title: 'zipfian (0.99) get', unit: 'op/s', goal: peer(4) },
  { id: 'get-hot', title: 'hot get, 1,000 keys', unit: 'op/s', goal: peer(5) },
  { id: 'get-hot-p99', title: 'hot get, p99 in groups of ten', unit: 'ns' },
  { id: 'cached-p99', title: 'hot get with valueCache, p99 in groups of ten', unit: 'ns', goal: bound(100) },
  { id: 'cached-to-map', title: 'hot get with valueCache, time to that of a Map', unit: 'ratio', goal: bound(1.5) },
  { id: 'get-missing', title: 'missing key', unit: 'op/s', goal: peer(4) },
  { id: 'load-ordered', title: 'load in key order, batches of 1,000', unit: 'op/s', goal: peer(2) },
  { id: 'load-ordered-closed', title: '  … until closed', unit: 'op/s' },
  { id: 'load-random', title: 'load in random order, batches of 1,000', unit: 'op/s', goal: peer(4) },
  { id: 'load-random-closed', title: '  … until closed', unit: 'op/s' },
  { id: 'scan-all', title: 'full scan, keys and values', unit: 'op/s', goal: peer(4) },
  { id: 'scan-100', title: '100-entry scans from random starts', unit: 'op/s', goal: peer(4) },
  { id: 'overwrite', title: 'single random overwrites, relaxed', unit: 'op/s', goal: peer(5) },
  { id: 'durable-one', title: 'durable puts, one at a time', unit: 'op/s' },
  { id: 'durable-to-floor', title: '  … time to that of fdatasync after 4 KiB', unit: 'ratio', goal: bound(1 / 0.9) },
  { id: 'durable-many', title: 'durable puts, 1,000 waiting at once', unit: 'op/s', goal: peer(10) },
  { id: 'durable-many-to-floor', title: '  … time to that of their bytes copied, written, synced', unit: 'ratio' },
  { id: 'durable-batch', title: 'entries in durable batches of 1,000', unit: 'op/s', goal: peer(2) },
  { id: 'ycsb-a', title: 'YCSB A: 50 % get, 50 % put', unit: 'op/s', goal: peer(3) },
  { id: 'ycsb-b', title: 'YCSB B: 95 % get, 5 % put', unit: 'op/s', goal: peer(3) },
  { id: 'ycsb-c', title: 'YCSB C: get', unit: 'op/s', goal: peer(3) },
  { id: 'ycsb-e', title: 'YCSB E: 95 % scan, 5 % insert', unit: 'op/s', goal: peer(3) },
  { id: 'ycsb-f', title: 'YCSB F: 50 % get, 50 % read-modify-write', unit: 'op/s', goal: peer(3) },
  { id: 'delete', title: 'random delete', unit: 'op/s', goal: peer(3) },
  { id: 'disk', title: 'on disk after random load', unit: 'MiB', goal: peer(1.1) },
  { id: 'open-first', title: 'open to the first get, first in its process', unit: 'ms' },
  { id: 'open', title: 'open to the first get, again', unit: 'ms', goal: bound(5) },
  { id: 'recovery', title: 'recovery, operations of the log', unit: 'op/s', goal: bound(500_000) },
  { id: 'recovery-time', title: 'recovery of a log of 60 MiB', unit: 'ms', goal: bound(2000) },
  { id: 'pause-p999', title: 'steady puts, p99.9', unit: 'ms', goal: bound(2) },
  { id: 'pause-longest', title: 'steady puts, longest pause', unit: 'ms', goal: bound(20) },
  { id: 'memory', title: 'memory beyond the start, 64 MiB of cache', unit: 'MiB', goal: bound(164) },
  { id: 'memory-value', title: 'memory beyond the caller’s bytes, a value of 256 MiB', unit: 'MiB', goal: bound(164) },
  { id: 'cold', title: 'get, data 10 × the cache: time to its floor', unit: 'ratio', goal: bound(2) }
]
