/** Prints rows of cells in columns: the first to the left, the others to the right. The first row is the heading. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map(row => widthOf(row[column] ?? '')))
  )
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? ''
        const gap = ' '.repeat(width - widthOf(cell))
        return column === 0 ? cell + gap : gap + cell
      })
      .join('  ')
      .trimEnd()
  const [heading = [], ...others] = rows
  const rule = widths.map(width => '─'.repeat(width)).join('  ')
  process.stdout.write(`${[line(heading), rule, ...others.map(line)].join('\n')}\n`)
}

function widthOf(text: string): number {
  return [...text].length
}
