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

/** Work that is done in slices, until it is done or its time is over. */
export interface Slices<S> {
  readonly total: number
  readonly sliceLength: number
  readonly seconds: number
  /** Makes what the slice of the operations in [from, to) needs, outside all timing. */
  prepare(from: number, to: number): S
}

/**
 * Runs slices of `sliceLength` operations until all of `total` are done or `seconds` have passed. Slow engines do
 * less of the same work, so that a table is done in minutes.
 */
export async function timedSlices<S>(
  { total, sliceLength, seconds, prepare }: Slices<S>,
  slice: (prepared: S, from: number) => MaybePromise<unknown>
): Promise<Timed> {
  let done = 0
  let elapsedMs = 0
  while (done < total && elapsedMs < seconds * 1000) {
    const to = Math.min(total, done + sliceLength)
    const prepared = prepare(done, to)
    const started = performance.now()
    const pending = slice(prepared, done)
    if (pending instanceof Promise) await pending
    elapsedMs += performance.now() - started
    done = to
  }
  return { operations: done, seconds: elapsedMs / 1000 }
}
