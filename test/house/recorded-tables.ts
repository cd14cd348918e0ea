// The tables of docs/reliability.md, made from the runs that were recorded in fuzz/results/.

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

export interface RecordedBugs {
  readonly commit: string
  readonly bugs: readonly {
    readonly number: number
    readonly what: string
    readonly where: string
    /** File and name of the test; absent when none caught it. */
    readonly caughtBy?: string
  }[]
}

/** A line for every planted bug: what it breaks, and which test has caught it. */
export function tableOfBugs({ bugs, commit }: RecordedBugs): string {
  const caught = bugs.filter(({ caughtBy }) => caughtBy !== undefined).length
  const lines = bugs.map(({ number, what, where, caughtBy = '' }) => {
    const [file = '', ...name] = caughtBy.split(': ')
    const test = caughtBy === '' ? 'no test' : `\`${file}\`: ${inCell(name.join(': '))}`
    return `| ${number} | ${inCell(what)} | \`${where}\` | ${test} |`
  })
  return [
    `${caught} of ${bugs.length} were caught, at commit ${commit}:`,
    '',
    '| | planted bug | where | caught by |',
    line(4),
    ...lines
  ].join('\n')
}

export interface RecordedFuzzing {
  readonly commit: string
  readonly minutes: number
  readonly targets: readonly {
    readonly target: string
    readonly executions: number
    readonly edges: number
    readonly newEdges: number
    readonly corpus: number
    readonly findings: number
  }[]
}

/** A line for everything that was fuzzed. */
export function tableOfFuzzing({ targets, minutes, commit }: RecordedFuzzing): string {
  const executions = targets.reduce((sum, target) => sum + target.executions, 0)
  const edges = targets.reduce((sum, target) => sum + target.newEdges, 0)
  const lines = targets.map(each => {
    const { target, corpus, findings } = each
    const cells = [each.executions, each.edges, each.newEdges, corpus, findings].map(inWords)
    return `| \`${target}\` | ${cells.join(' | ')} |`
  })
  return [
    `${inWords(minutes)} minutes at commit ${commit}: ${inWords(executions)} executions, ${inWords(edges)} branches that no input had reached before.`,
    '',
    '| target | executions | branches reached | new ones | corpus | findings |',
    line(6),
    ...lines
  ].join('\n')
}

export interface RecordedSoak {
  readonly seconds: number
  readonly rate: number
  readonly operations: number
  readonly complaints: readonly string[]
  readonly care: Readonly<Record<string, number>>
  readonly findings: readonly {
    readonly name: string
    readonly first: number
    readonly last: number
    /** When it began to grow, if it did. */
    readonly since?: number
  }[]
}

const mebi = 1 << 20

/** What was measured after the warm-up, in the first and in the last third of what followed. */
export function tableOfSoak({ seconds, rate, operations, care, findings }: RecordedSoak): string {
  const done = Object.entries(care).map(([name, count]) => `${inWords(count)} × ${name}`)
  const lines = findings.map(({ name, first, last }) => `| ${name} | ${figure(name, first)} | ${figure(name, last)} |`)
  return [
    `${Math.floor(seconds / 60)} minutes at ${rate} operations a second, ${inWords(operations)} in all; ${done.join(', ')}. Nothing grew:`,
    '',
    '| after the warm-up | first third | last third |',
    line(3),
    ...lines
  ].join('\n')
}

function figure(name: string, value: number): string {
  if (name.endsWith(' µs')) return value < 1_000 ? `${inWords(value)} µs` : `${(value / 1_000).toFixed(1)} ms`
  return name === 'descriptors' ? inWords(value) : `${(value / mebi).toFixed(1)} MiB`
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
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
