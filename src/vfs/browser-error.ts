import { isLightningError, LightningError, type LightningErrorCode } from '../errors.ts'

interface Meaning {
  readonly code: LightningErrorCode
  readonly reason: string
  readonly advice: string
}

/** By the names of `DOMException`s, which browsers agree on better than on their messages. */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['NotFoundError', { code: 'LIGHTNING_NOT_FOUND', reason: 'it does not exist', advice: 'Check the location.' }],
  [
    'QuotaExceededError',
    {
      code: 'LIGHTNING_DISK_FULL',
      reason: 'the quota of this site is used up',
      advice: 'Free some space, or ask for more with requestPersistence(), then try again.'
    }
  ],
  [
    'NoModificationAllowedError',
    {
      code: 'LIGHTNING_LOCKED',
      reason: 'another tab or worker has it open',
      advice: 'Close it there first, or share it by connect() in both places.'
    }
  ],
  [
    'NotAllowedError',
    {
      code: 'LIGHTNING_PERMISSION',
      reason: 'the browser denies access',
      advice: 'Allow this site to store data in the settings of the browser.'
    }
  ],
  [
    'SecurityError',
    {
      code: 'LIGHTNING_UNAVAILABLE',
      reason: 'the browser keeps no files for this page',
      advice: "Private windows, blocked cookies and sandboxed frames do that; ':memory:' works there."
    }
  ],
  [
    'TypeMismatchError',
    {
      code: 'LIGHTNING_INVALID_ARGUMENT',
      reason: 'a part of the path is a file, or the file is a directory',
      advice: 'Choose a path of directories.'
    }
  ]
])

const unknown: Meaning = {
  code: 'LIGHTNING_IO',
  reason: 'the browser reports an error',
  advice: 'The cause says which; reload the page, and check the disk if it comes again.'
}

/**
 * What the browser reported while we tried to `action` (a verb) the file or directory `path`, as the error that callers
 * see. A `LightningError` passes unchanged. `name` is what the exception should be called.
 */
export function browserError(error: unknown, action: string, path: string, name = nameOf(error)): LightningError {
  if (isLightningError(error)) return error
  const meaning = meanings.get(name) ?? unknown
  const message = `Cannot ${action} ${path}: ${meaning.reason}${name === '' ? '' : ` (${name})`}. ${meaning.advice}`
  return new LightningError(meaning.code, message, { cause: error, file: path })
}

/** The name of an exception (`'NotFoundError'`), '' if it has none. */
export function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : ''
}

/** Runs `operation`, turning what the browser throws into a `LightningError`. */
export function guardedBrowser<T>(action: string, path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw browserError(error, action, path)
  }
}
