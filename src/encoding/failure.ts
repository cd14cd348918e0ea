import { isLightningError, LightningError, type LightningErrorDetails } from '../errors.ts'

/** The error for a key, value or option that is not allowed. */
export function invalidArgument(message: string, details?: LightningErrorDetails): LightningError {
  return new LightningError('LIGHTNING_INVALID_ARGUMENT', message, details)
}

/**
 * The error for what was thrown while something was encoded. What the caller's code throws (a getter, a proxy) becomes the
 * cause; our own refusals stay as they are.
 */
export function unencodable(error: unknown, name: string, value: unknown): unknown {
  if (isLightningError(error, 'LIGHTNING_INVALID_ARGUMENT')) return error
  const message =
    `The encoding '${name}' could not encode ${describe(value)}; the cause says why. ` +
    'Change the value, or use another encoding.'
  return invalidArgument(message, { cause: error })
}

/** The error for stored bytes that do not fit the encoding. */
export function undecodable(message: string, details?: LightningErrorDetails): LightningError {
  return new LightningError('LIGHTNING_DECODE', message, details)
}

/** The error of what an `AbortSignal` has ended, which tells why. */
export function abortError(signal: AbortSignal | undefined, message: string): LightningError {
  return new LightningError('LIGHTNING_ABORTED', message, { cause: signal?.reason })
}

/** Adds the index of the operation to an error of a batch, counting from 0; leaves other kinds of errors as they are. */
export function inOperation(error: unknown, index: number): unknown {
  if (index < 0 || !isLightningError(error, 'LIGHTNING_INVALID_ARGUMENT')) return error
  return invalidArgument(`batch, operation ${index}: ${error.message}`, { cause: error.cause })
}

/** What a value is, in words that fit behind "got". */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'undefined':
      return 'undefined'
    case 'function':
      return 'a function'
    case 'string':
      return value.length > 40
        ? `the string ${JSON.stringify(`${value.slice(0, 40)}…`)}`
        : `the string ${JSON.stringify(value)}`
    case 'number':
    case 'boolean':
      return Object.is(value, -0) ? '-0' : `${value}`
    case 'bigint':
      return 'a bigint'
    case 'symbol':
      return 'a symbol'
    default:
      return describeObject(value)
  }
}

function describeObject(value: object): string {
  try {
    if (Array.isArray(value)) return 'an array'
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    return /^[AEIO]/.test(kind) ? `an ${kind}` : `a ${kind}`
  } catch {
    // A proxy that was revoked, or code of the caller that throws.
    return 'an unreadable object'
  }
}
