import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Runs on the way; not under version control. */
const everyRun = '.cache/bench'
/** The last run that is stood by; under version control. */
const recorded = 'bench/results'

/** The run of that name that is stood by, made by the same mode before. */
export async function readRecorded<R>(name: string): Promise<R> {
  return JSON.parse(await readFile(join(recorded, `${name}.json`), 'utf8'))
}

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
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  await write(join(everyRun, `${name}-${stamp}.json`), results)
  if (record && failures.length === 0) await saveRecorded(name, results)
  if (failures.length === 0) return
  process.exitCode = 1
  if (record) process.stderr.write(`not recorded: ${failures.length} parts of the run failed\n`)
}

/** Saves it as the run that is stood by. */
export function saveRecorded(name: string, results: object): Promise<void> {
  return write(join(recorded, `${name}.json`), results)
}

async function write(path: string, results: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`)
  process.stderr.write(`saved ${path}\n`)
}
