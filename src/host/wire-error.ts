// Errors across a channel: what `LightningError` has, its causes, and nothing that a channel cannot carry.

import { isLightningError, LightningError, type LightningErrorCode, lightningErrorCodes } from '../errors.ts'
import { isObject } from '../encoding/arguments.ts'
import { malformed } from './messages.ts'

/** A chain of causes is cut here: it could be circular. */
const mostCauses = 8

/** An error as a message carries it. */
export function errorField(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { text: describeOther(error) }
  const field: Record<string, unknown> = { name: wellFormed(error.name), message: wellFormed(error.message) }
  if ('code' in error && typeof error.code === 'string') field.code = wellFormed(error.code)
  if (error.cause !== undefined && depth < mostCauses) field.cause = errorField(error.cause, depth + 1)
  if (isLightningError(error)) {
    const { file, page, offset, keyRange } = error
    if (file !== undefined) field.file = wellFormed(file)
    if (page !== undefined) field.page = page
    if (offset !== undefined) field.offset = offset
    if (keyRange !== undefined) field.keyRange = [keyRange.from, keyRange.to]
  }
  return field
}

/** The error that a field tells of. */
export function errorOf(field: unknown, depth = 0): unknown {
  if (!isObject(field) || depth > mostCauses) throw malformed('an error is malformed')
  const { text, name, message, code, file, page, offset } = field
  if (typeof text === 'string') return text
  if (typeof name !== 'string' || typeof message !== 'string') throw malformed('an error has no name')
  const cause = field.cause === undefined ? undefined : errorOf(field.cause, depth + 1)
  if (name === 'LightningError') {
    return new LightningError(checkCode(code), message, {
      cause,
      file: typeof file === 'string' ? file : undefined,
      page: typeof page === 'number' ? page : undefined,
      offset: typeof offset === 'number' ? offset : undefined,
      keyRange: keyRangeOf(field.keyRange)
    })
  }
  const error = new Error(message, cause === undefined ? undefined : { cause })
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return typeof code === 'string' ? Object.assign(error, { code }) : error
}

function checkCode(code: unknown): LightningErrorCode {
  const known = lightningErrorCodes.find(each => each === code)
  if (known === undefined) throw malformed('an error has no code')
  return known
}

function keyRangeOf(field: unknown): { from: Uint8Array | undefined; to: Uint8Array | undefined } | undefined {
  if (!Array.isArray(field)) return undefined
  const [from, to]: unknown[] = field
  return { from: from instanceof Uint8Array ? from : undefined, to: to instanceof Uint8Array ? to : undefined }
}

/** Text with lone surrogates does not cross: they are replaced. */
export function wellFormed(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))
}

function describeOther(value: unknown): string {
  try {
    return wellFormed(String(value))
  } catch {
    return 'something that has no text'
  }
}
