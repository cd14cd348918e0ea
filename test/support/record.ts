import { mkdirSync, writeFileSync } from 'node:fs'
import { describeMachine } from '../../bench/machine.ts'
import { currentCommit } from '../../fuzz/runner/record.ts'

/** Keeps what a long form has done as fuzz/results/NAME.json, when RECORD says so: a run that is stood by. */
export function recordRun(name: string, figures: Readonly<Record<string, unknown>>): void {
  if (process.env.RECORD === undefined) return
  mkdirSync('fuzz/results', { recursive: true })
  const record = { machine: describeMachine(), commit: currentCommit(), ...figures }
  writeFileSync(`fuzz/results/${name}.json`, `${JSON.stringify(record, undefined, 2)}\n`)
}
