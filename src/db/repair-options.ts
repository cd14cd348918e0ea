import { checkInteger, checkKnown } from '../encoding/arguments.ts'
import { type CheckedProgress, checkProgress } from './call-options.ts'
import type { ProgressOptions } from './types.ts'

const mib = 1_024 * 1_024
const repairNames: ReadonlySet<string> = new Set(['onProgress', 'signal', 'cacheBytes'])

/** Options of `repair`; `undefined` means absent. */
export interface RepairOptions extends ProgressOptions {
  /** Hard cap on page frames in bytes, from 8 MiB to 3 GiB (default 64 MiB). */
  readonly cacheBytes?: number | undefined
}

/** Throws `LIGHTNING_INVALID_ARGUMENT`, and `LIGHTNING_ABORTED` when the signal has fired already. */
export function checkRepair(options: unknown): CheckedProgress & { readonly cacheBytes: number } {
  const given = checkKnown(options, repairNames, 'repair')
  const { onProgress, signal } = checkProgress({ onProgress: given.onProgress, signal: given.signal }, 'repair')
  const cacheBytes =
    given.cacheBytes === undefined
      ? 64 * mib
      : checkInteger(given.cacheBytes, 8 * mib, 3 * 1_024 * mib, 'repair, option cacheBytes')
  return { onProgress, signal, cacheBytes }
}
