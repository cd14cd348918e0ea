import { isLightningError, LightningError, type LightningErrorCode } from '../errors.ts'

type Meaning = readonly [code: LightningErrorCode, reason: string, advice: string]

/** By the names of `DOMException`s, which browsers agree on better than on their messages. */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['NotFoundError', ['LIGHTNING_NOT_FOUND', 'it does not exist', 'Check the location.']],
  [
    'QuotaExceededError',
    [
      'LIGHTNING_DISK_FULL',
      'the quota of this site is used up',
      'Free some space, or ask for more with requestPersistence(), then try again.'
    ]
  ],
  [
    'NoModificationAllowedError',
    [
      'LIGHTNING_LOCKED',
      'another tab or worker has it open',
      'Close it there first, or share it by connect() in both places.'
    ]
  ],
  [
    'NotAllowedError',
    [
      'LIGHTNING_PERMISSION',
      'the browser denies access',
      'Allow this site to store data in the settings of the browser.'
    ]
  ],
  [
    'SecurityError',
    [
      'LIGHTNING_UNAVAILABLE',
      'the browser keeps no files for this page',
      "Private windows, blocked cookies and sandboxed frames do that; ':memory:' works there."
    ]
  ],
  [
    'TypeMismatchError',
    [
      'LIGHTNING_INVALID_ARGUMENT',
      'a part of the path is a file, or the file is a directory',
      'Choose a path of directories.'
    ]
  ]
])

const unknown: Meaning = [
  'LIGHTNING_IO',
  'the browser reports an error',
  'The cause says which; reload the page, and check the disk if it comes again.'
]

/**
 * What the browser reported while we tried to `action` (a verb) the file or directory `path`, as the error that callers
 * see. A `LightningError` passes unchanged. `name` is what the exception should be called.
 */
export function browserError(error: unknown, action: string, path: string, name = nameOf(error)): LightningError {
  if (isLightningError(error)) return error
  const [code, reason, advice] = meanings.get(name) ?? unknown
  const message = `Cannot ${action} ${path}: ${reason}${name === '' ? '' : ` (${name})`}. ${advice}`
  return new LightningError(code, message, { cause: error, file: path })
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
