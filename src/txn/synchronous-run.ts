import { isThenable } from '../encoding/arguments.ts'
import { invalidArgument } from '../encoding/failure.ts'
import type { Repeatable } from './retry.ts'

/**
 * Runs a body that does not wait, and commits. Throws what the body throws, `LIGHTNING_INVALID_ARGUMENT` when its result is
 * a promise, `LIGHTNING_CONFLICT`, and as writes do.
 */
export function runSynchronously<H, R>(
  transaction: Repeatable & { commitSync(): void },
  handle: H,
  body: (handle: H) => R
): R {
  try {
    const result = body(handle)
    if (isThenable(result)) {
      // The body goes on without its transaction and may fail; the error below tells the caller why.
      result.then(undefined, () => undefined)
      throw invalidArgument(
        'transactionSync: the body returned a promise, but the transaction ends with the call. Use transaction().'
      )
    }
    if (transaction.loss !== undefined) throw transaction.loss
    if (!transaction.wasEndedByCaller) transaction.commitSync()
    return result
  } finally {
    transaction.rollback()
  }
}
