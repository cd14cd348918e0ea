// What an owner is started with, as a structured clone can carry it: encodings, codecs, callbacks and the logger stay
// with the client.

import type { ParsedOptions, WasmOption } from '../db/options.ts'
import type { EngineLogger, EngineOptions } from '../engine/options.ts'

/** Options of the engine, but for the logger, and of its transactions. */
export interface OwnerOptions extends Omit<EngineOptions, 'logger'> {
  /** Default bound of lock waits in milliseconds; `Infinity`: none. */
  readonly lockTimeoutMs: number
}

/** The part of a client's options that the owner takes which it starts. */
export function ownerOptionsOf(options: ParsedOptions): OwnerOptions {
  const { createIfMissing, errorIfExists, readOnly, durability, syncIntervalMs, pageSize, cacheBytes } = options
  const { compression, walBytes, maxBytes, lockTimeoutMs, maxSnapshotAgeMs, verifyWrites, wasm } = options
  return {
    createIfMissing: createIfMissing && !readOnly,
    errorIfExists,
    // Other clients may write: what this one may not is seen to by its session.
    readOnly: false,
    durability,
    syncIntervalMs,
    pageSize,
    cacheBytes,
    compression,
    walBytes,
    maxBytes,
    lockTimeoutMs,
    maxSnapshotAgeMs,
    verifyWrites,
    wasm: sendable(wasm)
  }
}

/** A URL as text, for the object cannot be cloned, and complete: the owner's script has an address of its own. */
function sendable(wasm: WasmOption | undefined): WasmOption | undefined {
  if (wasm === 'off' || (typeof wasm !== 'string' && !(wasm instanceof URL))) return wasm
  const base = globalThis.location?.href
  // What is no URL the owner refuses, and says why.
  return URL.canParse(String(wasm), base) ? new URL(wasm, base).href : wasm
}

/** What an owner opens in place of one that has died: the database is there. */
export function succeeding(options: OwnerOptions): OwnerOptions {
  return { ...options, createIfMissing: false, errorIfExists: false }
}

/** The engine's options. */
export function engineOptionsOf(options: OwnerOptions, logger: EngineLogger): EngineOptions {
  return { ...options, logger }
}
