// The load of kill-program.ts, and the state that it has left after so many commits.
import type { Engine, EngineOptions, Tree } from '../../src/engine/engine.ts'
import { everything, smallOptions, someText, utf8 } from './content.ts'
import { Random } from '../support/random.ts'

export const killOptions: EngineOptions = { ...smallOptions, walBytes: 65_536 }

export type Operation =
  | { readonly type: 'write'; readonly changes: ReadonlyMap<string, string | undefined> }
  | { readonly type: 'clear'; readonly from: string; readonly to: string }

const keys = 200

/** What commit number `lsn` does. */
export function operationOf(lsn: number): Operation {
  const random = new Random(lsn)
  if (lsn % 23 === 0) {
    const from = random.below(keys)
    return { type: 'clear', from: keyOf(from), to: keyOf(from + random.below(20)) }
  }
  const changes = new Map<string, string | undefined>()
  const count = lsn % 7 === 0 ? 40 : 1
  // The counter changes with every commit, so that no two states are equal.
  changes.set('counter', `${lsn}`)
  for (let i = 0; i < count; i++) {
    const length = lsn % 11 === 0 && i === 0 ? 5_000 + random.below(400_000) : 10 + random.below(700)
    changes.set(keyOf(random.below(keys)), random.chance(0.2) ? undefined : someText(random, length))
  }
  return { type: 'write', changes }
}

/** Applies an operation as one commit. */
export function applyTo(engine: Engine, tree: Tree, operation: Operation): void {
  if (operation.type === 'clear') {
    engine.clear(tree, {
      ...everything,
      lower: utf8.encode(operation.from),
      upper: utf8.encode(operation.to),
      upperOpen: true
    })
    return
  }
  engine.batch(
    [...operation.changes].map(([key, value]) =>
      value === undefined
        ? { type: 'del', tree, key, keyEncoding: utf8 }
        : { type: 'put', tree, key, keyEncoding: utf8, value, valueEncoding: utf8 }
    )
  )
}

/** Goes on from the state after commit `from` to that after commit `to`. */
export function advance(state: Map<string, string>, from: number, to: number): void {
  for (let lsn = from + 1; lsn <= to; lsn++) {
    const operation = operationOf(lsn)
    if (operation.type === 'clear') {
      for (const key of [...state.keys()])
        if (key >= `/${operation.from}` && key < `/${operation.to}`) state.delete(key)
      continue
    }
    for (const [key, value] of operation.changes) {
      if (value === undefined) state.delete(`/${key}`)
      else state.set(`/${key}`, value)
    }
  }
}

function keyOf(number: number): string {
  return `key ${number.toString().padStart(4, '0')}`
}
