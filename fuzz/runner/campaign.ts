// A run of `npm run torture`: trials in turn, slice after slice, until the time is over. A failure does not end it: it is
// shrunk, kept, printed with the command that runs it again, and makes the exit code 1.
import { readCommandLine } from '../../scripts/command-line.mjs'
import { CaseProcess } from './case-process.ts'
import { type Answer, jsonOf } from './case-worker.ts'
import { parseOptions, type TortureOptions, usageOf } from './options.ts'
import { formatTime, Progress } from './progress.ts'
import { beginRecord, keepFailure, keepRecord, publishRecord, type TrialRecord } from './record.ts'
import { type Failing, shrink } from './shrinking.ts'
import { printRecords, summaryOf } from './summary.ts'
import { sumOf, type Trial } from './trial.ts'

const sliceMs = 20_000
const shrinkMs = 180_000
/** A trial that has failed so often is left alone: more of the same says nothing new. */
const mostFailures = 5

/** Runs what the command line asks for; the exit code. */
export async function torture(all: readonly Trial<unknown>[], args: readonly string[]): Promise<number> {
  const options = readCommandLine(args, usageOf(all), given => parseOptions(given, all))
  if (options === undefined) return Number(process.exitCode ?? 0)
  const campaign = new Campaign(options)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => campaign.interrupt())
  return options.replay === undefined ? await campaign.run() : await campaign.replay(options.replay)
}

/** One trial of a run. */
interface Strand {
  readonly trial: Trial<unknown>
  readonly process: CaseProcess
  record: TrialRecord
  /** Time spent, cases tried and cases that failed, in this run. */
  spentMs: number
  cases: number
  failures: number
  isOver: boolean
}

class Campaign {
  readonly #options: TortureOptions
  readonly #strands: readonly Strand[]
  readonly #startMs = performance.now()
  readonly #progress: Progress
  #isInterrupted = false

