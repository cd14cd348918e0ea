import { isLightningError, LightningError, type LightningErrorCode } from '../errors.ts'

interface Meaning {
  readonly code: LightningErrorCode
  readonly reason: string
  readonly advice: string
}

const full = { code: 'LIGHTNING_DISK_FULL', advice: 'Free some space, then try again.' } as const
const denied = {
  code: 'LIGHTNING_PERMISSION',
  reason: 'the system denies access',
  advice: 'Give this user the right to read and write the directory and its files.'
} as const

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['ENOENT', { code: 'LIGHTNING_NOT_FOUND', reason: 'it does not exist', advice: 'Check the location.' }],
  [
    'EEXIST',
    { code: 'LIGHTNING_EXISTS', reason: 'it exists already', advice: 'Choose another location or remove it.' }
  ],
  ['EACCES', denied],
  ['EPERM', denied],
  [
    'NotCapable',
    {
      code: 'LIGHTNING_PERMISSION',
      reason: 'Deno does not allow it',
      advice:
        'It takes --allow-read, --allow-write (both of the directory), --allow-net and --allow-sys=hostname,statfs.'
    }
  ],
  ['EROFS', { code: 'LIGHTNING_READ_ONLY', reason: 'the medium is read-only', advice: 'Open it with readOnly: true.' }],
  ['ENOSPC', { ...full, reason: 'the disk is full' }],
  ['EDQUOT', { ...full, reason: 'the disk quota is used up' }],
  [
    'EMFILE',
    {
      code: 'LIGHTNING_IO',
      reason: 'this process has too many open files',
      advice: 'Raise its limit (ulimit -n).'
    }
  ],
  ['ENAMETOOLONG', { code: 'LIGHTNING_IO', reason: 'the path is too long', advice: 'Choose a shorter path.' }],
  [
    'ENOTDIR',
    { code: 'LIGHTNING_IO', reason: 'a part of the path is a file', advice: 'Choose a path of directories.' }
  ],
  [
    'EISDIR',
    {
      code: 'LIGHTNING_IO',
      reason: 'a directory stands where a file of the database belongs',
      advice: 'Move the directory to another place.'
    }
  ],
  // As with a full disk, what shrinks goes on.
  [
    'EFBIG',
    {
      code: 'LIGHTNING_DISK_FULL',
      reason: 'no larger file is allowed',
      advice: 'Raise the limit of this process (ulimit -f), or move the database to another file system.'
    }
  ]
])

const unknown: Meaning = {
  code: 'LIGHTNING_IO',
  reason: 'the system reports an error',
  advice: 'The cause says which; check the disk and the system log.'
}

/**
 * What the system reported while we tried to `action` (a verb: "open", "sync") the file or directory `path`, as the
 * error that callers see. A `LightningError` passes unchanged.
 */
export function systemError(error: unknown, action: string, path: string): LightningError {
  if (isLightningError(error)) return error
  const systemCode = systemCodeOf(error)
  const meaning = meanings.get(systemCode ?? '') ?? unknown
  const reason = systemCode === undefined ? meaning.reason : `${meaning.reason} (${systemCode})`
  const message = `Cannot ${action} ${path}: ${reason}. ${meaning.advice}`
  return new LightningError(meaning.code, message, { cause: error, file: path })
}

/** The system's own code (`'ENOENT'`) of an error, if it has one; `'NotCapable'` is Deno's. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof Error && error.name === 'NotCapable') return error.name
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Runs `operation`, turning what the system throws into a `LightningError`. */
export function guarded<T>(action: string, path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw systemError(error, action, path)
  }
}
