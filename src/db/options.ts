// The options of `open`, and checks that other options share. What a caller passes is `unknown` until it has been
// checked.

import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkKnown,
  isObject,
  type KnownNames
} from '../encoding/arguments.ts'
import type { KeyEncoding, ValueEncoding } from '../encoding/encoding.ts'
import { EncodingTable } from '../encoding/encodings.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import type { KeyEncodingChoice, ValueEncodingChoice } from './encoding-types.ts'

const kib = 1_024
const mib = 1_024 * kib

/** Timers count milliseconds in 31 bits on all platforms. */
const longestTimerMs = 0x7fffffff

/** Where messages go, such as `console` or pino. */
export interface Logger {
  /** Details that help to find a fault. */
  debug(...message: unknown[]): void
  /** Normal but noteworthy events. */
  info(...message: unknown[]): void
  /** Failures after which the database goes on by itself. */
  warn(...message: unknown[]): void
  /** Failures that need somebody's attention. */
  error(...message: unknown[]): void
}

/** `WebAssembly.Module` where its type is known, which it is not with the types of Node alone. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: new (...parameters: never) => infer M } }
  ? M
  : object

/** The kernel: a module, its bytes or its URL; or `'off'` for the kernel's JavaScript build. */
export type WasmOption = WasmModule | ArrayBuffer | ArrayBufferView | URL | string

/** Options of `open` and `connect`; `undefined` means the default. */
export interface OpenOptions<
  K extends KeyEncodingChoice = KeyEncodingChoice,
  V extends ValueEncodingChoice = ValueEncodingChoice
> {
  /** Creates the database if there is none (default true). */
  readonly createIfMissing?: boolean | undefined
  /** Rejects with `LIGHTNING_EXISTS` if there is a database (default false). */
  readonly errorIfExists?: boolean | undefined
  /** Refuses writes, and shares the location with other openers that set it (default false). */
  readonly readOnly?: boolean | undefined
  /** How keys become bytes, `'utf8'` by default. */
  readonly keyEncoding?: K | undefined
  /** How values become bytes, `'msgpack'` by default. */
  readonly valueEncoding?: V | undefined
  /** When a write resolves: `'strict'` (default): when it is on stable storage; `'relaxed'`: when it is in memory. */
  readonly durability?: 'strict' | 'relaxed' | undefined
  /** Milliseconds between syncs with `durability: 'relaxed'` (default 100). */
  readonly syncIntervalMs?: number | undefined
  /**
   * Bytes of a page in a new database: a power of two from 4,096 to 65,536 (default 16,384). An existing one keeps its
   * own.
   */
  readonly pageSize?: number | undefined
  /** The most bytes for pages in memory, from 4 MiB to 3 GiB (default 64 MiB). */
  readonly cacheBytes?: number | undefined
  /** How many decoded values are kept in a cache of their own (default 0). */
  readonly valueCache?: number | undefined
  /** How pages on disk are compressed (default `'lz4'`). */
  readonly compression?: 'lz4' | 'none' | undefined
  /** Bytes of log at which a checkpoint starts, at least 1 MiB (default 64 MiB). */
  readonly walBytes?: number | undefined
  /**
   * Quota of the data file in bytes (default none). Deleting works whatever the quota; puts need one of 64 pages, and 512
   * KiB, at least.
   */
  readonly maxBytes?: number | undefined
  /** Default bound for waits for locks, in milliseconds. 0: no wait; `Infinity`: no bound (default 10,000). */
  readonly lockTimeoutMs?: number | undefined
  /** Ends snapshots and transactions that have been open for so many milliseconds (default: never). */
  readonly maxSnapshotAgeMs?: number | undefined
  /** Reads everything back after writing it, and compares (default false). */
  readonly verifyWrites?: boolean | undefined
  /** The kernel to use instead of the bundled one, or `'off'` to do without WebAssembly. */
  readonly wasm?: WasmOption | undefined
  /** Where messages go (default: nowhere). What it throws is ignored. */
  readonly logger?: Logger | undefined
}

/** Options of `open`, checked and with every default filled in; `undefined` here means "none". */
export interface ParsedOptions {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
  readonly readOnly: boolean
  readonly keyEncoding: KeyEncoding<unknown>
  readonly valueEncoding: ValueEncoding<unknown>
  /** Where encodings given with single calls and sublevels are looked up. */
  readonly encodings: EncodingTable
  readonly durability: 'strict' | 'relaxed'
  readonly syncIntervalMs: number
  /** `undefined`: that of the existing database, or the default of a new one. */
  readonly pageSize: number | undefined
  readonly cacheBytes: number
  readonly valueCache: number
  readonly compression: 'lz4' | 'none'
  readonly walBytes: number
  readonly maxBytes: number | undefined
  /** May be `Infinity`. */
  readonly lockTimeoutMs: number
  readonly maxSnapshotAgeMs: number | undefined
  readonly verifyWrites: boolean
  readonly wasm: WasmOption | undefined
  readonly logger: Logger | undefined
}

