// What a run has done, target by target.
import type { WorkerProgress } from './messages.ts'

export interface Total {
  readonly target: string
  executions: number
  seconds: number
  /** Branches taken, and how many of them not by the corpus that the run began with. */
  edges: number
  newEdges: number
  corpus: number
  findings: number
}

export function newTotal(target: string): Total {
  return { target, executions: 0, seconds: 0, edges: 0, newEdges: 0, corpus: 0, findings: 0 }
}

export function addSlice(total: Total, slice: WorkerProgress): void {
  total.executions += slice.executions
  total.seconds += slice.seconds
  total.edges = Math.max(total.edges, slice.edges)
  total.newEdges += slice.newEdges
  total.corpus = slice.corpus
}

/** As it is printed at the end. */
export function tableOf(totals: readonly Total[]): string {
  const rows = totals.map(({ target, executions, seconds, edges, newEdges, corpus, findings }) => [
    target,
    executions.toLocaleString('en'),
    Math.round(executions / Math.max(1, seconds)).toLocaleString('en'),
    `${edges}`,
    `${newEdges}`,
    `${corpus}`,
    `${findings}`
  ])
  const all = [['target', 'executions', 'a second', 'edges', 'new', 'corpus', 'found'], ...rows]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)))
  return all
    .map(row =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
    )
    .join('\n')
}
