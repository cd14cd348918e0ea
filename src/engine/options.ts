import type { WasmSource } from '../kernel/load.ts'

/** Where messages go. */
export interface EngineLogger {
  debug(...message: unknown[]): void
  info(...message: unknown[]): void
  warn(...message: unknown[]): void
  error(...message: unknown[]): void
}

/** What the engine needs of the options of `open`; sizes in bytes, times in milliseconds. */
export interface EngineOptions {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
  readonly readOnly: boolean
  readonly durability: 'strict' | 'relaxed'
  readonly syncIntervalMs: number
  /** Of a new database; an existing one keeps its own. */
  readonly pageSize: number | undefined
  readonly cacheBytes: number
  readonly compression: 'lz4' | 'none'
  readonly walBytes: number
  /** Quota of the data file; undefined: none. */
  readonly maxBytes: number | undefined
  readonly maxSnapshotAgeMs: number | undefined
  readonly verifyWrites: boolean
  readonly wasm: WasmSource | undefined
  readonly logger: EngineLogger | undefined
}

export const defaultPageBytes = 16_384
