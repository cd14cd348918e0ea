export { destroy } from './db/destroy.ts'
export type {
  AnyCodec,
  EncodingOptions,
  KeyEncodingChoice,
  KeyIn,
  ValueEncodingChoice,
  ValueIn
} from './db/encoding-types.ts'
export { open } from './db/open.ts'
export type { Logger, OpenOptions, WasmModule, WasmOption } from './db/options.ts'
export type { RangeOptions } from './db/range.ts'
export type { RepairOptions } from './db/repair-options.ts'
export type {
  BeginOptions,
  ForUpdateOptions,
  Isolation,
  SyncTransactionOptions,
  Transaction,
  Transactional,
  TransactionKeyspace,
  TransactionOptions,
  TransactionSavepoint
} from './db/transaction-types.ts'
export type {
  AwaitedWrites,
  BatchOperation,
  Care,
  CareOptions,
  ClearOptions,
  Database,
  DatabaseEvents,
  DelOperation,
  ForeignDelOperation,
  ForeignKeyspace,
  ForeignPutOperation,
  Keyspace,
  KeyspaceHandle,
  ProgressOptions,
  PutOperation,
  RangeIterator,
  RangeReadOptions,
  ReadOptions,
  Reads,
  Snapshot,
  SnapshotHandle,
  Sublevel,
  Writes
} from './db/types.ts'
export type {
  Codec,
  KeyEncodingName,
  KeyOf,
  NodeBuffer,
  TupleKey,
  ValueEncodingName,
  ValueOf
} from './encoding/encoding.ts'
export type {
  EngineStats,
  HealthReport,
  HealthState,
  LostCommits,
  PageMap,
  Progress,
  VerifyProblem,
  VerifyReport
} from './engine/engine.ts'
export type { KeyRange } from './engine/key-text.ts'
export { pageFlags } from './engine/page-flags.ts'
export type { LostPart, RepairReport } from './engine/repair.ts'
export {
  isLightningError,
  LightningError,
  type LightningErrorCode,
  type LightningErrorDetails,
  lightningErrorCodes
} from './errors.ts'
export { type ConnectOptions, connect } from './host/connect.ts'
export { repair } from './host/repair.ts'
export { restore } from './host/restore.ts'
export type {
  Client,
  ClientIterator,
  ClientIteratorOptions,
  ClientKeyspace,
  ClientRangeReadOptions,
  ClientReadOptions,
  ClientReads,
  ClientSnapshot,
  ClientSnapshotHandle,
  ClientSublevel,
  ClientTransaction,
  ClientTransactionKeyspace,
  ClientWrites,
  Unavailable
} from './host/types.ts'
export { persisted, requestPersistence } from './vfs/persistence.ts'