/** The names of {@link OpenOptions}. */
export const openNames: KnownNames = new Set<keyof OpenOptions>([
  'createIfMissing',
  'errorIfExists',
  'readOnly',
  'keyEncoding',
  'valueEncoding',
  'durability',
  'syncIntervalMs',
  'pageSize',
  'cacheBytes',
  'valueCache',
  'compression',
  'walBytes',
  'maxBytes',
  'lockTimeoutMs',
  'maxSnapshotAgeMs',
  'verifyWrites',
  'wasm',
  'logger'
])

/** Checks the options of `open`; `names` are all that the call takes. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function parseOpenOptions(options: unknown, where = 'open', names = openNames): ParsedOptions {
  const given = checkKnown(options, names, where)
  const encodings = new EncodingTable()
  const at = (name: keyof OpenOptions): string => `${where}, option ${name}`
  const integer = (name: keyof OpenOptions, otherwise: number, least: number, most: number): number =>
    given[name] === undefined ? otherwise : checkInteger(given[name], least, most, at(name))
  const boolean = (name: keyof OpenOptions, otherwise: boolean): boolean =>
    checkBoolean(given[name], otherwise, at(name))
  const limit = (name: keyof OpenOptions, most: number): number | undefined => checkLimit(given[name], most, at(name))
  return {
    createIfMissing: boolean('createIfMissing', true),
    errorIfExists: boolean('errorIfExists', false),
    readOnly: boolean('readOnly', false),
    keyEncoding: encodings.key(orDefault(given.keyEncoding, 'utf8'), at('keyEncoding')),
    valueEncoding: encodings.value(orDefault(given.valueEncoding, 'msgpack'), at('valueEncoding')),
    encodings,
    durability: checkChoice(orDefault(given.durability, 'strict'), ['strict', 'relaxed'], at('durability')),
    syncIntervalMs: integer('syncIntervalMs', 100, 1, longestTimerMs),
    pageSize: checkPageSize(given.pageSize, at('pageSize')),
    cacheBytes: integer('cacheBytes', 64 * mib, 4 * mib, 3 * 1_024 * mib),
    valueCache: integer('valueCache', 0, 0, mib),
    compression: checkChoice(orDefault(given.compression, 'lz4'), ['lz4', 'none'], at('compression')),
    walBytes: integer('walBytes', 64 * mib, mib, Number.MAX_SAFE_INTEGER),
    maxBytes: limit('maxBytes', Number.MAX_SAFE_INTEGER),
    lockTimeoutMs: checkTimeout(given.lockTimeoutMs, 10_000, at('lockTimeoutMs')),
    maxSnapshotAgeMs: limit('maxSnapshotAgeMs', longestTimerMs),
    verifyWrites: boolean('verifyWrites', false),
    wasm: checkWasm(given.wasm, at('wasm')),
    logger: checkLogger(given.logger, at('logger'))
  }
}

/** Milliseconds from 0, or `Infinity`. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkTimeout(value: unknown, otherwise: number, where: string): number {
  if (value === undefined) return otherwise
  return value === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : checkInteger(value, 0, longestTimerMs, where)
}

/** An `AbortSignal`, or `undefined`. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function checkSignal(value: unknown, where: string): AbortSignal | undefined {
  if (value === undefined || isSignal(value)) return value
  throw invalidArgument(`${where}: pass an AbortSignal; got ${describe(value)}.`)
}

function orDefault(value: unknown, otherwise: string): unknown {
  return value === undefined ? otherwise : value
}

/** A limit from 1; absent and `Infinity` mean none. */
function checkLimit(value: unknown, most: number, where: string): number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return undefined
  return checkInteger(value, 1, most, where)
}

function checkPageSize(value: unknown, where: string): number | undefined {
  if (value === undefined) return undefined
  const size = checkInteger(value, 4 * kib, 64 * kib, where)
  if ((size & (size - 1)) === 0) return size
  throw invalidArgument(`${where}: pass a power of two from 4096 to 65536; got ${size}.`)
}

function checkWasm(value: unknown, where: string): WasmOption | undefined {
  if (value === undefined || isWasm(value)) return value
  throw invalidArgument(`${where}: pass a WebAssembly.Module, its bytes or URL, or 'off'; got ${describe(value)}.`)
}

function checkLogger(value: unknown, where: string): Logger | undefined {
  if (value === undefined || isLogger(value)) return value
  throw invalidArgument(
    `${where}: pass an object with the functions debug, info, warn and error; got ${describe(value)}.`
  )
}

function isSignal(value: unknown): value is AbortSignal {
  return isObject(value) && typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function'
}

function isWasm(value: unknown): value is WasmOption {
  if (typeof value === 'string') return value !== ''
  if (!isObject(value)) return false
  if (ArrayBuffer.isView(value)) return true
  // By tag, so that objects of other realms are recognized.
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  return kind === 'WebAssembly.Module' || kind === 'ArrayBuffer' || kind === 'URL'
}

function isLogger(value: unknown): value is Logger {
  if (!isObject(value)) return false
  return ['debug', 'info', 'warn', 'error'].every(level => typeof value[level] === 'function')
}
