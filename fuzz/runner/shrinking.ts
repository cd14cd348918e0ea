import type { Answer } from './case-worker.ts'
import type { Trial } from './trial.ts'

/** A case that fails, and how. */
export interface Failing {
  readonly testCase: unknown
  readonly error: string
}

/** Looks for a smaller case that fails, until there is none or the time is over. */
export async function shrink(
  trial: Trial<unknown>,
  first: Failing,
  run: (testCase: unknown) => Promise<Answer>,
  mostMs: number
): Promise<Failing> {
  const endMs = performance.now() + mostMs
  let smallest = first
  for (let found: Failing | undefined = first; found !== undefined; ) {
    smallest = found
    found = undefined
    for (const candidate of trial.shrink(smallest.testCase)) {
      if (performance.now() >= endMs) return smallest
      const answer = await run(candidate)
      if (!('error' in answer)) continue
      found = { testCase: candidate, error: answer.error }
      break
    }
  }
  return smallest
}
