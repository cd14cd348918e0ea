// Numbers of pages as messages show them.

/** So many runs are listed. */
const mostRuns = 20

/** Such as "3, 7 to 9, 12". */
export function idsText(ids: readonly number[]): string {
  const sorted = [...ids].sort((a, b) => a - b)
  const runs: { readonly from: number; to: number }[] = []
  for (const id of sorted) {
    const last = runs.at(-1)
    if (last !== undefined && id === last.to + 1) last.to = id
    else runs.push({ from: id, to: id })
  }
  const shown = runs.slice(0, mostRuns).map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`))
  const rest = runs.slice(mostRuns).reduce((sum, { from, to }) => sum + to - from + 1, 0)
  return shown.join(', ') + (rest === 0 ? '' : ` and ${rest.toLocaleString('en')} more`)
}
