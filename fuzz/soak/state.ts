// What a soak keeps on disk, so that it can go on after an interruption.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Sample } from './sample.ts'

export interface SoakState {
  readonly seed: number
  readonly rate: number
  /** Processes that have worked on it. */
  readonly lives: number
  readonly samples: readonly Sample[]
}

/** The state of an interrupted run, if there is one that fits. Throws a `RangeError` when its load was another. */
export function readState(path: string, seed: number, rate: number): SoakState | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // Nothing was interrupted: it begins anew.
    return undefined
  }
  const state: SoakState = JSON.parse(text)
  if (state.seed === seed && state.rate === rate) return state
  throw new RangeError(
    `the interrupted run had --seed ${state.seed} --rate ${state.rate}: give the same, or no --resume`
  )
}

/** Whole or not at all: the run may be killed at any moment. */
export function writeState(path: string, state: SoakState): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(state))
  renameSync(`${path}.new`, path)
}
