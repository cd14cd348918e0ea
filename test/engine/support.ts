// What a database must hold and be. Free of the test runner: the trials of `fuzz/` use it too.
import { deepStrictEqual } from 'node:assert/strict'
import type { Engine } from '../../src/engine/engine.ts'
import type { Content } from './content.ts'

export async function expectSound(engine: Engine): Promise<void> {
  deepStrictEqual((await engine.verify()).problems, [])
}

/** Compares without printing values of a hundred thousand characters. */
export function expectContent(found: Content, wanted: Content): void {
  deepStrictEqual(brief(found), brief(wanted))
}

function brief(content: Content): Map<string, string> {
  const short = [...content].map(([key, value]): [string, string] => [
    key,
    value.length < 100 ? value : `${value.slice(0, 20)}… ${value.length} #${hash(value)}`
  ])
  return new Map(short.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function hash(text: string): number {
  let h = 7
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