  constructor(options: TortureOptions) {
    this.#options = options
    const { firstSeed, resume } = options
    this.#strands = options.trials.map(trial => ({
      trial,
      process: new CaseProcess(trial),
      record: beginRecord(trial.name, firstSeed, resume),
      spentMs: 0,
      cases: 0,
      failures: 0,
      isOver: false
    }))
    this.#progress = new Progress(() => this.#line())
  }

  /** Ends the run soon: what has been done counts, the case that is running does not. */
  interrupt(): void {
    this.#isInterrupted = true
    for (const strand of this.#strands) strand.process.stop()
  }

  async run(): Promise<number> {
    const endMs = this.#startMs + this.#options.minutes * 60_000
    const slice = Math.min(sliceMs, (this.#options.minutes * 60_000) / this.#strands.length / 2)
    while (performance.now() < endMs && !this.#isInterrupted) {
      const waiting = this.#strands.filter(strand => !strand.isOver).sort((a, b) => a.spentMs - b.spentMs)
      const [strand] = waiting
      if (strand === undefined) break
      await this.#runSlice(strand, Math.min(endMs, performance.now() + slice))
    }
    this.#end()
    const records = this.#strands.map(strand => strand.record)
    if (this.#options.record && !this.#isInterrupted) records.forEach(publishRecord)
    printRecords(this.#options.trials, records)
    return records.some(record => record.failures > 0) ? 1 : this.#isInterrupted ? 130 : 0
  }

  /** Runs one case, or one seed of each trial. */
  async replay(request: { readonly seed: number } | { readonly testCase: unknown }): Promise<number> {
    let failures = 0
    for (const { trial, process: worker } of this.#strands) {
      const answer = await worker.run(request)
      if (this.#isInterrupted) break
      if ('counts' in answer) {
        this.#progress.tell(`${trial.name}: nothing went wrong. ${summaryOf(answer.counts)}`)
        continue
      }
      failures++
      const testCase = 'seed' in request ? jsonOf(trial.caseOf(request.seed)) : request.testCase
      const seed = 'seed' in request ? request.seed : undefined
      await this.#tellFailure(trial, worker, seed, { testCase, error: answer.error })
    }
    this.#end()
    return failures > 0 ? 1 : this.#isInterrupted ? 130 : 0
  }

  async #runSlice(strand: Strand, endMs: number): Promise<void> {
    const { trial, process: worker } = strand
    while (performance.now() < endMs && !strand.isOver) {
      const seed = strand.record.next
      const startMs = performance.now()
      const answer = await worker.run({ seed })
      if (this.#isInterrupted) break
      const spentMs = performance.now() - startMs
      this.#count(strand, answer, spentMs)
      if ('error' in answer) {
        await this.#tellFailure(trial, worker, seed, { testCase: jsonOf(trial.caseOf(seed)), error: answer.error })
      }
      strand.spentMs += performance.now() - startMs
    }
    // The next slice gets a new process, so that what cases leave behind does not add up.
    worker.stop()
    keepRecord(strand.record)
  }

  #count(strand: Strand, answer: Answer, spentMs: number): void {
    const { record } = strand
    const hasFailed = 'error' in answer
    strand.record = {
      ...record,
      next: record.next + 1,
      cases: record.cases + 1,
      failures: record.failures + (hasFailed ? 1 : 0),
      seconds: record.seconds + spentMs / 1_000,
      counts: hasFailed ? record.counts : sumOf(record.counts, answer.counts)
    }
    strand.cases++
    if (hasFailed) strand.failures++
    strand.isOver = strand.failures >= mostFailures || strand.cases >= this.#options.cases
  }

  async #tellFailure(
    trial: Trial<unknown>,
    worker: CaseProcess,
    seed: number | undefined,
    failing: Failing
  ): Promise<void> {
    const { name } = trial
    this.#progress.tell(`\n${name} failed${seed === undefined ? '' : ` at seed ${seed}`}: ${failing.error}\n`)
    if (seed !== undefined) this.#progress.tell(`again:  npm run torture -- --only ${name} --seed ${seed}`)
    // In a new process: what an earlier case left behind must not be what fails.
    worker.stop()
    const again = await worker.run({ testCase: failing.testCase })
    if (this.#isInterrupted) return
    if ('counts' in again) {
      this.#progress.tell('Run again in a process of its own the case did not fail.')
      keepFailure(`${name}-${seed ?? 'case'}`, { ...failing, seed, isReproduced: false })
      return
    }
    const smallest = await shrink(trial, failing, testCase => this.#runUnlessInterrupted(worker, testCase), shrinkMs)
    const path = keepFailure(`${name}-${seed ?? 'case'}`, { ...failing, seed, isReproduced: true, smallest })
    const text = JSON.stringify(smallest.testCase)
    const only = `npm run torture -- --only ${name}`
    const casePath = text.length > 1_500 ? keepFailure(`${name}-${seed ?? 'case'}-smallest`, smallest.testCase) : ''
    this.#progress.tell(`shrunk: ${only} --case ${casePath || `'${text.replaceAll("'", "'\\''")}'`}`)
    this.#progress.tell(`        ${smallest.error.split('\n').slice(0, 12).join('\n        ')}`)
    this.#progress.tell(`kept:   ${path}\n`)
  }

  #runUnlessInterrupted(worker: CaseProcess, testCase: unknown): Promise<Answer> {
    return this.#isInterrupted ? Promise.resolve({ counts: {} }) : worker.run({ testCase })
  }

  #end(): void {
    for (const strand of this.#strands) strand.process.stop()
    this.#progress.end()
  }

  #line(): string {
    const seconds = (performance.now() - this.#startMs) / 1_000
    const parts = this.#strands.map(({ record }) => `${record.trial} ${record.cases} (${summaryOf(record.counts, 2)})`)
    const failures = this.#strands.reduce((sum, { record }) => sum + record.failures, 0)
    const { minutes } = this.#options
    const total = minutes === Number.POSITIVE_INFINITY ? '' : ` of ${formatTime(minutes * 60)}`
    return `${formatTime(seconds)}${total}, ${failures} failed · ${parts.join(' · ')}`
  }
}
