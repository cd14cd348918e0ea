import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Runs on the way; not under version control. */
const everyRun = '.cache/bench'
/** The last run that is stood by; under version control. */
const recorded = 'bench/results'

/**
 * Saves what a run has measured as JSON; with `record` also as the run that is stood by, unless something failed. Then the
 * process ends with an error.
 */
export async function saveResults(
  name: string,
  results: object,
  record: boolean,
  failures: readonly string[] = []
): Promise<void> {
  const text = `${JSON.stringify(results, undefined, 2)}\n`
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  const paths = [
    join(everyRun, `${name}-${stamp}.json`),
    ...(record && failures.length === 0 ? [join(recorded, `${name}.json`)] : [])
  ]
  for (const path of paths) {
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
    process.stderr.write(`saved ${path}\n`)
  }
  if (failures.length === 0) return
  process.exitCode = 1
  if (record) process.stderr.write(`not recorded: ${failures.length} parts of the run failed\n`)
}
