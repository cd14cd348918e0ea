// What `npm run torture` runs. A trial makes cases from seeds; a case is plain JSON, so that it can be printed, shrunk,
// and run again in another process.

/** What a case has tried, such as `{ sequences: 1, crashes: 120, images: 360 }`; summed over all cases. */
export type Counts = Readonly<Record<string, number>>

/** One way to torture the database. */
export interface Trial<Case> {
  /** As `--only` names it. */
  readonly name: string
  /** One sentence for the table at the end. */
  readonly what: string
  /** How long a case may take before it counts as a hang, in ms; 600,000 when missing (what hangs does so for ever). */
  readonly mostMs?: number
  /** How much memory the process of a case may take, in bytes; 2 GiB when missing. */
  readonly mostBytes?: number

  /** The case of a seed (1, 2, …); the same seed always gives the same case. */
  caseOf(seed: number): Case

  /** Throws when something that must hold does not. */
  run(testCase: Case): Promise<Counts>

  /** Smaller cases, the most promising first; the runner keeps one that still fails and asks again. */
  shrink(testCase: Case): Iterable<Case>
}

/** Adds counts up. */
export function sumOf(...all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {}
  for (const counts of all) for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
