/**
 * Every code a `LightningError` can carry. Codes are stable: programs branch on them, never on messages.
 */
export const lightningErrorCodes = [
  /** The caller passed an invalid argument; nothing was written. */
  'LIGHTNING_INVALID_ARGUMENT',
  /** There is no database at the location. */
  'LIGHTNING_NOT_FOUND',
  /** There is a database at the location, but none was expected. */
  'LIGHTNING_EXISTS',
  /** Somebody else has the database open; the message says who. */
  'LIGHTNING_LOCKED',
  /** A write to a database that was opened, or to a medium that can be used, for reading only. */
  'LIGHTNING_READ_ONLY',
  /** The database, snapshot, iterator or transaction has ended. */
  'LIGHTNING_CLOSED',
  /** Stored bytes are damaged; `file`, `page` and `offset` say where. */
  'LIGHTNING_CORRUPT',
  /** The file format is newer than this version of the package. */
  'LIGHTNING_VERSION',
  /** A transaction lost against another commit and was rolled back. */
  'LIGHTNING_CONFLICT',
  /** A transaction was chosen to end a deadlock and was rolled back. */
  'LIGHTNING_DEADLOCK',
  /** A wait, a transaction or a snapshot was open for longer than allowed. */
  'LIGHTNING_TIMEOUT',
  /** The caller's `AbortSignal` fired. */
  'LIGHTNING_ABORTED',
  /** The disk, or the quota `maxBytes`, is full. */
  'LIGHTNING_DISK_FULL',
  /** The system denies access to a file. */
  'LIGHTNING_PERMISSION',
  /** The system reports an input or output error. */
  'LIGHTNING_IO',
  /** A sync failed, so it is unknown what is on disk: reopen the database. */
  'LIGHTNING_FAILED',
  /** The thread that owned the database ended before it answered. */
  'LIGHTNING_OWNER_LOST',
  /** The operation needs more memory than `cacheBytes` or the system allows. */
  'LIGHTNING_OUT_OF_MEMORY',
  /** Stored bytes do not fit the encoding with which they are read. */
  'LIGHTNING_DECODE',
  /** The environment cannot do what was asked. */
  'LIGHTNING_UNAVAILABLE'
] as const

/** One of {@link lightningErrorCodes}. */
export type LightningErrorCode = (typeof lightningErrorCodes)[number]

/** What is known about the place and the cause of an error. */
export interface LightningErrorDetails {
  /** What led to this error. */
  readonly cause?: unknown
  /** Name of the file concerned. */
  readonly file?: string | undefined
  /** Logical page id. */
  readonly page?: number | undefined
  /** Position in the file, in bytes. */
  readonly offset?: number | undefined
  /** Encoded bounds of the keys concerned; `undefined` is an open end. */
  readonly keyRange?: { readonly from: Uint8Array | undefined; readonly to: Uint8Array | undefined } | undefined
}

/** The error that the package throws, or rejects with, for everything but bugs of its own. */
export class LightningError extends Error {
  /** Stable; see {@link lightningErrorCodes}. */
  readonly code: LightningErrorCode
  /** Name of the file concerned, when there is one. */
  declare readonly file?: string
  /** Logical page id, when one is concerned. */
  declare readonly page?: number
  /** Position in the file in bytes, when it is known. */
  declare readonly offset?: number
  /** Encoded bounds of the keys concerned, when they are known. */
  declare readonly keyRange?: { readonly from: Uint8Array | undefined; readonly to: Uint8Array | undefined }

  /** `message` is a sentence that says what is wrong and what to do about it. */
  constructor(code: LightningErrorCode, message: string, details: LightningErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.file !== undefined) this.file = details.file
    if (details.page !== undefined) this.page = details.page
    if (details.offset !== undefined) this.offset = details.offset
    if (details.keyRange !== undefined) this.keyRange = details.keyRange
  }
}

// On the prototype: stacks and logs show the name, but it is no property of every instance.
Object.defineProperty(LightningError.prototype, 'name', { value: 'LightningError', configurable: true, writable: true })

/**
 * Whether `error` is a {@link LightningError}, with this code if one is given. Also true for errors of another copy of
 * the package.
 */
export function isLightningError(error: unknown, code?: LightningErrorCode): error is LightningError {
  if (!(error instanceof Error) || error.name !== 'LightningError' || !('code' in error)) return false
  const known: readonly unknown[] = lightningErrorCodes
  return code === undefined ? known.includes(error.code) : error.code === code
}

/** A bug of this package: an invariant does not hold. Never thrown for what a caller, a disk or a network does. */
export class InternalError extends Error {
  /** `message` names the invariant. */
  constructor(message: string) {
    super(`Internal error in Lightning DB: ${message}. Please report it with this stack.`)
  }
}

Object.defineProperty(InternalError.prototype, 'name', { value: 'InternalError', configurable: true, writable: true })

/**
 * Throws {@link InternalError} unless `condition` holds. For bugs of this package only; `message` names the invariant.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message)
}
