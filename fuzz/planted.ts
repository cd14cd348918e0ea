// The entry of `npm run planted`: builds the library with each planted bug, in a copy of the project, and runs the tests
// until one fails. Every bug must be caught.
//
// What is recorded of the same commit is kept, so that several runs can share the work.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../bench/machine.ts'
import { readCommandLine } from '../scripts/command-line.mjs'
import { type PlantedBug, plantedBugs } from './planted-bugs.ts'
import { currentCommit } from './runner/record.ts'

/** How a bug fared. */
interface Outcome {
  readonly number: number
  readonly what: string
  readonly where: string
  /** The test that failed, undefined when none did. */
  readonly caughtBy: string | undefined
  /** From the first test on; building does not count. */
  readonly seconds: number
}

/** What vitest's JSON reporter tells. */
interface TestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** Copies of the project: one that gets the bugs, and a sound one. Several of these programs may run at once. */
const work = resolve('.cache', `planted-${process.pid}`)
const copy = join(work, 'planted')
const sound = join(work, 'sound')
const recorded = 'fuzz/results/planted-bugs.json'
/** The tests of a bug take no longer than this, or they hang, which is being caught as well. */
const mostMs = 15 * 60_000
/** A test that only takes long has not found anything. */
const mostTestMs = 300_000

const usage = `usage: npm run planted -- [options]

  --only LIST    some of the bugs below, by number (default all, one after the other)
  --record       keeps the table as ${recorded}

bugs
${plantedBugs.map(({ number, what }) => `    ${String(number).padStart(2)}  ${what}`).join('\n')}
`

const options = readCommandLine(process.argv.slice(2), usage, parseOptions)
if (options === undefined) process.exit()
const { bugs } = options

for (const folder of [copy, sound]) copyProject(folder)
await run(sound, ['scripts/build-kernel.mjs'], 0)
const outcomes: Outcome[] = []
for (const bug of bugs) {
  const outcome = await hunt(bug)
  outcomes.push(outcome)
  console.log(
    `${String(bug.number).padStart(2)}  ${bug.what}: ${outcome.caughtBy ?? 'NOT CAUGHT'}  (${outcome.seconds} s)`
  )
}
const missed = outcomes.filter(({ caughtBy }) => caughtBy === undefined)
console.log(`${outcomes.length - missed.length} of ${outcomes.length} planted bugs were caught`)
if (options.record) {
  mkdirSync(dirname(recorded), { recursive: true })
  const all = [...recordedBefore(currentCommit()), ...outcomes].sort((a, b) => a.number - b.number)
  const results = { machine: describeMachine(), commit: currentCommit(), bugs: all }
  writeFileSync(recorded, `${JSON.stringify(results, undefined, 2)}\n`)
}
rmSync(work, { recursive: true, force: true })
process.exitCode = missed.length === 0 ? 0 : 1

function parseOptions(args: readonly string[]): { readonly bugs: readonly PlantedBug[]; readonly record: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, record: { type: 'boolean', default: false } }
  })
  const named = values.only?.split(',').map(text => {
    const bug = plantedBugs.find(({ number }) => number === Number(text))
    if (bug === undefined) throw new RangeError(`no such bug: ${text}`)
    return bug
  })
  return { bugs: named ?? plantedBugs, record: values.record }
}

/** What another run of the same commit has recorded of other bugs. */
function recordedBefore(commit: string): readonly Outcome[] {
  if (!existsSync(recorded)) return []
  const before: { readonly commit: string; readonly bugs: readonly Outcome[] } = JSON.parse(
    readFileSync(recorded, 'utf8')
  )
  if (before.commit !== commit) return []
  return before.bugs.filter(({ number }) => bugs.every(bug => bug.number !== number))
}

/** Everything under version control, or about to be, as it is now: others may go on working. */
function copyProject(folder: string): void {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  for (const file of files.split('\n')) {
    if (file === '' || !existsSync(file)) continue
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    cpSync(file, join(folder, file))
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
}

async function hunt(bug: PlantedBug): Promise<Outcome> {
  const isInKernel = bug.where.startsWith('assembly/')
  // The kernel is built anew only for bugs of its own.
  await run(copy, ['scripts/build-kernel.mjs'], isInKernel ? bug.number : 0)
  const started = performance.now()
  let caughtBy: string | undefined
  const done = new Set<string>()
  const unreliable: string[] = []
  for (const tests of [...bug.tests, 'test']) {
    if (done.has(tests)) continue
    done.add(tests)
    const failure = await firstFailure(copy, tests, bug.number)
    if (failure === undefined) continue
    // What fails without the bug as well, says nothing about it.
    if ((await firstFailure(sound, failure.file, 0, failure.name)) === undefined) {
      caughtBy = failure.test
      break
    }
    unreliable.push(failure.test)
  }
  const { number, what, where } = bug
  if (unreliable.length > 0) console.log(`failed without the bug, too: ${unreliable.join(', ')}`)
  return { number, what, where, caughtBy, seconds: Math.round((performance.now() - started) / 1_000) }
}

/** A test that failed. */
interface Failure {
  readonly file: string
  /** Undefined when the file as a whole failed. */
  readonly name?: string
  /** File and name. */
  readonly test: string
}

/** The first test that fails among those that vitest finds under this name. */
async function firstFailure(folder: string, tests: string, bug: number, only?: string): Promise<Failure | undefined> {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const args = ['node_modules/vitest/vitest.mjs', 'run', tests, '--exclude', 'test/house/**', '--passWithNoTests']
  const options = ['--bail', '1', '--testTimeout', `${mostTestMs}`, '--reporter', 'json', '--outputFile', report]
  const filter = only === undefined ? [] : ['--testNamePattern', only.replaceAll(/[^\w ]/g, '.')]
  const code = await run(folder, [...args, ...options, ...filter], bug)
  if (code === 0) return undefined
  if (!existsSync(report)) return { file: tests, test: `${tests} ends without a report` }
  const { testResults }: TestReport = JSON.parse(readFileSync(report, 'utf8'))
  for (const { name, status, assertionResults } of testResults) {
    const file = name.slice(folder.length + 1)
    const failed = assertionResults.find(each => each.status === 'failed')
    if (failed !== undefined) return { file, name: failed.fullName.trim(), test: `${file}: ${failed.fullName.trim()}` }
    if (status === 'failed') return { file, test: file }
  }
  return { file: tests, test: `${tests}: an error outside of the tests` }
}

/** Runs a program of Node in a copy; the result is its exit code. */
function run(folder: string, args: readonly string[], bug: number): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, PLANTED_BUG: String(bug) },
    stdio: 'ignore'
  })
  const watchdog = setTimeout(() => child.kill('SIGKILL'), mostMs)
  return new Promise(done => {
    child.on('exit', code => {
      clearTimeout(watchdog)
      done(code ?? 1)
    })
  })
}
