// What a trial has done so far: kept in `build/torture/` so that a run can go on later, and, when it is to be stood by,
// in `fuzz/results/`.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeMachine } from '../../bench/machine.ts'
import type { Counts } from './trial.ts'

export interface TrialRecord {
  readonly trial: string
  /** The next seed to run. */
  readonly next: number
  readonly cases: number
  readonly failures: number
  /** Time spent on cases. */
  readonly seconds: number
  readonly counts: Counts
  /** Of every part of the run; a `+` behind it: with changes that were not committed. */
  readonly commits: readonly string[]
}

const workFolder = 'build/torture'
const resultsFolder = 'fuzz/results'

/** The record of a run that goes on from an earlier one if there is one and `resume` says so. */
export function beginRecord(trial: string, firstSeed: number, resume: boolean): TrialRecord {
  const path = join(workFolder, `${trial}.json`)
  const commit = currentCommit()
  if (resume && existsSync(path)) {
    const record: TrialRecord = JSON.parse(readFileSync(path, 'utf8'))
    return { ...record, commits: [...new Set([...record.commits, commit])] }
  }
  return { trial, next: firstSeed, cases: 0, failures: 0, seconds: 0, counts: {}, commits: [commit] }
}

/** Keeps a record for `--resume`. */
export function keepRecord(record: TrialRecord): void {
  writeJson(join(workFolder, `${record.trial}.json`), record)
}

/** Keeps a record as one that is stood by. */
export function publishRecord(record: TrialRecord): void {
  const { next: _, ...rest } = record
  writeJson(join(resultsFolder, `torture-${record.trial}.json`), { machine: describeMachine(), ...rest })
}

/** Keeps a failure, or the case alone, and says where. */
export function keepFailure(name: string, failure: unknown): string {
  const path = join(workFolder, `${name}.json`)
  writeJson(path, failure)
  return path
}

function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`)
}

/** The commit that is checked out; a `+` behind it: with changes that were not committed. */
export function currentCommit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no', 'src', 'assembly') !== ''
    return git('rev-parse', '--short=10', 'HEAD') + (isChanged ? '+' : '')
  } catch {
    return 'unknown'
  }
}
