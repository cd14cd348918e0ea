import { isLightningError, LightningError, type LightningErrorDetails } from '../errors.ts'

/** Whether `error` says that the disk, or the quota, is full. */
export function isDiskFull(error: unknown): error is LightningError {
  return isLightningError(error, 'LIGHTNING_DISK_FULL')
}

/** The error of damage that nothing here can make up for; `what` is a sentence, to which the advice is added. */
export function corrupt(what: string, place?: LightningErrorDetails): LightningError {
  return new LightningError('LIGHTNING_CORRUPT', `${what} Restore a backup, or run repair.`, place)
}
