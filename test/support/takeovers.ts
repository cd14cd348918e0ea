import { expect } from 'vitest'
import { recordRun } from './record.ts'

/** How often an owner is followed; TAKEOVERS is for the long form. */
export const takeovers = Number(process.env.TAKEOVERS ?? 2)

/** A quarter of a second is usual; a loaded machine takes longer, and a wait for a timeout longer than that. */
const mostMs = 5_000

/** Judges how long databases were without an owner, in milliseconds, and keeps it when RECORD says so. */
export function recordTakeovers(
  what: string,
  times: readonly number[],
  figures: Readonly<Record<string, unknown>>
): void {
  const sorted = times.map(Math.round).sort((a, b) => a - b)
  expect(sorted.at(-1)).toBeLessThan(mostMs)
  const [medianMs, longestMs] = [sorted[sorted.length >> 1], sorted.at(-1)]
  recordRun(`takeover-${what}`, { ...figures, takeovers: sorted.length, medianMs, longestMs })
}
