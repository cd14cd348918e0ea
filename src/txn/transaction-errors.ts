// Why transactions end, in words for their users.
import { LightningError } from '../errors.ts'

/** It has lost; `why` is a sentence. */
export function conflictError(why: string, cause?: unknown): LightningError {
  return new LightningError(
    'LIGHTNING_CONFLICT',
    `${why} The transaction was rolled back; run it again, or let db.transaction() do so.`,
    { cause }
  )
}

/** What it could see was lost by a rollback of the engine. */
export function takenBackError(cause: unknown): LightningError {
  return new LightningError(
    'LIGHTNING_CONFLICT',
    'What the transaction could see was taken back because it could not be made durable. It was rolled back; run it ' +
      'again, or let db.transaction() do so.',
    { cause }
  )
}

/** It was open for longer than the database allows. */
export function tooOldError(maxAgeMs: number | undefined): LightningError {
  return new LightningError(
    'LIGHTNING_TIMEOUT',
    `The transaction was open for more than ${maxAgeMs} ms (option maxSnapshotAgeMs) and was rolled back. Begin ` +
      'another one.'
  )
}

/** The database was closed meanwhile. */
export function closedDatabaseError(location: string): LightningError {
  return new LightningError(
    'LIGHTNING_CLOSED',
    `The database at ${location} is closed, and the transaction was rolled back. Open it again.`
  )
}

/** It is used after its end, or during its commit. */
export function endedError(isCommitting: boolean, cause: unknown): LightningError {
  const what = isCommitting ? 'is being committed' : 'has ended'
  return new LightningError('LIGHTNING_CLOSED', `The transaction ${what}. Begin another one.`, { cause })
}
