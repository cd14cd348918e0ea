import type { EngineOptions } from './options.ts'

/** What a database is opened with when only its content is wanted. */
export const readingOptions: EngineOptions = {
  createIfMissing: false,
  errorIfExists: false,
  readOnly: true,
  durability: 'strict',
  syncIntervalMs: 100,
  pageSize: undefined,
  cacheBytes: 64 * 1_024 * 1_024,
  compression: 'lz4',
  walBytes: 64 * 1_024 * 1_024,
  maxBytes: undefined,
  maxSnapshotAgeMs: undefined,
  verifyWrites: false,
  wasm: undefined,
  logger: undefined
}
