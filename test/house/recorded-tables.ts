// The table of docs/reliability.md, made from the runs that were recorded in fuzz/results/.

export interface RecordedTrial {
  readonly trial: string
  readonly cases: number
  readonly failures: number
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  readonly commits: readonly string[]
}

/** A line for every trial. */
export function tableOfTrials(trials: readonly RecordedTrial[]): string {
  const lines = trials.map(({ trial, cases, seconds, counts, commits }) => {
    const tried = Object.entries(counts).map(([name, count]) => `${inWords(count)} ${spaced(name)}`)
    const minutes = Math.floor(seconds / 60)
    return `| \`${trial}\` | ${inWords(cases)} | ${minutes} min | ${tried.join(', ')} | ${commits.join(', ')} |`
  })
  return ['| trial | cases | time | tried, and nothing wrong found | commit |', line(5), ...lines].join('\n')
}

function line(columns: number): string {
  return `|${' --- |'.repeat(columns)}`
}

function inWords(count: number): string {
  return Math.round(count).toLocaleString('en')
}

/** `refusedOpenings` as words. */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
}
