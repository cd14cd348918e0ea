// Clocks and loops around what is measured.
import type { MaybePromise } from './drivers/driver.ts'

/** How much was done in which time. */
export interface Timed {
  readonly operations: number
  readonly seconds: number
}

export function perSecond({ operations, seconds }: Timed): number {
  return operations / seconds
}

/** Runs `body` once and says how long it took, what it waits for included. */
export async function timed(operations: number, body: () => MaybePromise<unknown>): Promise<Timed> {
  const started = performance.now()
  const pending = body()
  if (pending instanceof Promise) await pending
  return { operations, seconds: (performance.now() - started) / 1000 }
}

/**
 * Runs slices of `sliceLength` operations until all of `total` are done or `seconds` have passed. Slow engines do
 * less of the same work, so that a table is done in minutes.
 */
export async function timedSlices(
  { total, sliceLength, seconds }: { readonly total: number; readonly sliceLength: number; readonly seconds: number },
  slice: (from: number, to: number) => MaybePromise<unknown>
): Promise<Timed> {
  const started = performance.now()
  let done = 0
  let elapsedMs = 0
  while (done < total && elapsedMs < seconds * 1000) {
    const to = Math.min(total, done + sliceLength)
    const pending = slice(done, to)
    if (pending instanceof Promise) await pending
    done = to
    elapsedMs = performance.now() - started
  }
  return { operations: done, seconds: elapsedMs / 1000 }
}
