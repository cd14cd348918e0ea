// The run that is stood by, under version control.
import { mkdirSync, writeFileSync } from 'node:fs'
import { describeMachine } from '../../bench/machine.ts'
import { currentCommit } from '../runner/record.ts'
import type { Total } from './totals.ts'

/** Writes `fuzz/results/fuzz.json`. */
export function publishFuzzing(totals: readonly Total[], minutes: number): void {
  mkdirSync('fuzz/results', { recursive: true })
  const targets = totals.map(total => ({ ...total, seconds: Math.round(total.seconds) }))
  const results = { machine: describeMachine(), commit: currentCommit(), minutes, targets }
  writeFileSync('fuzz/results/fuzz.json', `${JSON.stringify(results, undefined, 2)}\n`)
}
